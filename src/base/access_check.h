// SPDX-License-Identifier: Apache-2.0
//
// Tells the address sanitizer which bytes of a pool are nobody's, so that it finds a use of what
// was freed there as it does with the heap. In other builds both do nothing. Only whole eight bytes
// are held back; a remainder is left open.
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_CHECKS_ACCESS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WEIR_CHECKS_ACCESS 1
#endif

#ifdef WEIR_CHECKS_ACCESS
#include <sanitizer/asan_interface.h>
#endif

namespace weir {

inline void forbid_access([[maybe_unused]] const void* begin,
                          [[maybe_unused]] size_t size) noexcept {
#ifdef WEIR_CHECKS_ACCESS
  __asan_poison_memory_region(begin, size);
#endif
}

inline void allow_access([[maybe_unused]] const void* begin,
                         [[maybe_unused]] size_t size) noexcept {
#ifdef WEIR_CHECKS_ACCESS
  __asan_unpoison_memory_region(begin, size);
#endif
}

}  // namespace weir
