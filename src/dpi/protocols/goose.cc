// SPDX-License-Identifier: Apache-2.0
//
// GOOSE: IEC 61850-8-1, over Ethernet (EtherType 0x88B8); and routed over UDP, R-GOOSE: IEC TR
// 61850-90-5.
//
//   Ethernet: appid 2 | size 2 | reserved 2 (bit 15: simulation) | reserved 2 | PDU
//   UDP: [01 40] A1 | size 1 | 80 | size 1 | SPDU size 4 | SPDU number 4 | version 2 | security …
//        | payload size 4 | (type 1 | simulation 1 | appid 2 | size 2 | PDU)*
//   PDU: 61 size { 80 control block · 81 time allowed to live · 82 data set · 83 id · 84 time ·
//        85 state number · 86 sequence number · 87 simulation · 88 configuration revision ·
//        89 needs commissioning · 8A entry count · AB values }    in BER
//
// A control block counts its messages from 0 in each state, and its states. Sent again in the same
// state with ever longer pauses, they are expected one by one: what is missing was lost.
//
// Not here: the values of the data set, signatures.
#include <array>

#include "dpi/wire_text.h"
#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr uint16_t kEtherType = 0x88b8;
constexpr uint16_t kPort = 102;
constexpr uint32_t kEthernetHeaderSize = 8;
constexpr uint16_t kReservedSimulation = 0x8000;
constexpr uint8_t kTagPdu = 0x61;
constexpr size_t kBlockCountMax = 12;  // control blocks of a flow whose numbers are followed
constexpr uint32_t kJumpMax = 1000;    // a larger one is a new beginning, not a loss
constexpr int kLengthSizeMax = 4;      // bytes of a BER length
constexpr size_t kIntegerSizeMax = 8;
constexpr size_t kTimeSize = 8;
constexpr int64_t kNsPerSecond = 1'000'000'000;

// Session header of R-GOOSE.
constexpr uint8_t kTransportLength = 0x01;  // ISO 8602 unit data, which some leave out
constexpr uint8_t kTransportUnitData = 0x40;
constexpr uint8_t kSessionGoose = 0xa1;
constexpr uint8_t kSessionCommonHeader = 0x80;
constexpr uint16_t kSessionVersionMax = 2;
constexpr uint32_t kSessionSecuritySize = 10;  // times of keys 6, algorithms or key 4
constexpr uint8_t kPayloadGoose = 0x81;
constexpr uint8_t kPayloadTypeMax = 0x84;
constexpr uint32_t kPayloadHeaderSize = 6;
constexpr int kPayloadCountMax = 16;  // of one datagram

enum : uint8_t {
  kAppid,
  kGocbRef,
  kDatSet,
  kGoId,
  kTime,
  kTimeAllowedToLive,
  kStNum,
  kSqNum,
  kSimulation,
  kConfRev,
  kNdsCom,
  kNumDatSetEntries,
  kMessageCount,
  kStateChangeCount,
  kLostCount,
  kDuplicateCount,
  kOutOfOrderCount,
  kRouted,
};
constexpr Attribute kAttributes[] = {
    {"goose.appid", FieldType::kU16, kAppid, Keep::kList, "Application identifier."},
    {"goose.gocb_ref", FieldType::kString, kGocbRef, Keep::kList,
     "Control block that sends the messages."},
    {"goose.dat_set", FieldType::kString, kDatSet, Keep::kList, "Data set whose values are sent."},
    {"goose.go_id", FieldType::kString, kGoId, Keep::kList, "Identifier of the messages."},
    {"goose.t", FieldType::kTime, kTime, Keep::kLast, "When the state was entered."},
    {"goose.time_allowed_to_live", FieldType::kDuration, kTimeAllowedToLive, Keep::kLast,
     "How long a receiver shall wait for the next message.", Unit::kSeconds},
    {"goose.st_num", FieldType::kU32, kStNum, Keep::kLast, "Number of the state."},
    {"goose.sq_num", FieldType::kU32, kSqNum, Keep::kLast,
     "Number of the message within its state."},
    {"goose.simulation", FieldType::kBool, kSimulation, Keep::kFirst,
     "A message is simulated, or a test; absent when none is."},
    {"goose.conf_rev", FieldType::kU32, kConfRev, Keep::kList, "Revision of the configuration."},
    {"goose.nds_com", FieldType::kBool, kNdsCom, Keep::kFirst,
     "The control block needs commissioning; absent when not."},
    {"goose.num_dat_set_entries", FieldType::kU32, kNumDatSetEntries, Keep::kList,
     "Values of a message."},
    {"goose.message_count", FieldType::kU32, kMessageCount, Keep::kCount, "Messages."},
    {"goose.state_change_count", FieldType::kU32, kStateChangeCount, Keep::kCount,
     "Messages with a new state."},
    {"goose.lost_count", FieldType::kU32, kLostCount, Keep::kCount,
     "Messages that are missing by their numbers; of a state never seen, one."},
    {"goose.duplicate_count", FieldType::kU32, kDuplicateCount, Keep::kCount,
     "Messages with the numbers of the one before."},
    {"goose.out_of_order_count", FieldType::kU32, kOutOfOrderCount, Keep::kCount,
     "Messages with older numbers than one before."},
    {"goose.routed", FieldType::kBool, kRouted, Keep::kFirst,
     "Sent over UDP (R-GOOSE); absent when over Ethernet."},
};

