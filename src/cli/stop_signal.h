// SPDX-License-Identifier: Apache-2.0
//
// SIGINT and SIGTERM: the first asks the input to stop, so that the command drains and prints what
// there is; the second ends the process at once (exit code 1).
//
// Threads: one StopSignal at a time, made and destroyed by the main thread.
#pragma once

#include "capture/input.h"

namespace weir {

class StopSignal {
 public:
  explicit StopSignal(Input& input);
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool has_arrived() const noexcept;
};

}  // namespace weir
