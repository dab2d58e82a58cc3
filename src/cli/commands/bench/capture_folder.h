// SPDX-License-Identifier: Apache-2.0
//
// CaptureFolder: where a benchmark's captures lie, and how they go away again.
//
// By default a new folder in /dev/shm, so that no disk is measured, or else in TMPDIR or /tmp, the
// first with room for them; a RAM disk has room only while that much memory is free too. A folder
// the user names is used as it is: a capture that is already in it is used and stays.
//
// Threads: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir {

class CaptureFolder {
 public:
  CaptureFolder() = default;
  // Removes what was made here, unless kept.
  ~CaptureFolder();
  CaptureFolder(const CaptureFolder&) = delete;
  CaptureFolder& operator=(const CaptureFolder&) = delete;

  // A new folder in the first of `places` that has room for `size` bytes. False with one line.
  bool create(const std::vector<std::string>& places, uint64_t size, std::string& error);
  // A folder that exists, with room for `size` bytes more. False with one line.
  bool use(const std::string& path, uint64_t size, std::string& error);
  void keep() { is_kept_ = true; }
  void remove() noexcept;  // what the destructor does

  const std::string& path() const { return path_; }
  std::string path_of(const std::string& file) const { return path_ + '/' + file; }
  // Will be removed. Said before the file is made, so that one half made goes too.
  void add(const std::string& file) { files_.push_back(path_of(file)); }

 private:
  std::string path_;
  std::vector<std::string> files_;
  bool is_made_ = false;
  bool is_kept_ = false;
};

// /dev/shm, then what TMPDIR says or /tmp.
std::vector<std::string> capture_places();

}  // namespace weir
