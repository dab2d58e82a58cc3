// SPDX-License-Identifier: Apache-2.0
//
// SortedRun: entries in sorted order in an unlinked temporary file, written once and then read
// once. What a RecordSorter keeps beyond its memory.
//
//   run   = entry*
//   entry = key_size:u32 record_size:u32 key record       ; little-endian
//
// The file has no name, so nothing is left behind however the program ends.
// Errors: one line for the user; a full disk is one, never a crash.
// Threads: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// The longest key or record. A key is a field's text (an interface name at most) and 20 bytes.
inline constexpr uint32_t kRunItemSizeMax = 64 * 1024;

// The folder for temporary files: $TMPDIR, or /tmp.
std::string default_temporary_folder();

class SortedRun {
 public:
  SortedRun() = default;
  ~SortedRun();
  SortedRun(SortedRun&& other) noexcept;
  SortedRun& operator=(SortedRun&& other) noexcept;

  // Opens the file.
  bool create(const std::string& folder, std::string& error);
  // The same on a descriptor that becomes the run's own.
  void adopt(int fd, std::string folder);

  bool append(std::string_view key, std::string_view record, std::string& error);
  // From writing to reading.
  bool rewind(std::string& error);

  // Moves to the next entry; false at the end, and with `error` set when the file cannot be read.
  bool next(std::string& error);
  // Of the current entry; valid until next().
  std::string_view key() const { return key_; }
  std::string_view record() const { return record_; }

  uint64_t size() const { return size_; }  // bytes written

 private:
  bool flush(std::string& error);
  bool fill(size_t wanted_size, std::string& error);

  int fd_ = -1;
  uint64_t size_ = 0;
  uint64_t read_size_ = 0;
  std::string folder_;
  std::vector<char> buffer_;  // being written, or read ahead
  size_t position_ = 0;       // of the next entry in the buffer
  std::string_view key_;
  std::string_view record_;
};

}  // namespace weir
