// SPDX-License-Identifier: Apache-2.0
//
// MeasuredRun: one program run to its end as a child process, with what the kernel accounts for it:
// user and system time, wall time, peak of resident memory.
//
// The peak cannot be less than what this process has when it starts the child (the kernel begins
// with the memory that exec replaces), so the caller stays small: captures are made in children
// too. The child dies with this process.
//
// SIGINT and SIGTERM while an InterruptWatch lives kill the child that runs, with what it started
// (a process group of its own), and are remembered: whoever started it cleans up and ends.
//
// Threads: one InterruptWatch and one run at a time, in the main thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir {

// What a child may print on its standard output; the rest is dropped.
inline constexpr size_t kMeasuredOutputSizeMax = size_t{4} * 1024 * 1024;

struct MeasuredRun {
  std::string error;  // why it could not be started; empty otherwise
  int exit_code = 0;  // 128 + the signal that ended it
  int64_t user_ns = 0;
  int64_t system_ns = 0;
  int64_t wall_ns = 0;
  uint64_t resident_size_max = 0;
  std::string output;  // what it printed

  int64_t cpu_ns() const { return user_ns + system_ns; }
};

// `words` are the program, found in PATH unless it has a slash, and its arguments. Its standard
// error is ours; its standard input is empty.
MeasuredRun run_measured(const std::vector<std::string>& words);

class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  bool is_interrupted() const noexcept;
};

}  // namespace weir
