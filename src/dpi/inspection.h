// SPDX-License-Identifier: Apache-2.0
//
// The inside of Inspector, for the files that implement it and nobody else:
//
//   inspector.cc   what the header promises: flows come and go
//   classify.cc    who has the flow: probes, expectations, handovers
//   stream.cc      the payload of one direction in order, as much as fits
//   context.cc     what a protocol may do: attributes, objects, expectations
//
// Invariants: an Inspection's handles are its own; a flow has an Inspection exactly while it is
// inspected. A half's `seq` is that of its first byte not consumed; its assembly begins there.
#pragma once

#include <array>
#include <cstdint>

#include "base/arena.h"
#include "base/slab.h"
#include "dpi/assembly.h"
#include "dpi/attribute_store.h"
#include "dpi/expectations.h"
#include "dpi/inspector.h"
#include "weir/attribute_block.h"

namespace weir {

inline constexpr uint32_t kNoHandle = UINT32_MAX;
inline constexpr uint32_t kSmallAssemblySize = 4 * 1024;
inline constexpr uint32_t kSmallStateSize = 64;
inline constexpr size_t kNotesCount = 2;
inline constexpr size_t kObjectSizeMax = 512;
inline constexpr size_t kMessageSizeMax = 4 * 1024;  // attributes of one event
inline constexpr uint32_t kHandoverCountMax = 4;     // of one flow

// One direction of a flow.
struct Half {
  uint64_t offset;        // of the first byte not consumed, since the begin
  uint64_t skip;          // bytes a parser wants skipped unseen, from there on
  uint32_t seq;           // of the first byte not consumed
  uint32_t assembly;      // handle; kNoHandle: nothing waits
  uint32_t own_assembly;  // of Context::assemble(); kNoHandle
  uint32_t need;          // bytes that must be there before anybody is asked again
  uint32_t byte_count;
  uint16_t packet_count;
  uint8_t held_count;  // segments behind a hole
  bool is_started;
  bool is_refused;  // classification: nobody wanted what this side said first
  bool has_gap;     // before the first byte not consumed
};

struct Inspection {
  std::array<Half, 2> halves;
  ProtocolSet refused;   // who said no, and who handed the flow over
  ProtocolSet carriers;  // who handed the flow over: nobody is found in itself
  ProtocolSet maybe;     // who said maybe to the last payload
  ProtocolSet hinted;    // whose port it is
  std::array<std::array<uint8_t, kProbeNotesSize>, kNotesCount> notes;
  std::array<uint8_t, kNotesCount> notes_of;  // protocol numbers
  uint8_t protocol;                           // that parses; kUnknownApp: being classified
  uint8_t first_side;
  uint8_t handover_count;
  bool has_first_side;
  bool is_midstream;
  bool is_handed_over;   // classification is of what another protocol handed over
  bool is_upgrade;       // of the handover
  bool has_asked_table;  // for expectations and hints
  uint32_t state;        // handle of the protocol's state
  Transport transport;
};

struct ContextState {
  Inspector::State& inspector;
  FlowDpi& flow;
  Inspection& inspection;
  const Payload* payload;  // null in end()
  uint8_t protocol;
  uint16_t first_attribute;
  int64_t clock_ns;
  const Segment* segment;
};

// One object that is being built, and those around it.
struct ObjectBuilder {
  struct Level {
    uint16_t number;
    uint16_t begin;  // of its entry header in bytes; the outermost has none
  };
  std::array<Level, kNestingMax> levels;
  size_t depth = 0;      // of open objects, also of those too deep or too large
  bool is_lost = false;  // it did not fit: it will be left out
  size_t size = 0;
  std::array<uint8_t, kObjectSizeMax> bytes;
};

struct Inspector::State {
  State(const ProtocolTable& protocol_table, const InspectorOptions& inspector_options,
        MemoryPool& pool);

