// SPDX-License-Identifier: Apache-2.0
//
// Protocol: the contract between weir and one application protocol. A protocol is one file: comment,
// constants, attribute rows, probe, parse, definition; and one line in dpi/protocols.inc, or one
// CatalogBuilder::add() in a program that embeds weir. It knows nothing of flow tables, stores or SQL.
//
// The life of a flow's payload:
//   1. While a flow is unclassified, each protocol that may have it is asked: probe(). Which those are,
//      transport, first byte and size say; a port only decides who is asked first. A protocol that
//      refuses once is not asked again.
//   2. The first that says yes has the flow: its app. parse() then sees the payload from the begin, both
//      directions in the order they came, until it says done, its budget is used up (kEveryMessage has
//      none), or the flow ends: end().
//   3. After that the flow's packets are only counted.
//
// Streams (TCP) come in order and without what was sent twice. A parser sees all bytes of one direction
// that are there and not consumed; nothing is copied unless a message is incomplete. What was lost, or
// came too late, is a gap: the next payload says so. Datagrams come one by one, as captured.
//
// Errors: bytes a protocol cannot make sense of are an answer (Parse::error), counted by reason; never
// an exception.
// Threads: probe, parse and end of one flow run on one thread; those of several flows on several. A
// protocol has no mutable globals: what it remembers is in its state.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "weir/field.h"
#include "weir/flow_record.h"

namespace weir {

inline constexpr uint32_t kProtocolStateSizeMax = 256;
inline constexpr uint32_t kProbeNotesSize = 24;
inline constexpr uint32_t kAssemblySizeMax = 16 * 1024;  // bytes of one direction waiting for more

enum class Side : uint8_t { kInitiator = 0, kResponder = 1 };
constexpr Side other(Side side) noexcept {
  return side == Side::kInitiator ? Side::kResponder : Side::kInitiator;
}

// What a protocol runs over. Bits, so that one may run over several.
enum Transport : uint8_t {
  kOverTcp = 1,
  kOverUdp = 2,
  kOverSctp = 4,
  kOverIcmp = 8,       // ICMP and ICMPv6; the payload begins with the ICMP header
  kOverEthernet = 16,  // `ports` are EtherTypes, if it runs over nothing else
  kOverIp = 32,        // `ports` are IP protocol numbers
};

// Bytes above the transport, and where they are from.
struct Payload {
  std::span<const uint8_t> bytes;  // what was captured; of a stream, what is there and not consumed
  uint32_t wire_size = 0;          // of a datagram by its length fields: bytes.size() or more
  Transport transport = kOverTcp;
  Side side = Side::kInitiator;  // who sent it
  bool gap_before = false;       // stream: bytes are missing before these
  bool is_midstream = false;     // stream: its begin was not seen
  uint16_t index = 0;            // datagram: how many came before in this direction
  uint16_t sender_port = 0;      // of an EtherType or IP protocol: its number in both
  uint16_t receiver_port = 0;
  uint64_t offset = 0;  // stream: of bytes[0] since its begin
  int64_t ts_ns = 0;    // of the packet that brought the last of the bytes
  AddressKind address_kind = AddressKind::kIpv4;
  AddressBytes sender{};
  AddressBytes receiver{};
  // probe() of a protocol that keeps notes: its bytes of this flow, zero at first; empty when other
  // protocols have taken them all.
  std::span<uint8_t> notes = {};

  bool is_datagram() const noexcept { return (transport & (kOverTcp | kOverSctp)) == 0; }
  bool from_initiator() const noexcept { return side == Side::kInitiator; }
  bool has_port(uint16_t port) const noexcept {
    return sender_port == port || receiver_port == port;
  }
};

// Is the flow this protocol's?
struct Probe {
  enum class Answer : uint8_t {
    kNo,     // it is not, whatever comes
    kMaybe,  // nothing speaks against it: ask again with the next payload
    kMore,   // stream: ask again when `size` bytes of this direction are there
    kYes,
  };
  Answer answer;
  uint32_t size = 0;
  AppConfidence confidence = AppConfidence::kCertain;  // kYes

  static constexpr Probe no() noexcept { return {Answer::kNo}; }
  static constexpr Probe maybe() noexcept { return {Answer::kMaybe}; }
  static constexpr Probe more(size_t size) noexcept {
    return {Answer::kMore, static_cast<uint32_t>(size < UINT32_MAX ? size : UINT32_MAX)};
  }
  static constexpr Probe yes() noexcept { return {Answer::kYes}; }
  static constexpr Probe likely() noexcept { return {Answer::kYes, 0, AppConfidence::kLikely}; }
};

struct Protocol;

// What parse() made of a payload.
struct Parse {
  enum class Answer : uint8_t {
    kNext,  // consumed `size` bytes (stream; more than were there: the following ones are skipped
            // unseen), and wants the next
    kNeed,  // stream: `size` bytes from here on, more than there are; at most kAssemblySizeMax
    kDone,  // has all it wants of the flow
    kHandover,  // consumed `size` bytes; what follows, in both directions, is another protocol's
    kError,     // makes no sense; no more of this flow
  };
  Answer answer;
  uint32_t size = 0;
  std::string_view protocol = {};  // kHandover: its name; empty: probe for it
  bool is_carrier = false;       // kHandover: the flow is the other protocol's, carried by this one
                                 // (SOCKS); false: this one's, upgraded (STARTTLS)
  const char* reason = nullptr;  // kError: a literal, snake_case

