// SPDX-License-Identifier: Apache-2.0
//
// By how much a test does less in the sanitizers' builds, which take ten times as long.
#pragma once

#include <cstdint>

#include "base/access_check.h"

namespace weir::test {

#ifdef WEIR_CHECKS_ACCESS
inline constexpr uint32_t kScale = 10;
#else
inline constexpr uint32_t kScale = 1;
#endif

}  // namespace weir::test
