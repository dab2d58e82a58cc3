// SPDX-License-Identifier: Apache-2.0
#include "export/sorted_run.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/assert.h"
#include "base/byte_reader.h"
#include "base/text.h"
#include "export/output_stream.h"

namespace weir {
namespace {

constexpr size_t kBufferSize = size_t{64} * 1024;
constexpr size_t kEntryHeaderSize = 8;

std::string file_error(std::string_view doing, const std::string& folder, std::string_view why) {
  std::string text = "cannot ";
  text.append(doing).append(" temporary file in ");
  append_terminal_text(text, folder);
  return text.append(": ").append(why);
}

void append_u32(std::vector<char>& out, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<char>(value >> shift & 0xff));
}

// Not every file system knows files without a name; there, one is made and taken away.
int open_unnamed(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
  std::string path = folder + "/weir-XXXXXX";
  const int named_fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (named_fd >= 0) ::unlink(path.c_str());
  return named_fd;
}

}  // namespace

std::string default_temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

SortedRun::~SortedRun() {
  if (fd_ >= 0) ::close(fd_);
}

SortedRun::SortedRun(SortedRun&& other) noexcept {
  *this = std::move(other);
}

// Moving keeps the buffer where it is, so the views into it stay valid.
SortedRun& SortedRun::operator=(SortedRun&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  std::swap(read_size_, other.read_size_);
  std::swap(folder_, other.folder_);
  std::swap(buffer_, other.buffer_);
  std::swap(position_, other.position_);
  std::swap(key_, other.key_);
  std::swap(record_, other.record_);
  return *this;
}

bool SortedRun::create(const std::string& folder, std::string& error) {
  const int fd = open_unnamed(folder);
  if (fd < 0) {
    error = file_error("create a", folder, system_error_text(errno));
    return false;
  }
  adopt(fd, folder);
  return true;
}

void SortedRun::adopt(int fd, std::string folder) {
  ASSERT(fd_ < 0);
  fd_ = fd;
  folder_ = std::move(folder);
}

bool SortedRun::append(std::string_view key, std::string_view record, std::string& error) {
  ASSERT(key.size() <= kRunItemSizeMax);
  ASSERT(record.size() <= kRunItemSizeMax);
  append_u32(buffer_, static_cast<uint32_t>(key.size()));
  append_u32(buffer_, static_cast<uint32_t>(record.size()));
  buffer_.insert(buffer_.end(), key.begin(), key.end());
  buffer_.insert(buffer_.end(), record.begin(), record.end());
  return buffer_.size() < kBufferSize || flush(error);
}

bool SortedRun::flush(std::string& error) {
  if (const int error_number = write_fully(fd_, buffer_.data(), buffer_.size())) {
    error = file_error("write a", folder_, system_error_text(error_number));
    return false;
  }
  size_ += buffer_.size();
  buffer_.clear();
  return true;
}

bool SortedRun::rewind(std::string& error) {
  if (!flush(error)) return false;
  if (::lseek(fd_, 0, SEEK_SET) == 0) {
    // Many runs wait for their turn; only those being merged need a buffer.
    buffer_ = std::vector<char>();
    return true;
  }
  error = file_error("read a", folder_, system_error_text(errno));
  return false;
}

// Makes `wanted_size` bytes available at position_.
bool SortedRun::fill(size_t wanted_size, std::string& error) {
  size_t kept_size = buffer_.size() - position_;
  if (kept_size >= wanted_size) return true;
  std::move(buffer_.end() - static_cast<std::ptrdiff_t>(kept_size), buffer_.end(), buffer_.begin());
  position_ = 0;
  buffer_.resize(std::max(kBufferSize, wanted_size));
  while (kept_size < wanted_size) {
    const ssize_t count = ::read(fd_, buffer_.data() + kept_size, buffer_.size() - kept_size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      error =
          file_error("read a", folder_, count < 0 ? system_error_text(errno) : "it ends too early");
      return false;
    }
    kept_size += static_cast<size_t>(count);
  }
  buffer_.resize(kept_size);
  return true;
}

bool SortedRun::next(std::string& error) {
  if (read_size_ == size_ || !fill(kEntryHeaderSize, error)) return false;
  std::array<uint8_t, kEntryHeaderSize> header;
  std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(position_), header.size(),
              header.begin());
  ByteReader reader(header);
  const uint32_t key_size = reader.le32();
  const uint32_t record_size = reader.le32();
  if (key_size > kRunItemSizeMax || record_size > kRunItemSizeMax) {
    error = file_error("read a", folder_, "it is damaged");
    return false;
  }
  const size_t entry_size = kEntryHeaderSize + key_size + record_size;
  if (!fill(entry_size, error)) return false;
  const std::string_view entry(buffer_.data() + position_, entry_size);
  key_ = entry.substr(kEntryHeaderSize, key_size);
  record_ = entry.substr(kEntryHeaderSize + key_size);
  position_ += entry_size;
  read_size_ += entry_size;
  return true;
}

}  // namespace weir
