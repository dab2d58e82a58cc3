// SPDX-License-Identifier: Apache-2.0
//
// What a protocol may do while it parses (weir/protocol.h, Context).
#include <algorithm>

#include "dpi/inspection.h"
#include "weir/attribute_block.h"
#include "weir/byte_reader.h"

namespace weir {
namespace {

// Numbers without leading zero bytes, but at least one byte.
std::span<const uint8_t> encode_number(uint64_t number, std::array<uint8_t, 8>& bytes) {
  size_t size = 0;
  do {
    bytes[size++] = static_cast<uint8_t>(number);
    number >>= 8;
  } while (number != 0);
  return std::span<const uint8_t>(bytes).first(size);
}

std::span<const uint8_t> encode_number_whole(uint64_t number, std::array<uint8_t, 8>& bytes) {
  for (size_t at = 0; at < 8; ++at) bytes[at] = static_cast<uint8_t>(number >> 8 * at);
  return bytes;
}

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {static_cast<const uint8_t*>(static_cast<const void*>(text.data())), text.size()};
}

// The header of an entry (weir/attribute_block.h).
std::array<uint8_t, kEntryHeaderSize> entry_header(uint16_t number, size_t size) {
  return {static_cast<uint8_t>(number), static_cast<uint8_t>(number >> 8),
          static_cast<uint8_t>(size), static_cast<uint8_t>(size >> 8)};
}

}  // namespace

void Inspector::State::put(ContextState& context, uint8_t index, std::span<const uint8_t> value) {
  const auto number = static_cast<uint16_t>(context.first_attribute + index);
  const Field& field = *catalog.attribute(number);
  DASSERT(index < table.protocol(context.protocol).attributes.size());
  const size_t size_max = field.type == FieldType::kObject ? kObjectSizeMax : kAttributeSizeMax;
  if (value.size() > size_max) {
    count(Limit::kAttributes);
    value = value.first(size_max);
  }
  if (object.depth > 0) {
    if (object.is_lost || object.size + kEntryHeaderSize + value.size() > kObjectSizeMax) {
      object.is_lost = true;
      return;
    }
    const auto header = entry_header(number, value.size());
    std::ranges::copy(header, object.bytes.begin() + static_cast<std::ptrdiff_t>(object.size));
    object.size += header.size();
    std::ranges::copy(value, object.bytes.begin() + static_cast<std::ptrdiff_t>(object.size));
    object.size += value.size();
    return;
  }
  if (field.names_service && context.flow.service == kNoService && !value.empty()) {
    const std::string_view host(static_cast<const char*>(static_cast<const void*>(value.data())),
                                value.size());
    context.flow.service = catalog.service_of(host);
  }
  const bool is_stored = options.stored.empty() || options.stored[number];
  if (!is_stored && !options.events_are_whole) return;
  if (options.events.contains(context.protocol) && context.payload != nullptr) {
    if (events.bytes.size() - message_begin + kEntryHeaderSize + value.size() <= kMessageSizeMax) {
      const auto header = entry_header(number, value.size());
      events.bytes.insert(events.bytes.end(), header.begin(), header.end());
      events.bytes.insert(events.bytes.end(), value.begin(), value.end());
    } else {
      count(Limit::kAttributes);
    }
  }
  if (!is_stored) return;
  if (!store.put(context.flow.attributes, field, value)) count(Limit::kAttributes);
}

