// SPDX-License-Identifier: Apache-2.0
//
// The protocols weir knows, from protocols.inc.
//
// Threads: immutable; any.
#pragma once

#include <span>

#include "weir/catalog.h"
#include "weir/protocol.h"

namespace weir {

#define PROTOCOL(definition) extern const Protocol definition;
#include "dpi/protocols.inc"
#undef PROTOCOL

// In the order of the list.
std::span<const Protocol* const> built_in_protocols();

}  // namespace weir
