// SPDX-License-Identifier: Apache-2.0
//
// Value: what a field holds in one record, before it is written as JSON, CSV or a table cell.
// Small, copyable, never allocates; absent differs from empty.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/flow_record.h"

namespace weir {

enum class ValueKind : uint8_t {
  kAbsent,
  kBool,
  kUnsigned,
  kSigned,
  kText,
  kAddress,
  kTime,
  kDuration,
  kListU16,
  kCounters
};

struct Value {
  ValueKind kind = ValueKind::kAbsent;
  AddressKind address_kind = AddressKind::kMac;  // kAddress
  bool boolean = false;
  uint64_t number = 0;             // kUnsigned
  int64_t signed_number = 0;       // kSigned; ns for kTime (since 1970) and kDuration
  std::string_view text;           // kText: static, or `buffer`, or the record's own bytes
  AddressBytes address{};          // kAddress
  std::array<uint16_t, 8> list{};  // kListU16
  uint8_t list_count = 0;
  const FlowCounters* src_counters = nullptr;  // kCounters: points into the record
  const FlowCounters* dst_counters = nullptr;
  std::array<char, 192> buffer;  // room for texts a getter composes; not initialised

  void set_bool(bool v) {
    kind = ValueKind::kBool;
    boolean = v;
  }
  void set_unsigned(uint64_t v) {
    kind = ValueKind::kUnsigned;
    number = v;
  }
  void set_signed(int64_t v) {
    kind = ValueKind::kSigned;
    signed_number = v;
  }
  void set_text(std::string_view v) {
    kind = ValueKind::kText;
    text = v;
  }
  void set_time(int64_t ns) {
    kind = ValueKind::kTime;
    signed_number = ns;
  }
  void set_duration(int64_t ns) {
    kind = ValueKind::kDuration;
    signed_number = ns;
  }
  void set_address(AddressKind k, const AddressBytes& bytes) {
    kind = ValueKind::kAddress;
    address_kind = k;
    address = bytes;
  }
};

// Order for --sort: absent first, then by kind's natural order (numbers, time, address bytes,
// text). Values of one field have one kind or are absent; different kinds are ordered by ValueKind.
int compare(const Value& x, const Value& y) noexcept;

// The same order as bytes: memcmp of two keys (the shorter first when one begins the other, which
// only equal keys do) has the sign of compare(). Keys may be followed by other bytes without
// changing that.
void append_sort_key(std::string& out, const Value& value);

// As plain text: "192.0.2.1", "12345", "true", times in RFC 3339, seconds with 9 digits, lists with
// spaces between. Unescaped: the sink escapes. Nothing for an absent value or counters.
void append_text(std::string& out, const Value& value);

}  // namespace weir