  static constexpr Parse next(size_t size) noexcept {
    return {Answer::kNext, static_cast<uint32_t>(size < UINT32_MAX ? size : UINT32_MAX)};
  }
  // Of a datagram: the next one.
  static constexpr Parse next() noexcept { return {Answer::kNext, UINT32_MAX}; }
  static constexpr Parse need(size_t size) noexcept {
    return {Answer::kNeed, static_cast<uint32_t>(size < UINT32_MAX ? size : UINT32_MAX)};
  }
  static constexpr Parse done() noexcept { return {Answer::kDone}; }
  static constexpr Parse upgrade(std::string_view protocol, size_t size) noexcept {
    return {Answer::kHandover, static_cast<uint32_t>(size), protocol, false};
  }
  static constexpr Parse carry(std::string_view protocol, size_t size) noexcept {
    return {Answer::kHandover, static_cast<uint32_t>(size), protocol, true};
  }
  static constexpr Parse error(const char* reason) noexcept {
    return {Answer::kError, 0, {}, false, reason};
  }
};

// A flow that another one announced: who, and which port. Between the two ends of the announcing flow
// only: what joins different hosts is the store's to join.
struct Expectation {
  std::string_view protocol;
  Transport transport = kOverTcp;
  uint16_t port = 0;  // of either end
};

// What parse() and end() work with. Valid during the call.
class Context {
 public:
  // The state of this flow for this protocol, zero at first. T is what Protocol::state_size was taken
  // of. Trivial: nobody destroys it but by end().
  template <typename T>
  T& state() noexcept {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= kProtocolStateSizeMax);
    return *static_cast<T*>(state_of(sizeof(T)));
  }

  // Attributes, by their index in the protocol's rows. What nobody asks for is dropped here; what is
  // costly to find out asks before.
  bool subscribed(uint8_t index) const noexcept;
  template <std::unsigned_integral Number>
  void set(uint8_t index, Number value) noexcept {
    set_number(index, value);
  }
  void set(uint8_t index, bool value) noexcept { set_number(index, value ? 1 : 0); }
  void set(uint8_t index, std::string_view text) noexcept;
  void set(uint8_t index, const char* text) noexcept { set(index, std::string_view(text)); }
  // Text or bytes as they are on the wire, or an address of 4, 6, 8 or 16 bytes.
  void set(uint8_t index, std::span<const uint8_t> bytes) noexcept;
  void set_time(uint8_t index, int64_t ns_since_1970) noexcept;
  void set_duration(uint8_t index, int64_t ns) noexcept;
  // The members set between the two are those of one object. At most kNestingMax deep; an object that
  // does not fit is left out.
  void begin_object(uint8_t index) noexcept;
  void end_object() noexcept;
  // What was set since the last one is one message: an event for who wants events.
  void end_message() noexcept;

  // Memory until the packet is done with, not initialised; empty when the limit of a packet is
  // reached (kScratchSizeMax).
  std::span<uint8_t> scratch(size_t size) noexcept;

  // Puts pieces of a byte string together that come in any order, for protocols with offsets of their
  // own (QUIC). One per side. Returns what is complete from the begin on; empty when nothing is.
  // Pieces beyond kAssemblySizeMax are dropped and counted.
  std::span<const uint8_t> assemble(Side side, uint64_t offset,
                                    std::span<const uint8_t> piece) noexcept;
  void drop_assembly(Side side) noexcept;

  void expect(const Expectation& expectation) noexcept;
  // Work that costs microseconds asks first: false when this second of the clock had enough of it.
  bool may_decrypt() noexcept;
  // The protocol knows better than its probe how sure it is.
  void set_confidence(AppConfidence confidence) noexcept;
  int64_t clock_ns() const noexcept;

 private:
  friend class Inspector;
  friend struct ContextState;
  explicit Context(struct ContextState& inside) : inside_(inside) {}
  void set_number(uint8_t index, uint64_t value) noexcept;
  void* state_of(size_t size) noexcept;
  struct ContextState& inside_;
};

inline constexpr size_t kScratchSizeMax = 64 * 1024;

struct Protocol {
  std::string_view name;  // as in app: "tls"
  std::string_view help;  // one sentence
  uint8_t transports = 0;
  std::span<const uint16_t> ports = {};        // who uses them is asked first
  std::span<const Attribute> attributes = {};  // in the order of their indexes
  std::string_view first_bytes =
      {};                 // one of them begins what either side sends; empty: any byte may
  uint32_t size_min = 1;  // of the first payload
  Probe (*probe)(const Payload& payload) = nullptr;  // null: only by handover or expectation
  Parse (*parse)(Context& context, const Payload& payload) = nullptr;  // null: nothing to extract
  void (*end)(Context& context) = nullptr;  // the flow ends, or the protocol's part in it
  uint32_t state_size = 0;                  // at most kProtocolStateSizeMax
  bool every_message = false;               // stays inspected until the flow ends
  bool keeps_notes = false;                 // its probe looks at several payloads together
};

}  // namespace weir