// Entries of a message as those of a record are: sorted by number, those of one number in order; of what
// is no list, the value its row says is kept.
void Inspector::State::end_message(ContextState& context) {
  const std::span<uint8_t> message = std::span<uint8_t>(events.bytes).subspan(message_begin);
  struct Place {
    uint16_t number;
    uint16_t offset;
    uint16_t size;
  };
  constexpr size_t kPlaceCountMax = kMessageSizeMax / kEntryHeaderSize;
  std::array<Place, kPlaceCountMax> places;
  std::array<uint8_t, kMessageSizeMax> sorted;
  size_t place_count = 0;
  size_t offset = 0;
  bool is_ready = true;  // each number greater than the one before
  AttributeEntry entry;
  for (AttributeReader reader(message); reader.next(entry) && place_count < kPlaceCountMax;) {
    const size_t size = kEntryHeaderSize + entry.value.size();
    places[place_count] = {entry.number, static_cast<uint16_t>(offset),
                           static_cast<uint16_t>(size)};
    is_ready = is_ready && (place_count == 0 || places[place_count - 1].number < entry.number);
    ++place_count;
    offset += size;
  }
  if (!is_ready) {
    const std::span<Place> all = std::span<Place>(places).first(place_count);
    std::ranges::sort(all, [](const Place& x, const Place& y) {
      return x.number != y.number ? x.number < y.number : x.offset < y.offset;
    });
    size_t at = 0;
    for (size_t first = 0, end = 0; first < all.size(); first = end) {
      while (end < all.size() && all[end].number == all[first].number) ++end;
      const Keep keep = catalog.attribute(all[first].number)->keep;
      std::span<const Place> kept = all.subspan(first, end - first);
      if (keep == Keep::kFirst) kept = kept.first(1);
      if (keep == Keep::kLast || keep == Keep::kCount) kept = kept.last(1);
      const size_t begin = at;
      for (const Place& place : kept) {
        const auto from = message.begin() + place.offset;
        std::copy(from, from + place.size, sorted.begin() + static_cast<std::ptrdiff_t>(at));
        at += place.size;
      }
      if (keep != Keep::kCount || end - first == 1) continue;
      uint64_t sum = 0;
      for (const Place& place : all.subspan(first, end - first))
        sum += ByteReader(message.subspan(place.offset + kEntryHeaderSize)).le64();
      std::array<uint8_t, 8> bytes;
      encode_number_whole(sum, bytes);
      std::ranges::copy(bytes,
                        sorted.begin() + static_cast<std::ptrdiff_t>(begin + kEntryHeaderSize));
    }
    std::copy_n(sorted.begin(), at, message.begin());
    events.bytes.resize(message_begin + at);
  }
  const Payload& payload = *context.payload;
  MessageEvent& event = events.messages.emplace_back();
  event.flow_id = context.segment->flow_id;
  event.frame_number = context.segment->frame_number;
  event.proto_number = context.segment->proto_number;
  event.source = context.segment->source;
  event.ts_ns = payload.ts_ns;
  event.protocol = context.protocol;
  event.side = payload.side;
  event.address_kind = payload.address_kind;
  event.has_ports = (payload.transport & (kOverTcp | kOverUdp | kOverSctp)) != 0;
  event.sender_port = payload.sender_port;
  event.receiver_port = payload.receiver_port;
  event.sender = payload.sender;
  event.receiver = payload.receiver;
  event.offset = message_begin;
  event.size = static_cast<uint32_t>(events.bytes.size() - message_begin);
  message_begin = static_cast<uint32_t>(events.bytes.size());
}

void* Inspector::State::state_bytes(Inspection& inspection, uint8_t protocol) noexcept {
  const uint32_t size = table.protocol(protocol).state_size;
  if (inspection.state == kNoHandle) {
    const bool is_small = size <= kSmallStateSize;
    const uint32_t slot = is_small ? small_states.allocate() : full_states.allocate();
    if (slot == kNoSlot) {
      // Without a state of its own the protocol gets one that forgets.
      count(Limit::kDpiFlows);
      spare_state.bytes = {};
      return spare_state.bytes.data();
    }
    inspection.state = is_small ? slot : slot | kFullBit;
    if (is_small) {
      small_states[slot].bytes = {};
    } else {
      full_states[slot].bytes = {};
    }
  }
  if ((inspection.state & kFullBit) != 0)
    return full_states[inspection.state & ~kFullBit].bytes.data();
  return small_states[inspection.state].bytes.data();
}

void Inspector::State::free_state(Inspection& inspection) noexcept {
  if (inspection.state == kNoHandle) return;
  if ((inspection.state & kFullBit) != 0) {
    full_states.free(inspection.state & ~kFullBit);
  } else {
    small_states.free(inspection.state);
  }
  inspection.state = kNoHandle;
}

void* Context::state_of(size_t size) noexcept {
  DASSERT(size <= inside_.inspector.table.protocol(inside_.protocol).state_size);
  (void)size;
  return inside_.inspector.state_bytes(inside_.inspection, inside_.protocol);
}

bool Context::subscribed(uint8_t index) const noexcept {
  const Inspector::State& state = inside_.inspector;
  if (state.options.stored.empty()) return true;
  if (state.options.events_are_whole && state.options.events.contains(inside_.protocol))
    return true;
  return state.options.stored[inside_.first_attribute + size_t{index}];
}

void Context::set_number(uint8_t index, uint64_t value) noexcept {
  std::array<uint8_t, 8> bytes;
  const uint16_t number = static_cast<uint16_t>(inside_.first_attribute + index);
  const bool is_count = inside_.inspector.catalog.attribute(number)->keep == Keep::kCount;
  inside_.inspector.put(inside_, index,
                        is_count ? encode_number_whole(value, bytes) : encode_number(value, bytes));
}

