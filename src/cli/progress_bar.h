// SPDX-License-Identifier: Apache-2.0
//
// ProgressBar: one line on a terminal that says how far a long run is, erased at the end:
//
//   [#############-----------------]  43 %  1.2 GB of 2.9 GB  410 MB/s  4.1 s left
//
// Appears only after a second, so short runs stay silent, and is drawn at most ten times a second.
// When the total is not known (standard input) it says what was read and how fast.
//
// Threads: one thread.
#pragma once

#include <cstdint>
#include <string>

namespace weir {

// The line for a run that has lasted elapsed_ns; total_bytes 0: unknown. At most 79 columns.
std::string progress_line(uint64_t done_bytes, uint64_t total_bytes, int64_t elapsed_ns);

class ProgressBar {
 public:
  // Draws to stderr when is_enabled; total_bytes 0: unknown.
  ProgressBar(bool is_enabled, uint64_t total_bytes);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  bool is_enabled() const { return is_enabled_; }
  void update(uint64_t done_bytes);
  // Takes the line off the terminal: before anything else is printed, and at the end.
  void erase();

 private:
  bool is_enabled_;
  bool is_drawn_ = false;
  uint64_t total_bytes_;
  int64_t start_ns_;
  int64_t next_draw_ns_;
};

}  // namespace weir
