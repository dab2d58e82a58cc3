// SPDX-License-Identifier: Apache-2.0
//
// A catalogue with a field of every type, for tests of filters: a few of a record's own, and
// attributes of three protocols with lists and objects. Names and types are those of the real ones
// where there are such.
//
// Threads: immutable; any.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "weir/attribute_block.h"
#include "weir/catalog.h"

namespace weir::test {

template <FlowSide FlowRecord::*side>
void get_test_ip(const FlowRecord& record, const RecordNames&, Value& value) {
  if (!is_link_address(record.address_kind))
    value.set_address(record.address_kind, (record.*side).address);
}
template <FlowSide FlowRecord::*side>
void get_test_port(const FlowRecord& record, const RecordNames&, Value& value) {
  if (record.has_ports) value.set_unsigned((record.*side).port);
}
template <FlowSide FlowRecord::*side>
void get_test_mac(const FlowRecord& record, const RecordNames&, Value& value) {
  if (!record.has_macs) return;
  AddressBytes address{};
  std::copy((record.*side).mac.begin(), (record.*side).mac.end(), address.begin());
  value.set_address(AddressKind::kMac, address);
}
template <FlowSide FlowRecord::*side, uint64_t FlowCounters::*counter>
void get_test_counter(const FlowRecord& record, const RecordNames&, Value& value) {
  value.set_unsigned((record.*side).total.*counter);
}

inline std::span<const Field> filter_test_fields() {
  using R = const FlowRecord&;
  using N = const RecordNames&;
  using T = FieldType;
  constexpr auto kSrc = &FlowRecord::src;
  constexpr auto kDst = &FlowRecord::dst;
  constexpr auto kPackets = &FlowCounters::packets;
  constexpr auto kBytes = &FlowCounters::bytes;
  constexpr Unit kNo = Unit::kNone;
  static const Field kFields[] = {
      {"first_seen",
       T::kTime,
       kNo,
       "h",
       "Help.",
       {},
       [](R r, N, Value& v) { v.set_time(r.first_seen_ns); }},
      {"last_seen",
       T::kTime,
       kNo,
       "h",
       "Help.",
       {},
       [](R r, N, Value& v) { v.set_time(r.last_seen_ns); }},
      {"rtt",
       T::kDuration,
       kNo,
       "h",
       "Help.",
       {},
       [](R r, N, Value& v) {
         if (r.rtt_ns >= 0) v.set_duration(r.rtt_ns);
       }},
      {"src_ip", T::kAddress, kNo, "h", "Help.", {}, get_test_ip<kSrc>},
      {"dst_ip", T::kAddress, kNo, "h", "Help.", {}, get_test_ip<kDst>},
      {"src_port", T::kU16, kNo, "h", "Help.", {}, get_test_port<kSrc>},
      {"dst_port", T::kU16, kNo, "h", "Help.", {}, get_test_port<kDst>},
      {"src_mac", T::kMac, kNo, "h", "Help.", {}, get_test_mac<kSrc>},
      {"dst_mac", T::kMac, kNo, "h", "Help.", {}, get_test_mac<kDst>},
      {"proto",
       T::kString,
       kNo,
       "h",
       "Help.",
       {},
       [](R r, N, Value& v) {
         v.set_text(r.proto_number == 6 ? "tcp" : r.proto_number == 17 ? "udp" : "icmp");
       }},
      {"app",
       T::kString,
       kNo,
       "h",
       "Help.",
       {},
       [](R r, N n, Value& v) { v.set_text(n.catalog->app_name(r.app)); },
       Words::protocols()},
      {"service",
       T::kString,
       kNo,
       "h",
       "Help.",
       {},
       [](R r, N n, Value& v) {
         if (r.service != kNoService) v.set_text(n.catalog->service_name(r.service));
       },
       Words::services()},
      {"interface",
       T::kString,
       kNo,
       "h",
       "Help.",
       {},
       [](R, N n, Value& v) {
         if (!n.interface.empty()) v.set_text(n.interface);
       }},
      {"state",
       T::kString,
       kNo,
       "h",
       "Help.",
       {},
       [](R r, N, Value& v) { v.set_text(flow_state_name(r.state)); },
       kFlowStateWords},
      {"end_reason",
       T::kString,
       kNo,
       "h",
       "Help.",
       {},
       [](R r, N, Value& v) {
         if (r.end_reason != EndReason::kNone) v.set_text(end_reason_name(r.end_reason));
       },
       kEndReasonWords},
      {"vlan",
       T::kListU16,
       kNo,
       "h",
       "Help.",
       {},
       [](R r, N, Value& v) {
         if (r.vlans.count == 0) return;
         v.kind = ValueKind::kListU16;
         v.list = r.vlans.ids;
         v.list_count = r.vlans.count;
       }},
      {"icmp_type",
       T::kU8,
       kNo,
       "h",
       "Help.",
       {},
       [](R r, N, Value& v) {
         if (r.proto_number == 1) v.set_unsigned(r.icmp_type);
       }},
      {"src_tcp_isn",
       T::kU32,
       kNo,
       "h",
       "Help.",
       {},
       [](R r, N, Value& v) {
         if (r.src.has_tcp_isn) v.set_unsigned(r.src.tcp_isn);
       }},
      {"uid", T::kI32, kNo, "h", "Help.", {}, [](R r, N, Value& v) { v.set_signed(r.uid); }},
      {"final", T::kBool, kNo, "h", "Help.", {}, [](R r, N, Value& v) { v.set_bool(r.is_final); }},
      {"src_packets", T::kU64, kNo, "h", "Help.", {}, get_test_counter<kSrc, kPackets>},
      {"dst_packets", T::kU64, kNo, "h", "Help.", {}, get_test_counter<kDst, kPackets>},
      {"src_bytes", T::kU64, kNo, "h", "Help.", {}, get_test_counter<kSrc, kBytes>},
      {"dst_bytes", T::kU64, kNo, "h", "Help.", {}, get_test_counter<kDst, kBytes>},
      {"delta",
       T::kCounters,
       kNo,
       "h",
       "Help.",
       {},
       [](R r, N, Value& v) {
         if (r.end_reason != EndReason::kActive) return;
         v.kind = ValueKind::kCounters;
         v.src_counters = &r.src.delta;
         v.dst_counters = &r.dst.delta;
       }},
  };
  return kFields;
}

inline constexpr Alias kFilterTestAliases[] = {
    {"ip", Alias::Means::kEither, {"src_ip", "dst_ip"}, "Help."},
    {"port", Alias::Means::kEither, {"src_port", "dst_port"}, "Help."},
    {"mac", Alias::Means::kEither, {"src_mac", "dst_mac"}, "Help."},
    {"packets", Alias::Means::kSum, {"src_packets", "dst_packets"}, "Help."},
    {"bytes", Alias::Means::kSum, {"src_bytes", "dst_bytes"}, "Help."},
};

inline constexpr Attribute kTestTlsAttributes[] = {
    {"tls.sni", FieldType::kString, 0, Keep::kFirst, "Help."},
    {"tls.alpn", FieldType::kString, 1, Keep::kList, "Help."},
    {"tls.resumed", FieldType::kBool, 2, Keep::kFirst, "Help."},
    {"tls.serial", FieldType::kBytes, 3, Keep::kFirst, "Help."},
    {"tls.not_after", FieldType::kTime, 4, Keep::kLast, "Help."},
};
inline constexpr Attribute kTestDnsAttributes[] = {
    {"dns.queries", FieldType::kString, 0, Keep::kCount, "Help."},
    {"dns.took", FieldType::kDuration, 1, Keep::kLast, "Help."},
    {"dns.resolver", FieldType::kAddress, 2, Keep::kFirst, "Help."},
    {"dns.answers", FieldType::kObject, 3, Keep::kList, "Help."},
    {"dns.answers.name", FieldType::kString, 4, Keep::kFirst, "Help."},
    {"dns.answers.data", FieldType::kAddress, 5, Keep::kList, "Help."},
    {"dns.answers.ttl", FieldType::kU32, 6, Keep::kFirst, "Help."},
    {"dns.answers.option", FieldType::kObject, 7, Keep::kFirst, "Help."},
    {"dns.answers.option.code", FieldType::kU16, 8, Keep::kFirst, "Help."},
    {"dns.question", FieldType::kObject, 9, Keep::kFirst, "Help."},
    {"dns.question.type", FieldType::kU16, 10, Keep::kFirst, "Help."},
};
inline constexpr Attribute kTestModbusAttributes[] = {
    {"modbus.function", FieldType::kU8, 0, Keep::kList, "Help."},
    {"modbus.write", FieldType::kBool, 1, Keep::kList, "Help."},
};
inline Protocol test_protocol(std::string_view name, std::span<const Attribute> attributes) {
  Protocol protocol;
  protocol.name = name;
  protocol.help = "Help.";
  protocol.attributes = attributes;
  return protocol;
}
inline const Protocol kTestTls = test_protocol("tls", kTestTlsAttributes);
inline const Protocol kTestDns = test_protocol("dns", kTestDnsAttributes);
inline const Protocol kTestModbus = test_protocol("modbus", kTestModbusAttributes);
inline const Protocol kTestFtpData = test_protocol("ftp-data", {});

inline const Catalog& filter_test_catalog() {
  static const Catalog kCatalog =
      CatalogBuilder()
          .add(filter_test_fields())
          .add(kFilterTestAliases)
          .add(kTestTls)
          .add(kTestDns)
          .add(kTestModbus)
          .add(kTestFtpData)
          .add(Service{"youtube", "video", {"youtube.com"}})
          .add(Service{"windows-update", "system", {"windowsupdate.com"}})
          .freeze();
  return kCatalog;
}

// Writes attribute blocks.
class BlockWriter {
 public:
  BlockWriter& number(std::string_view name, uint64_t value) {
    std::vector<uint8_t> bytes;
    for (; value > 0; value >>= 8) bytes.push_back(static_cast<uint8_t>(value));
    return entry(name, bytes);
  }
  BlockWriter& text(std::string_view name, std::string_view value) {
    return entry(name, std::vector<uint8_t>(value.begin(), value.end()));
  }
  BlockWriter& bytes(std::string_view name, std::initializer_list<uint8_t> value) {
    return entry(name, std::vector<uint8_t>(value));
  }
  BlockWriter& object(std::string_view name, const BlockWriter& members) {
    return entry(name, members.block());
  }
  BlockWriter& entry(std::string_view name, const std::vector<uint8_t>& value) {
    const uint16_t number = filter_test_catalog().find(name)->attribute;
    for (const size_t word : {size_t{number}, value.size()}) {
      block_.push_back(static_cast<uint8_t>(word));
      block_.push_back(static_cast<uint8_t>(word >> 8));
    }
    block_.insert(block_.end(), value.begin(), value.end());
    return *this;
  }
  const std::vector<uint8_t>& block() const { return block_; }

