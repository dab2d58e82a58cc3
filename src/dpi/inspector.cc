// SPDX-License-Identifier: Apache-2.0
#include "dpi/inspector.h"

#include <new>

#include "dpi/inspection.h"

namespace weir {

Inspector::State::State(const ProtocolTable& protocol_table,
                        const InspectorOptions& inspector_options, MemoryPool& pool)
    : table(protocol_table),
      catalog(protocol_table.catalog()),
      options(inspector_options),
      inspections(options.inspection_count_max, pool),
      small_assemblies(options.assembly_count_max, pool),
      full_assemblies(options.assembly_count_max, pool),
      small_states(options.inspection_count_max, pool),
      full_states(options.inspection_count_max, pool),
      store(options.attributes_count_max, pool),
      expectations(options.expectation_count_max) {}

Inspector::Inspector(const ProtocolTable& table, const InspectorOptions& options, MemoryPool& pool)
    : state_(std::make_unique<State>(table, options, pool)) {}

Inspector::~Inspector() = default;

void Inspector::maintain() noexcept {
  constexpr uint32_t kSome = 64;  // as many as a burst has packets
  constexpr uint32_t kFew = 8;
  state_->inspections.prepare(kSome);
  state_->small_states.prepare(kSome);
  state_->full_states.prepare(kSome);
  state_->small_assemblies.prepare(kFew);
  state_->full_assemblies.prepare(kFew);
  state_->store.prepare(kSome);
}

bool Inspector::wants(Transport transport) const noexcept {
  return !state_->table.over(transport).is_empty() || !state_->expectations.is_empty();
}

bool Inspector::State::begin(FlowDpi& flow, const Segment& segment) {
  const uint32_t slot = inspections.allocate();
  if (slot == kNoSlot) {
    count(Limit::kDpiFlows);
    return false;
  }
  flow.inspection = slot;
  Inspection& inspection = inspections[slot];
  inspection = Inspection{};
  for (Half& half : inspection.halves) half.assembly = half.own_assembly = kNoHandle;
  inspection.state = kNoHandle;
  inspection.transport = segment.payload.transport;
  ++statistics.inspected_flows;
  return true;
}

// Nothing more of this flow: protocols hear of it, memory goes back.
void Inspector::State::close(FlowDpi& flow, int64_t clock_ns) {
  if (flow.inspection == kNoInspection) return;
  Inspection& inspection = inspections[flow.inspection];
  settle_on_likely(flow, inspection);
  finish_protocol(flow, inspection, clock_ns);
  for (Half& half : inspection.halves) {
    drop(half.assembly);
    drop(half.own_assembly);
  }
  inspections.free(flow.inspection);
  flow.inspection = kNoInspection;
}

void Inspector::State::note_error(uint8_t protocol, const char* reason) noexcept {
  statistics.add_error(catalog.app_name(protocol), reason, 1);
}

bool Inspector::State::is_over_budget(const Inspection& inspection) const noexcept {
  const Half& one = inspection.halves[0];
  const Half& two = inspection.halves[1];
  if (inspection.protocol == kUnknownApp) {
    const auto is_over = [](const Half& half) {
      return half.packet_count >= kClassifyPacketsMax || half.byte_count >= kClassifySizeMax;
    };
    return is_over(one) || is_over(two);
  }
  if (table.protocol(inspection.protocol).every_message) return false;
  return uint32_t{one.packet_count} + two.packet_count >= kExtractPacketsMax ||
         one.byte_count + two.byte_count >= kExtractSizeMax;
}

bool Inspector::inspect(FlowDpi& flow, const Segment& segment) noexcept {
  State& state = *state_;
  bool goes_on = false;
  try {
    if (flow.inspection == kNoInspection && !state.begin(flow, segment)) return false;
    Inspection& inspection = state.inspections[flow.inspection];
    ++state.statistics.inspected_packets;
    const size_t side = static_cast<size_t>(segment.payload.side);
    if (!inspection.has_first_side) {
      inspection.has_first_side = true;
      inspection.first_side = static_cast<uint8_t>(side);
    }
    goes_on = segment.payload.transport == kOverTcp
                  ? state.take_stream(flow, inspection, segment)
                  : state.take_datagram(flow, inspection, segment);
    Half& half = inspection.halves[side];
    if (half.packet_count < UINT16_MAX) ++half.packet_count;
    half.byte_count += std::min<uint32_t>(static_cast<uint32_t>(segment.payload.bytes.size()),
                                          UINT32_MAX - half.byte_count);
    goes_on = goes_on && !state.is_over_budget(inspection);
  } catch (const std::bad_alloc&) {
    ++state.statistics.refused;
    goes_on = false;
  }
  if (!goes_on) stop(flow, segment.clock_ns);
  state.scratch.reset();
  DASSERT(state.scratch.is_empty());
  return goes_on;
}

void Inspector::stop(FlowDpi& flow, int64_t clock_ns) noexcept {
  try {
    state_->close(flow, clock_ns);
  } catch (const std::bad_alloc&) {
    ++state_->statistics.refused;
  }
  state_->scratch.reset();
}

void Inspector::keep(FlowDpi& flow, uint16_t attribute, std::span<const uint8_t> value) noexcept {
  State& state = *state_;
  if (!state.options.stored.empty() && !state.options.stored[attribute]) return;
  if (!state.store.put(flow.attributes, *state.catalog.attribute(attribute), value))
    state.count(Limit::kAttributes);
}

void Inspector::end(FlowDpi& flow, int64_t clock_ns) noexcept {
  stop(flow, clock_ns);
}

void Inspector::release(FlowDpi& flow) noexcept {
  state_->store.release(flow.attributes);
}

std::span<const uint8_t> Inspector::attributes(const FlowDpi& flow) const noexcept {
  return state_->store.block(flow.attributes);
}

void Inspector::fill(const FlowDpi& flow, FlowRecord& record) const {
  record.app = flow.app;
  record.app_confidence = flow.confidence();
  record.app_method = flow.method();
  record.service = flow.service;
  record.app_path = flow.path();
  if (const std::span<const uint8_t> block = attributes(flow); !block.empty())
    record.attributes = AttributeBytes(block);
  if (flow.app != kUnknownApp || !state_->options.guesses_by_port || !record.has_ports) return;
  if (record.src.total.payload_bytes + record.dst.total.payload_bytes == 0) return;
  if (is_link_address(record.address_kind)) return;
  const Transport transport = record.proto_number == 6    ? kOverTcp
                              : record.proto_number == 17 ? kOverUdp
                                                          : kOverIp;
  if (transport == kOverIp) return;
  for (const uint16_t port : {record.dst.port, record.src.port}) {
    const uint8_t guess = state_->table.hinted(transport, port).take_first();
    if (guess == kUnknownApp) continue;
    record.app = guess;
    record.app_confidence = AppConfidence::kGuess;
    record.app_method = AppMethod::kPort;
    return;
  }
}

void Inspector::want_events(uint8_t protocol) noexcept {
  state_->options.events.insert(protocol);
}

void Inspector::want_stored(uint16_t attribute) {
  if (!state_->options.stored.empty()) state_->options.stored[attribute] = true;
}

void Inspector::take_events(Events& events) noexcept {
  DASSERT(events.messages.empty());
  std::swap(events, state_->events);
  state_->events.clear();
  state_->message_begin = 0;
}

const Events& Inspector::events() const noexcept {
  return state_->events;
}

void Inspector::add_statistics(Statistics& statistics) const noexcept {
  statistics.dpi += state_->statistics;
  statistics.dpi.scratch_size_max = kScratchSizeMax;
  statistics.dpi.scratch_high_water =
      std::max(statistics.dpi.scratch_high_water, uint64_t{state_->scratch.used_size_max()});
  for (size_t limit = 0; limit < kLimitCount; ++limit)
    statistics.limits_hit[limit] += state_->limits[limit];
  statistics.limits_hit[static_cast<size_t>(Limit::kExpectations)] +=
      state_->expectations.displaced_count();
}

const Catalog& Inspector::catalog() const noexcept {
  return state_->catalog;
}

uint64_t Inspector::held_count() const noexcept {
  const State& state = *state_;
  return uint64_t{state.inspections.used_count()} + state.small_assemblies.used_count() +
         state.full_assemblies.used_count() + state.small_states.used_count() +
         state.full_states.used_count() + state.store.used_count();
}

}  // namespace weir
