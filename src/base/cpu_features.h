// SPDX-License-Identifier: Apache-2.0
//
// What the processor can do beyond what weir is compiled for. Asked once, when an object is built
// that then keeps to one of several versions of a function, each of which gives the same answer or,
// where it may differ (a keyed hash), an equally good one. Nothing but the processor decides.
#pragma once

// Whether functions compiled for AES instructions can be part of this build at all.
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define WEIR_X86_KERNELS 1
#else
#define WEIR_X86_KERNELS 0
#endif

namespace weir {

// AES-NI, and the SSE up to 4.2 that every processor with it has.
inline bool has_aes() noexcept {
#if WEIR_X86_KERNELS
  return __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.2");
#else
  return false;
#endif
}

// The value itself. If it is read from memory for this, then by a load of its own.
template <typename T>
inline T loaded_alone(T value) noexcept {
  asm("" : "+r"(value));
  return value;
}

}  // namespace weir
