// SPDX-License-Identifier: Apache-2.0
//
// ASSERT states what is a bug if false; it is always on. DASSERT is for places hit per packet: on
// in debug builds. Neither is ever for input: malformed input gets a reason, a user's mistake gets
// a message.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace weir {

// Aborts; the program turns that into exit code 70, "an invariant broke" (main.cc, docs/operations.md).
[[noreturn]] inline void assert_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "weir: bug: %s does not hold at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace weir

#define ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::weir::assert_failed(#condition, __FILE__, __LINE__))
#ifdef NDEBUG
#define DASSERT(condition) static_cast<void>(0)
#else
#define DASSERT(condition) ASSERT(condition)
#endif
