// SPDX-License-Identifier: Apache-2.0
//
// OutputStream: a buffered file descriptor that remembers its first error. Where every exporter
// writes to.
//
// A writer appends to buffer() and calls commit() after each record; what is buffered goes out in
// large pieces. Errors: the first failed write is kept as one line for the user ("cannot write to
// out.json: no space left on device"); from then on everything is dropped and commit() is false, so
// a caller looks once in a while and at close(). A reader that goes away is such an error (broken
// pipe), for which the program must ignore SIGPIPE.
//
// Threads: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace weir {

// What the system says about an errno, in lower case as our messages are.
std::string system_error_text(int error_number);

class OutputStream {
 public:
  // Does not own `fd` (standard output). `name` is what messages call it.
  OutputStream(int fd, std::string name);
  // Creates or empties a file; null and one line in `error` when that fails.
  static std::unique_ptr<OutputStream> create(const std::string& path, std::string& error);
  // What was not flushed is dropped: call close(), which can say that it failed.
  ~OutputStream();
  OutputStream(const OutputStream&) = delete;
  OutputStream& operator=(const OutputStream&) = delete;

  std::string& buffer() { return buffer_; }
  // Writes when enough is buffered. False after an error.
  bool commit() { return buffer_.size() < kFlushSize ? is_ok() : flush(); }
  bool flush();
  // Flushes and, when the descriptor is its own, closes. False when anything so far failed.
  bool close();

  bool is_ok() const { return error_.empty(); }
  const std::string& error() const { return error_; }
  uint64_t written_size() const { return written_size_; }

 private:
  static constexpr size_t kFlushSize = size_t{256} * 1024;

  void fail(int error_number);

  std::string buffer_;
  std::string name_;
  std::string error_;
  uint64_t written_size_ = 0;
  int fd_;
  bool owns_fd_ = false;
};

// Writes all of `size` bytes, over interrupted and partial writes and full pipes. 0, or an errno.
int write_fully(int fd, const char* bytes, size_t size);

}  // namespace weir
