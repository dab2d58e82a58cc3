// SPDX-License-Identifier: Apache-2.0
//
// The exit codes of weir. There are no others.
//
// Done is also: a capture that is damaged (a warning, unless --strict), a run stopped by a signal,
// and results whose reader went away (weir read x | head).
#pragma once

namespace weir {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailure = 1;  // at run time: a file cannot be read, a disk is full
inline constexpr int kExitUsage = 2;    // the command line or the configuration is wrong
inline constexpr int kExitBug = 70;     // an invariant broke: the accounting does not balance

}  // namespace weir