// The last numbers of a control block.
struct BlockNumbers {
  uint32_t key;  // hash of its name and appid
  uint32_t state;
  uint32_t sequence;
};

struct GooseState {
  std::array<BlockNumbers, kBlockCountMax> blocks;
  uint8_t block_count;
  uint8_t next_block;  // the one to forget when there is no room
};

// --- Is it GOOSE?

// At the first payload's type; false when this is no session of GOOSE.
bool read_session(ByteReader& reader) noexcept {
  ByteReader begin = reader;
  if (begin.u8() == kTransportLength && begin.u8() == kTransportUnitData) reader = begin;
  if (reader.u8() != kSessionGoose) return false;
  const uint8_t size = reader.u8();
  if (reader.u8() != kSessionCommonHeader) return false;
  const uint8_t header_size = reader.u8();
  ByteReader fields = reader;
  fields.skip(8);  // SPDU size and number
  const uint16_t version = fields.be16();
  if (!fields.ok() || version == 0 || version > kSessionVersionMax || header_size + 2 != size)
    return false;

  // Whether the header's size includes the initialisation vector, implementations disagree.
  ByteReader behind_header = reader;
  behind_header.skip(header_size);
  fields.skip(kSessionSecuritySize);
  fields.skip(fields.u8());
  for (ByteReader candidate : {behind_header, fields}) {
    const uint32_t payload_size = candidate.be32();
    ByteReader type = candidate;
    const uint8_t payload_type = type.u8();
    if (!type.ok() || payload_type < kPayloadGoose || payload_type > kPayloadTypeMax) continue;
    if (payload_size < kPayloadHeaderSize) continue;
    reader = candidate.prefix(payload_size);
    return true;
  }
  return false;
}

Probe probe(const Payload& payload) {
  if (payload.transport == kOverEthernet)
    return payload.has_port(kEtherType) ? Probe::yes() : Probe::no();
  ByteReader reader(payload.bytes);
  if (!read_session(reader)) return Probe::no();
  const uint8_t type = reader.u8();
  reader.skip(kPayloadHeaderSize - 1);
  const uint8_t tag = reader.u8();
  return type == kPayloadGoose && reader.ok() && tag == kTagPdu ? Probe::yes() : Probe::no();
}

// --- What is in it?

struct Element {
  uint8_t tag = 0;
  std::span<const uint8_t> value;
};

// Tags of GOOSE are single bytes. What is cut has what is there.
bool read_element(ByteReader& reader, Element& element) noexcept {
  element.tag = reader.u8();
  size_t size = reader.u8();
  if (size >= 0x80) {
    const int size_of_length = static_cast<int>(size & 0x7f);
    if (size_of_length == 0 || size_of_length > kLengthSizeMax) return false;
    size = 0;
    for (int index = 0; index < size_of_length; ++index) size = size << 8 | reader.u8();
  }
  if (!reader.ok()) return false;
  element.value = reader.bytes(size < reader.remaining() ? size : reader.remaining());
  return true;
}

// Unsigned numbers have a zero byte before them when their first bit is set.
uint32_t integer_of(std::span<const uint8_t> value) noexcept {
  if (value.size() > kIntegerSizeMax) return 0;
  uint64_t number = 0;
  for (const uint8_t byte : value) number = number << 8 | byte;
  return number < UINT32_MAX ? static_cast<uint32_t>(number) : UINT32_MAX;
}

// Seconds since 1970 4 | fraction 3, in 1/2^24 seconds | quality 1.
void set_time(Context& context, std::span<const uint8_t> value) noexcept {
  if (value.size() != kTimeSize) return;
  ByteReader reader(value);
  const int64_t seconds = reader.be32();
  const int64_t fraction = reader.be32() >> 8;
  context.set_time(kTime, seconds * kNsPerSecond + (fraction * kNsPerSecond >> 24));
}

// Whoever makes two blocks collide spoils their counts, no more.
uint32_t block_key(std::span<const uint8_t> name, uint16_t appid) noexcept {
  return name_hash(name, kNameHashSeed ^ appid);
}

