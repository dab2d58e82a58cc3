// SPDX-License-Identifier: Apache-2.0
//
// The messages of protocols as JSON Lines: one object per message, with when, whose flow, between whom,
// and what the protocol found, as in the attributes of a flow (docs/formats/events.md).
//
//   {"time":"…","event":"dns","flow_id":"0001…","sender":"src","proto":"udp","src_ip":"…",…,"dns":{…}}
//
// src is the flow's initiator, as in its record; `sender` says which end the message is from.
//
// Threads: pure; any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dpi/inspector.h"
#include "filter/filter.h"
#include "weir/catalog.h"

namespace weir {

// Appends the line, with its newline. `fields`, unless empty: only these attributes.
void append_event(std::string& out, const Catalog& catalog, const MessageEvent& message,
                  std::span<const uint8_t> block, std::span<const Field* const> fields);

// What a filter may ask of a message: its attributes, and of the flow its ends, proto and app.
class EventValues final : public ValueSource {
 public:
  EventValues(const Catalog& catalog, const MessageEvent& message, std::span<const uint8_t> block);
  void value(const Field& field, Value& value) const override;

 private:
  MessageValues message_;
  FlowRecord record_;
  RecordNames names_;
};

}  // namespace weir
