// SPDX-License-Identifier: Apache-2.0
//
// The names of link types: the words tcpdump has for them, also for those weir does not decode.
//
// Threads: immutable; any.
#pragma once

#include <cstdint>
#include <string>

namespace weir {

// "EN10MB" for 1, "USB_LINUX" for 189; empty for a number the registry does not have.
const char* link_type_name(uint16_t link_type) noexcept;

// The name, or "link-type-9999".
std::string link_type_text(uint16_t link_type);

}  // namespace weir