void follow_numbers(Context& context, uint32_t key, uint32_t state_number,
                    uint32_t sequence_number) noexcept {
  GooseState& state = context.state<GooseState>();
  size_t place = 0;
  while (place < state.block_count && state.blocks[place].key != key) ++place;
  if (place == state.block_count) {
    if (state.block_count < kBlockCountMax) {
      ++state.block_count;
    } else {
      place = state.next_block;
      state.next_block = static_cast<uint8_t>((place + 1) % kBlockCountMax);
    }
    state.blocks[place] = {key, state_number, sequence_number};
    return;
  }

  BlockNumbers& last = state.blocks[place];
  const uint32_t state_step = state_number - last.state;
  const uint32_t sequence_step = sequence_number - last.sequence;
  if (state_step == 0 && sequence_step == 0) {
    context.set(kDuplicateCount, 1u);
    return;
  }
  const bool is_restart = state_number == 1 && sequence_number <= 1 && last.state > 1;
  const bool is_older =
      state_step > UINT32_MAX / 2 || (state_step == 0 && sequence_step > UINT32_MAX / 2);
  if (is_older && !is_restart) {
    context.set(kOutOfOrderCount, 1u);
    return;
  }
  last = {key, state_number, sequence_number};
  if (state_step != 0) context.set(kStateChangeCount, 1u);
  if (is_restart || state_step > kJumpMax) return;
  // Messages of a new state count from 0, of a state gone on from the last; states between had one.
  const uint32_t lost_count =
      state_step == 0 ? sequence_step - 1 : (state_step - 1) + sequence_number;
  if (lost_count > 0 && lost_count <= kJumpMax) context.set(kLostCount, lost_count);
}

// `reader` stands at the PDU's tag.
void parse_pdu(Context& context, ByteReader reader, uint16_t appid, bool is_simulated) noexcept {
  context.set(kMessageCount, 1u);
  context.set(kAppid, appid);
  bool is_simulation = is_simulated;
  Element pdu;
  uint32_t key = block_key({}, appid);
  uint32_t state_number = 0;
  uint32_t sequence_number = 0;
  bool has_sequence = false;
  if (read_element(reader, pdu) && pdu.tag == kTagPdu) {
    ByteReader fields(pdu.value);
    Element field;
    while (fields.remaining() > 0 && read_element(fields, field)) {
      switch (field.tag) {
        case 0x80:
          context.set(kGocbRef, field.value);
          key = block_key(field.value, appid);
          break;
        case 0x81:
          context.set_duration(kTimeAllowedToLive,
                               int64_t{integer_of(field.value)} * (kNsPerSecond / 1000));
          break;
        case 0x82:
          context.set(kDatSet, field.value);
          break;
        case 0x83:
          context.set(kGoId, field.value);
          break;
        case 0x84:
          set_time(context, field.value);
          break;
        case 0x85:
          state_number = integer_of(field.value);
          context.set(kStNum, state_number);
          break;
        case 0x86:
          sequence_number = integer_of(field.value);
          has_sequence = true;
          context.set(kSqNum, sequence_number);
          break;
        case 0x87:
          is_simulation = is_simulation || integer_of(field.value) != 0;
          break;
        case 0x88:
          context.set(kConfRev, integer_of(field.value));
          break;
        case 0x89:
          if (integer_of(field.value) != 0) context.set(kNdsCom, true);
          break;
        case 0x8a:
          context.set(kNumDatSetEntries, integer_of(field.value));
          break;
        default:
          break;
      }
    }
  }
  if (is_simulation) context.set(kSimulation, true);
  if (has_sequence) follow_numbers(context, key, state_number, sequence_number);
  context.end_message();
}

Parse parse_datagram(Context& context, const Payload& payload) noexcept {
  ByteReader reader(payload.bytes);
  if (!read_session(reader)) return Parse::next();
  context.set(kRouted, true);
  for (int index = 0; index < kPayloadCountMax && reader.remaining() >= kPayloadHeaderSize;
       ++index) {
    const uint8_t type = reader.u8();
    const bool is_simulated = reader.u8() != 0;
    const uint16_t appid = reader.be16();
    const uint16_t size = reader.be16();
    if (type == kPayloadGoose) parse_pdu(context, reader.prefix(size), appid, is_simulated);
    reader.skip(size < reader.remaining() ? size : reader.remaining());
  }
  return Parse::next();
}

Parse parse(Context& context, const Payload& payload) {
  if (payload.transport != kOverEthernet) return parse_datagram(context, payload);
  ByteReader reader(payload.bytes);
  const uint16_t appid = reader.be16();
  const uint16_t size = reader.be16();
  const uint16_t reserved = reader.be16();
  reader.skip(2);
  if (!reader.ok()) return Parse::next();
  // Behind the size there may be padding.
  const size_t pdu_size = size > kEthernetHeaderSize ? size - kEthernetHeaderSize : 0;
  parse_pdu(context, reader.prefix(pdu_size), appid, (reserved & kReservedSimulation) != 0);
  return Parse::next();
}

// Not the EtherType, which as a UDP port would hint at what is not ours; the probe knows it.
constexpr uint16_t kPorts[] = {kPort};

}  // namespace

extern const Protocol kGoose{
    .name = "goose",
    .help = "GOOSE of IEC 61850 over Ethernet, and R-GOOSE over UDP.",
    .transports = kOverEthernet | kOverUdp,
    .ports = kPorts,
    .attributes = kAttributes,
    .probe = probe,
    .parse = parse,
    .state_size = sizeof(GooseState),
    .every_message = true,
};

}  // namespace weir