 private:
  std::vector<uint8_t> block_;
};

// A TLS flow, 10.0.0.1:50000 → 192.0.2.1:443, 2026-01-31T12:00:00Z, with every kind of attribute.
inline FlowRecord filter_test_record() {
  FlowRecord record;
  record.address_kind = AddressKind::kIpv4;
  record.has_ports = true;
  record.has_macs = true;
  record.state = FlowState::kActive;
  record.proto_number = 6;
  record.first_seen_ns = 1'769'860'800'000'000'000;
  record.last_seen_ns = record.first_seen_ns + 60'000'000'000;
  record.rtt_ns = 20'500'000;
  record.vlans = {2, {5, 7}};
  record.src.address = {10, 0, 0, 1};
  record.dst.address = {192, 0, 2, 1};
  record.src.mac = {2, 0, 0, 0, 0, 1};
  record.dst.mac = {2, 0, 0, 0, 0, 2};
  record.src.port = 50'000;
  record.dst.port = 443;
  record.src.total = {12, 3456, 0, 0};
  record.dst.total = {100, 1'800'000, 0, 0};
  record.src.tcp_isn = 4'000'000'000;
  record.src.has_tcp_isn = true;
  record.app = filter_test_catalog().protocol_number("tls");
  record.service = filter_test_catalog().service_of("www.youtube.com");
  BlockWriter block;
  block.text("tls.sni", "www.Example.org").text("tls.alpn", "h2").text("tls.alpn", "http/1.1");
  block.number("tls.resumed", 1).bytes("tls.serial", {0x00, 0xff, 0x10});
  block.number("tls.not_after", 1'800'000'000'000'000'000);
  block.number("dns.queries", 3).number("dns.took", 1'500'000'000);
  block.bytes("dns.resolver", {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  BlockWriter first;
  first.text("dns.answers.name", "a.example").bytes("dns.answers.data", {1, 2, 3, 4});
  first.bytes("dns.answers.data", {1, 2, 3, 5}).number("dns.answers.ttl", 300);
  first.object("dns.answers.option", BlockWriter().number("dns.answers.option.code", 10));
  BlockWriter second;
  second.text("dns.answers.name", "b.example").number("dns.answers.ttl", 0);
  block.object("dns.answers", first).object("dns.answers", second);
  block.object("dns.question", BlockWriter().number("dns.question.type", 28));
  block.number("modbus.function", 3).number("modbus.function", 16);
  record.attributes = AttributeBytes(block.block());
  return record;
}

}  // namespace weir::test
