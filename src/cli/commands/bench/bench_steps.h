// SPDX-License-Identifier: Apache-2.0
//
// The steps of a benchmark that need a process of their own, so that what the kernel accounts for
// them is theirs alone. `weir bench` starts them by `weir bench --step NAME …`; so does a script
// that measures other programs beside weir. They are no interface for people, and may change.
//
//   floor_read FILE, floor_pcap FILE   count the packets: {"packets": N}
//   make CASE FILE                     makes the capture of a case; CASE-quick makes the quick one
//   measure PROGRAM [ARGUMENT…]        runs a program, prints what it took as one JSON object
//
// Threads: one thread.
#pragma once

#include <span>
#include <string>

namespace weir {

inline constexpr std::string_view kStepOption = "--step";

// `words` are the step's name and its operands. Returns the exit code.
int run_bench_step(std::span<const std::string> words);

}  // namespace weir
