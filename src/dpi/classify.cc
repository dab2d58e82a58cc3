// SPDX-License-Identifier: Apache-2.0
//
// Whose flow is it? Expectations first, then probes: of those that may have the flow by transport, first
// byte and size, the ones whose port it uses are asked first, then the others in the order of the list.
// Who refuses is not asked again. When nobody is left the flow is unknown; but every datagram, and every
// segment of a stream whose begin was not seen, is offered as if it began the flow, until the budget is
// used up. Of a stream, each side has a chance: a server's answer may tell what its client's nonsense
// does not.
#include <algorithm>

#include "dpi/inspection.h"

namespace weir {

Inspector::State::Found Inspector::State::classify(FlowDpi& flow, Inspection& inspection,
                                                   const Payload& payload, int64_t clock_ns) {
  if (inspection.halves[static_cast<size_t>(payload.side)].is_refused) return Found::kNotHere;
  if (!inspection.has_asked_table) {
    // Once in a flow's life: its ends stay what they are.
    inspection.has_asked_table = true;
    inspection.hinted = table.hinted(payload.transport, payload.receiver_port);
    inspection.hinted |= table.hinted(payload.transport, payload.sender_port);
    const uint8_t expected =
        expectations.is_empty() ? kUnknownApp : expectations.find(payload, clock_ns);
    if (expected != kUnknownApp) {
      settle_on(flow, inspection, expected, AppConfidence::kCertain, AppMethod::kExpected);
      return Found::kProtocol;
    }
  }

  Half& half = inspection.halves[static_cast<size_t>(payload.side)];
  ProtocolSet candidates = table.candidates(payload.transport, payload.bytes, payload.wire_size);
  candidates -= inspection.refused;
  ProtocolSet hinted = inspection.hinted;
  hinted &= candidates;
  candidates -= hinted;

  Payload asked = payload;
  // A super-frame has more than anybody needs to know whose it is.
  asked.bytes = payload.bytes.first(std::min<size_t>(payload.bytes.size(), kAssemblySizeMax));
  ProtocolSet undecided;
  ProtocolSet maybe;
  uint32_t need = UINT32_MAX;
  for (ProtocolSet* round : {&hinted, &candidates}) {
    for (uint8_t number = round->take_first(); number != kUnknownApp;
         number = round->take_first()) {
      const Protocol& protocol = table.protocol(number);
      asked.notes = {};
      for (size_t note = 0; protocol.keeps_notes && note < kNotesCount; ++note) {
        if (inspection.notes_of[note] != kUnknownApp && inspection.notes_of[note] != number)
          continue;
        inspection.notes_of[note] = number;
        asked.notes = inspection.notes[note];
        break;
      }
      const Probe probe = protocol.probe(asked);
      switch (probe.answer) {
        case Probe::Answer::kYes:
          settle_on(flow, inspection, number, probe.confidence,
                    inspection.is_handed_over ? AppMethod::kHandover : AppMethod::kDpi);
          return Found::kProtocol;
        case Probe::Answer::kNo:
          inspection.refused.insert(number);
          break;
        case Probe::Answer::kMore:
          need = std::min(need, probe.size);
          undecided.insert(number);
          break;
        case Probe::Answer::kMaybe:
          need = 0;
          undecided.insert(number);
          maybe.insert(number);
          break;
      }
    }
  }
  inspection.maybe = maybe;
  if (!undecided.is_empty()) {
    const auto size = static_cast<uint32_t>(payload.bytes.size());
    half.need = need == UINT32_MAX ? size + 1 : std::max(need, size + 1);
    return Found::kNothingYet;
  }
  // Nobody wants these bytes. The next datagram may be of another kind (media after STUN).
  if (payload.is_datagram() || inspection.is_midstream || payload.gap_before) {
    inspection.refused = inspection.carriers;
    return Found::kNotHere;
  }
  // What the other side answers may still tell: an error of HTTP to something that is not.
  half.is_refused = true;
  if (inspection.halves[1 - static_cast<size_t>(payload.side)].is_refused) return Found::kNobody;
  inspection.refused = inspection.carriers;
  return Found::kNotHere;
}

// The flow, or what may be looked at of it, is over and nobody was sure. Who said maybe has it if it uses
// the port: something speaks for it, and nothing against it.
void Inspector::State::settle_on_likely(FlowDpi& flow, Inspection& inspection) {
  if (inspection.transport != kOverTcp || inspection.protocol != kUnknownApp ||
      inspection.maybe.is_empty())
    return;
  ProtocolSet likely = inspection.hinted;
  likely &= inspection.maybe;
  const uint8_t number = likely.take_first();
  if (number == kUnknownApp) return;
  settle_on(flow, inspection, number, AppConfidence::kLikely,
            inspection.is_handed_over ? AppMethod::kHandover : AppMethod::kDpi);
}

void Inspector::State::settle_on(FlowDpi& flow, Inspection& inspection, uint8_t protocol,
                                 AppConfidence confidence, AppMethod method) {
  inspection.protocol = protocol;
  for (Half& half : inspection.halves) {
    half.need = 0;
    // The budget of a parser begins anew.
    half.packet_count = 0;
    half.byte_count = 0;
  }
  if (!inspection.is_handed_over) {
    flow.app = protocol;
    flow.set(confidence, method);
    ++statistics.classified_flows;
  } else if (inspection.is_upgrade) {
    if (flow.above == kUnknownApp) flow.above = protocol;
  } else {
    flow.below = flow.app;
    flow.app = protocol;
    flow.above = kUnknownApp;
    flow.set(confidence, method);
  }
}

void Inspector::State::finish_protocol(FlowDpi& flow, Inspection& inspection, int64_t clock_ns) {
  if (inspection.protocol == kUnknownApp) return;
  const Protocol& protocol = table.protocol(inspection.protocol);
  if (protocol.end != nullptr) {
    ContextState inside{*this,
                        flow,
                        inspection,
                        nullptr,
                        inspection.protocol,
                        catalog.first_attribute(inspection.protocol),
                        clock_ns,
                        nullptr};
    Context context(inside);
    protocol.end(context);
    object.depth = 0;
  }
  free_state(inspection);
}

void Inspector::State::hand_over(FlowDpi& flow, Inspection& inspection, const Parse& parse,
                                 int64_t clock_ns) {
  finish_protocol(flow, inspection, clock_ns);
  ++inspection.handover_count;
  inspection.is_handed_over = true;
  inspection.is_upgrade = !parse.is_carrier;
  inspection.carriers.insert(inspection.protocol);
  inspection.refused = inspection.carriers;
  inspection.maybe = {};  // that was said of what came before
  inspection.notes = {};
  inspection.notes_of = {};
  inspection.is_midstream = false;
  inspection.protocol = kUnknownApp;
  for (Half& half : inspection.halves) {
    half.need = 0;
    half.packet_count = 0;
    half.byte_count = 0;
    half.is_refused = false;
    drop(half.own_assembly);
  }
  const uint8_t named =
      parse.protocol.empty() ? kUnknownApp : catalog.protocol_number(parse.protocol);
  if (named != kUnknownApp)
    settle_on(flow, inspection, named, AppConfidence::kCertain, AppMethod::kHandover);
}

Parse Inspector::State::parse(FlowDpi& flow, Inspection& inspection, const Payload& payload,
                              const Segment& segment) {
  ContextState inside{*this,
                      flow,
                      inspection,
                      &payload,
                      inspection.protocol,
                      catalog.first_attribute(inspection.protocol),
                      segment.clock_ns,
                      &segment};
  Context context(inside);
  const Parse result = table.protocol(inspection.protocol).parse(context, payload);
  object.depth = 0;
  // What was found without a message of its own is one. What was found in an incomplete one is kept in
  // the flow, but is no event: it will be found again, and the next payload may be another flow's.
  if (result.answer == Parse::Answer::kNeed)
    events.bytes.resize(message_begin);
  else if (events.bytes.size() > message_begin)
    end_message(inside);
  return result;
}

bool Inspector::State::take_datagram(FlowDpi& flow, Inspection& inspection,
                                     const Segment& segment) {
  if (segment.payload.bytes.empty()) return true;
  Payload payload = segment.payload;
  const Half& half = inspection.halves[static_cast<size_t>(payload.side)];
  payload.index = half.packet_count;
  if (inspection.protocol == kUnknownApp) {
    const Found found = classify(flow, inspection, payload, segment.clock_ns);
    if (found != Found::kProtocol) return found != Found::kNobody;
    if (table.protocol(inspection.protocol).parse == nullptr) return false;
  }
  // A handover has the next datagram, not the rest of this one.
  const Parse result = parse(flow, inspection, payload, segment);
  switch (result.answer) {
    case Parse::Answer::kNext:
    case Parse::Answer::kNeed:
      return true;
    case Parse::Answer::kDone:
      return false;
    case Parse::Answer::kError:
      note_error(inspection.protocol, result.reason);
      // One damaged datagram says nothing of the next.
      return table.protocol(inspection.protocol).every_message;
    case Parse::Answer::kHandover:
      if (inspection.handover_count == kHandoverCountMax) return false;
      hand_over(flow, inspection, result, segment.clock_ns);
      return inspection.protocol == kUnknownApp ||
             table.protocol(inspection.protocol).parse != nullptr;
  }
  return false;
}

}  // namespace weir
