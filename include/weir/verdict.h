// SPDX-License-Identifier: Apache-2.0
//
// Verdict: what became of a frame. Exactly one per frame, always; verdicts.inc is the list.
//
// Identities: delivered = decoded + ignored + errors + shed, where a frame
// that was understood but has no flow (class unflowed) counts as decoded too: decoded = Σ packets
// of flows + unflowed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

enum class VerdictClass : uint8_t { kDecoded, kIgnored, kErrors, kShed, kUnflowed };

enum class Verdict : uint8_t {
#define VERDICT(enumerator, verdict_class, reason, help) enumerator,
#include "weir/verdicts.inc"
#undef VERDICT
};
inline constexpr size_t kVerdictCount = 0
#define VERDICT(enumerator, verdict_class, reason, help) +1
#include "weir/verdicts.inc"
#undef VERDICT
    ;

struct VerdictName {
  VerdictClass verdict_class;
  const char* reason;  // the word in --stats and metrics
  const char* help;    // one sentence for people
};

// Never null; valid for the life of the program.
const VerdictName& verdict_name(Verdict verdict) noexcept;
const char* verdict_class_name(VerdictClass verdict_class) noexcept;  // "decoded", "ignored", …

// The header a frame's decoding reached: where a verdict happened, and the steps of a flow's
// `path`.
enum class Layer : uint8_t {
#define LAYER(enumerator, name, help) enumerator,
#include "weir/layers.inc"
#undef LAYER
};
inline constexpr size_t kLayerCount = 0
#define LAYER(enumerator, name, help) +1
#include "weir/layers.inc"
#undef LAYER
    ;

const char* layer_name(Layer layer) noexcept;
const char* layer_help(Layer layer) noexcept;

}  // namespace weir
