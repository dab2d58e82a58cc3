// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench/capture_folder.h"

#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "base/assert.h"
#include "base/text.h"
#include "cli/user_message.h"
#include "export/output_stream.h"

namespace weir {
namespace {

// Memory that stays free beside captures in a RAM disk: for making them, and for who reads them.
constexpr uint64_t kMemoryReserve = uint64_t{2} * 1024 * 1024 * 1024;

// Bytes the kernel says can be had without swapping; 0 when it does not say.
uint64_t available_memory_size() {
  std::ifstream lines("/proc/meminfo");
  std::string word;
  while (lines >> word) {
    uint64_t kibibytes = 0;
    if (word == "MemAvailable:" && lines >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

// Bytes that fit in the folder; false with errno when it cannot be asked.
bool find_room(const std::string& path, uint64_t& room) {
  struct statfs status = {};
  if (statfs(path.c_str(), &status) != 0 || access(path.c_str(), W_OK) != 0) return false;
  room = static_cast<uint64_t>(status.f_bavail) * static_cast<uint64_t>(status.f_bsize);
  if (status.f_type == TMPFS_MAGIC) {
    const uint64_t memory = available_memory_size();
    room = std::min(room, memory - std::min(memory, kMemoryReserve));
  }
  return true;
}

std::string size_text(uint64_t size) {
  std::string text;
  append_bytes_human(text, size);
  return text;
}

}  // namespace

CaptureFolder::~CaptureFolder() {
  remove();
}

void CaptureFolder::remove() noexcept {
  if (is_kept_) return;
  for (const std::string& file : files_) unlink(file.c_str());
  if (is_made_) rmdir(path_.c_str());
  files_.clear();
  is_made_ = false;
}

bool CaptureFolder::create(const std::vector<std::string>& places, uint64_t size,
                           std::string& error) {
  ASSERT(path_.empty());
  std::string found;
  for (const std::string& place : places) {
    uint64_t room = 0;
    const bool is_there = find_room(place, room);
    if (is_there && room >= size) {
      std::string pattern = place + "/weir-bench-XXXXXX";
      if (mkdtemp(pattern.data()) != nullptr) {
        path_ = pattern;
        is_made_ = true;
        return true;
      }
    }
    found += (found.empty() ? "" : ", ") + printable(place) + " has ";
    found += is_there ? "room for " + size_text(room) : system_error_text(errno);
  }
  error = "the captures take " + size_text(size) + ": " + found +
          "; name another place with --folder, or measure less with --only or --quick";
  return false;
}

bool CaptureFolder::use(const std::string& path, uint64_t size, std::string& error) {
  ASSERT(path_.empty());
  uint64_t room = 0;
  if (!find_room(path, room)) {
    error = printable(path) + ": " + system_error_text(errno);
    return false;
  }
  if (room < size) {
    error = printable(path) + ": expected room for " + size_text(size) + " of captures, got " +
            size_text(room);
    return false;
  }
  path_ = path;
  return true;
}

std::vector<std::string> capture_places() {
  const char* const temporary = getenv("TMPDIR");
  const bool is_set = temporary != nullptr && *temporary != '\0';
  return {"/dev/shm", is_set ? temporary : "/tmp"};
}

}  // namespace weir
