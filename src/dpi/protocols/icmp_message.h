// SPDX-License-Identifier: Apache-2.0
//
// What ICMP and ICMPv6 have in common: echo requests and their replies, and the packet an error
// message quotes. Each has its own rows; the indexes of the members are in the order given here.
//
// Threads: pure, but for the state of the flow; any.
#pragma once

#include <cstdint>
#include <span>

#include "dpi/number_names.h"
#include "dpi/pending_requests.h"
#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir {

inline constexpr size_t kIcmpPendingMax = 8;

struct IcmpState {
  PendingRequests<kIcmpPendingMax> pending;
};

// Indexes of the attributes both have.
struct IcmpIndexes {
  uint8_t type;
  uint8_t code;
  uint8_t id;
  uint8_t sequence;
  uint8_t data_size;
  uint8_t response_time;
  uint8_t quoted;  // behind it: src_ip, dst_ip, proto, src_port, dst_port
};

// What a version calls its types, and the codes of each; none for a type with one code only.
struct IcmpNames {
  std::span<const NumberName> types;
  std::span<const NumberName> (*codes_of)(uint8_t type) noexcept;
};

struct IcmpKind {
  uint8_t type = 0;
  uint8_t code = 0;
};

// Every message begins with type 1 | code 1 | checksum 2. False when it is not there.
bool read_icmp_kind(Context& context, const IcmpIndexes& indexes, const IcmpNames& names,
                    ByteReader& reader, IcmpKind& kind) noexcept;
// `reader` stands behind the checksum: id 2 | sequence 2 | data.
void set_icmp_echo(Context& context, const IcmpIndexes& indexes, const Payload& payload,
                   ByteReader reader, bool is_request) noexcept;
// `reader` stands at the header of the packet that is quoted, of either IP version.
void set_icmp_quoted(Context& context, const IcmpIndexes& indexes, ByteReader reader) noexcept;

}  // namespace weir