  using Small = Assembly<kSmallAssemblySize>;
  using Full = Assembly<kAssemblySizeMax>;
  struct SmallState {
    alignas(8) std::array<uint8_t, kSmallStateSize> bytes;
  };
  struct FullState {
    alignas(8) std::array<uint8_t, kProtocolStateSizeMax> bytes;
  };

  // inspector.cc
  bool begin(FlowDpi& flow, const Segment& segment);
  void close(FlowDpi& flow, int64_t clock_ns);
  void note_error(uint8_t protocol, const char* reason) noexcept;
  bool is_over_budget(const Inspection& inspection) const noexcept;

  // stream.cc. What happened: bytes taken from the front; whether anything more is wanted.
  struct Taken {
    uint64_t size = 0;
    bool goes_on = true;
  };
  bool take_stream(FlowDpi& flow, Inspection& inspection, const Segment& segment);
  bool offer(FlowDpi& flow, Inspection& inspection, const Segment& segment, size_t side,
             std::span<const uint8_t> bytes);
  bool offer_waiting(FlowDpi& flow, Inspection& inspection, const Segment& segment, size_t side);
  Taken parse_stream(FlowDpi& flow, Inspection& inspection, const Segment& segment, size_t side,
                     std::span<const uint8_t> bytes);
  bool give_up_waiting(FlowDpi& flow, Inspection& inspection, const Segment& segment, size_t side,
                       uint64_t at, std::span<const uint8_t> bytes);
  void lose(Half& half, uint64_t size) noexcept;
  bool hold(Half& half, uint64_t at, std::span<const uint8_t> bytes) noexcept;
  void drop(uint32_t& assembly) noexcept;
  std::span<const uint8_t> prefix(uint32_t assembly) noexcept;
  uint32_t hole(uint32_t assembly) noexcept;
  void consume(Half& half, uint64_t size) noexcept;
  bool insert(uint32_t& assembly, uint64_t offset, std::span<const uint8_t> bytes) noexcept;

  // classify.cc
  // kNotHere: nobody takes these bytes, but a later message may begin the flow for us.
  enum class Found : uint8_t { kNothingYet, kProtocol, kNotHere, kNobody };
  Found classify(FlowDpi& flow, Inspection& inspection, const Payload& payload, int64_t clock_ns);
  void settle_on_likely(FlowDpi& flow, Inspection& inspection);
  void settle_on(FlowDpi& flow, Inspection& inspection, uint8_t protocol, AppConfidence confidence,
                 AppMethod method);
  void hand_over(FlowDpi& flow, Inspection& inspection, const Parse& parse, int64_t clock_ns);
  void finish_protocol(FlowDpi& flow, Inspection& inspection, int64_t clock_ns);
  bool take_datagram(FlowDpi& flow, Inspection& inspection, const Segment& segment);
  Parse parse(FlowDpi& flow, Inspection& inspection, const Payload& payload,
              const Segment& segment);

  // context.cc
  void put(ContextState& context, uint8_t index, std::span<const uint8_t> value);
  void end_message(ContextState& context);
  void* state_bytes(Inspection& inspection, uint8_t protocol) noexcept;
  void free_state(Inspection& inspection) noexcept;

  void count(Limit limit, uint64_t by = 1) noexcept { limits[static_cast<size_t>(limit)] += by; }

  const ProtocolTable& table;
  const Catalog& catalog;
  InspectorOptions options;
  Slab<Inspection> inspections;
  Slab<Small> small_assemblies;
  Slab<Full> full_assemblies;
  Slab<SmallState> small_states;
  Slab<FullState> full_states;
  FullState spare_state;  // for who got none
  AttributeStore store;
  Expectations expectations;
  Events events;
  uint32_t message_begin = 0;  // in events.bytes
  ObjectBuilder object;
  Arena scratch{kScratchSizeMax};
  int64_t decryption_second = 0;
  uint32_t decryption_count = 0;
  DpiStatistics statistics;
  std::array<uint64_t, kLimitCount> limits{};
};

// Handles of two kinds of slots: the upper half are full-size ones.
inline constexpr uint32_t kFullBit = 0x8000'0000;

}  // namespace weir