void Context::set(uint8_t index, std::string_view text) noexcept {
  inside_.inspector.put(inside_, index, bytes_of(text));
}

void Context::set(uint8_t index, std::span<const uint8_t> bytes) noexcept {
  inside_.inspector.put(inside_, index, bytes);
}

void Context::set_time(uint8_t index, int64_t ns_since_1970) noexcept {
  std::array<uint8_t, 8> bytes;
  inside_.inspector.put(inside_, index,
                        encode_number_whole(static_cast<uint64_t>(ns_since_1970), bytes));
}

void Context::set_duration(uint8_t index, int64_t ns) noexcept {
  set_time(index, ns);
}

void Context::begin_object(uint8_t index) noexcept {
  ObjectBuilder& object = inside_.inspector.object;
  const auto number = static_cast<uint16_t>(inside_.first_attribute + index);
  if (object.depth == 0) {
    object.size = 0;
    object.is_lost = false;
  }
  if (object.depth < kNestingMax) {
    const auto begin = static_cast<uint16_t>(object.size);
    object.levels[object.depth] = {number, begin};
    if (object.depth > 0) {
      if (object.size + kEntryHeaderSize > kObjectSizeMax) {
        object.is_lost = true;
      } else {
        object.size += kEntryHeaderSize;
      }
    }
  } else {
    object.is_lost = true;
  }
  ++object.depth;
}

void Context::end_object() noexcept {
  ObjectBuilder& object = inside_.inspector.object;
  DASSERT(object.depth > 0);
  --object.depth;
  if (object.is_lost) {
    if (object.depth == 0) inside_.inspector.count(Limit::kAttributes);
    return;
  }
  const ObjectBuilder::Level& level = object.levels[object.depth];
  if (object.depth > 0) {
    const size_t size = object.size - level.begin - kEntryHeaderSize;
    const auto header = entry_header(level.number, size);
    std::ranges::copy(header, object.bytes.begin() + level.begin);
    return;
  }
  inside_.inspector.put(inside_, static_cast<uint8_t>(level.number - inside_.first_attribute),
                        std::span<const uint8_t>(object.bytes).first(object.size));
}

void Context::end_message() noexcept {
  Inspector::State& state = inside_.inspector;
  if (inside_.payload != nullptr && state.events.bytes.size() > state.message_begin)
    state.end_message(inside_);
}

std::span<uint8_t> Context::scratch(size_t size) noexcept {
  return inside_.inspector.scratch.allocate(size);
}

std::span<const uint8_t> Context::assemble(Side side, uint64_t offset,
                                           std::span<const uint8_t> piece) noexcept {
  Inspector::State& state = inside_.inspector;
  uint32_t& assembly = inside_.inspection.halves[static_cast<size_t>(side)].own_assembly;
  if (!state.insert(assembly, offset, piece)) state.count(Limit::kDpiAssembly);
  return state.prefix(assembly);
}

void Context::drop_assembly(Side side) noexcept {
  inside_.inspector.drop(inside_.inspection.halves[static_cast<size_t>(side)].own_assembly);
}

void Context::expect(const Expectation& expectation) noexcept {
  Inspector::State& state = inside_.inspector;
  const uint8_t protocol = state.catalog.protocol_number(expectation.protocol);
  if (protocol == kUnknownApp || inside_.payload == nullptr) return;
  state.expectations.add(*inside_.payload, expectation.transport, expectation.port, protocol,
                         inside_.clock_ns);
}

bool Context::may_decrypt() noexcept {
  constexpr int64_t kSecondNs = 1'000'000'000;
  Inspector::State& state = inside_.inspector;
  const int64_t second = inside_.clock_ns / kSecondNs;
  if (second != state.decryption_second) {
    state.decryption_second = second;
    state.decryption_count = 0;
  }
  if (state.decryption_count == state.options.decryptions_per_second_max) {
    state.count(Limit::kDecryptions);
    return false;
  }
  ++state.decryption_count;
  return true;
}

void Context::set_confidence(AppConfidence confidence) noexcept {
  FlowDpi& flow = inside_.flow;
  if (flow.app == inside_.protocol) flow.set(confidence, flow.method());
}

int64_t Context::clock_ns() const noexcept {
  return inside_.clock_ns;
}

}  // namespace weir
