// SPDX-License-Identifier: Apache-2.0
#include "export/output_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/text.h"

namespace weir {

std::string system_error_text(int error_number) {
  std::string text = std::generic_category().message(error_number);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z')
    text[0] = static_cast<char>(text[0] | 0x20);
  return text;
}

OutputStream::OutputStream(int fd, std::string name) : name_(std::move(name)), fd_(fd) {
  buffer_.reserve(kFlushSize + kFlushSize / 8);
}

std::unique_ptr<OutputStream> OutputStream::create(const std::string& path, std::string& error) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) {
    error = "cannot create ";
    append_terminal_text(error, path);
    error.append(": ").append(system_error_text(errno));
    return nullptr;
  }
  auto stream = std::make_unique<OutputStream>(fd, path);
  stream->owns_fd_ = true;
  return stream;
}

OutputStream::~OutputStream() {
  if (owns_fd_) ::close(fd_);
}

void OutputStream::fail(int error_number) {
  if (!error_.empty()) return;
  error_ = "cannot write to ";
  append_terminal_text(error_, name_);
  error_.append(": ").append(system_error_text(error_number));
}

bool OutputStream::flush() {
  if (is_ok() && !buffer_.empty()) {
    if (const int error_number = write_fully(fd_, buffer_.data(), buffer_.size())) {
      fail(error_number);
    } else {
      written_size_ += buffer_.size();
    }
  }
  buffer_.clear();
  return is_ok();
}

bool OutputStream::close() {
  flush();
  // Network file systems report a full disk no earlier than here.
  if (owns_fd_ && ::close(fd_) != 0) fail(errno);
  owns_fd_ = false;
  return is_ok();
}

int write_fully(int fd, const char* bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t count = ::write(fd, bytes + done, size - done);
    if (count >= 0) {
      done += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {
      // Standard output may be a pipe that someone else made non-blocking.
      pollfd ready{fd, POLLOUT, 0};
      if (::poll(&ready, 1, -1) < 0 && errno != EINTR) return errno;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace weir
