// SPDX-License-Identifier: Apache-2.0
//
// What the paths on a command line stand for: a folder stands for the captures in it, everything
// else for itself.
//
// A folder is walked depth first, names in order of their bytes, so the order is the same on every
// machine. A file in it is taken if its first bytes are those of a capture (capture_format.h),
// whatever it is called; everything that is not taken is listed with the reason. Hidden entries are
// skipped, links are followed except to a folder that was walked already, and FIFOs and devices are
// not opened.
//
// Other arguments are not looked at here: a file that is missing or no capture is reported when its
// turn comes, and a FIFO or standard input cannot be looked at without taking from it.
//
// Threads: functions without state.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weir {

// A file's ordinal has 16 bits in the flow id.
inline constexpr size_t kInputFileCountMax = 65'535;
// Folders within folders.
inline constexpr size_t kFolderDepthMax = 16;
// Entries that are looked at in one call.
inline constexpr size_t kFolderEntryCountMax = 1'000'000;

struct SkippedPath {
  std::string path;
  std::string reason;  // "is empty, not a capture file"
  bool operator==(const SkippedPath&) const = default;
};

// What became of one argument that is a folder.
struct InputFolder {
  std::string path;  // as given
  size_t taken_count = 0;
  std::vector<SkippedPath> skipped;
};

struct InputFiles {
  std::vector<std::string> files;    // in the order of the arguments
  std::vector<InputFolder> folders;  // the folders among the arguments
};

// False and one line in `error` when there are more files than a run can have.
bool expand_inputs(std::span<const std::string> paths, InputFiles& out, std::string& error);

}  // namespace weir
