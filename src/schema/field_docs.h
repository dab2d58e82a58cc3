// SPDX-License-Identifier: Apache-2.0
//
// The catalogue as documents: the Markdown of docs/formats/flow_fields.md and protocols.md, which
// `weir protocols flow --markdown` and `weir protocols all --markdown` print. Written from the rows, so
// the pages cannot say anything else than the program does.
//
// Threads: pure; any.
#pragma once

#include <span>
#include <string>

#include "weir/catalog.h"

namespace weir {

// The fields of the flow record.
std::string fields_markdown(const Catalog& catalog);
// The protocols with their attributes; those of `headers` are headers of packets, and come last.
std::string protocols_markdown(const Catalog& catalog, std::span<const Protocol* const> headers);

// The type in a few words: "string", "list of address", "uint32, bytes", "count", "time, last".
std::string type_text(const Field& field);
// "udp, tcp": what the protocol runs over; empty for a header.
std::string transports_text(const Protocol& protocol);
// "443, 853"; numbers of EtherTypes in hexadecimal. Beyond `count_max` of them, "…" stands for the rest.
std::string ports_text(const Protocol& protocol, size_t count_max);
// The rows of a protocol of the catalogue as fields.
std::span<const Field> attribute_fields(const Catalog& catalog, const Protocol& protocol);

}  // namespace weir
