// SPDX-License-Identifier: Apache-2.0
//
// Value: what a field holds in one record or message, before it is written as JSON, CSV or a table
// cell, compared by a filter, or given to a callback.
// Small, copyable, never allocates; absent differs from empty.
//
// Lists and objects of protocol attributes are not unpacked: `encoded` is a block of entries
// (weir/attribute_block.h), which live as long as the record or message the value is of.
#pragma once

#include <array>
#include <cstdint>
#include <span>
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
  kCounters,
  kBytes,   // shown in hexadecimal
  kList,    // of an attribute that may have several values
  kObject,  // members, of a nested attribute
};

struct Value {
  ValueKind kind = ValueKind::kAbsent;
  AddressKind address_kind = AddressKind::kMac;  // kAddress
  bool boolean = false;
  uint64_t number = 0;        // kUnsigned
  int64_t signed_number = 0;  // kSigned; ns for kTime (since 1970) and kDuration
  // kText, kBytes: static, or `buffer`, or the record's own bytes. Any byte may be in it.
  std::string_view text;
  AddressBytes address{};          // kAddress
  std::array<uint16_t, 8> list{};  // kListU16
  uint8_t list_count = 0;
  const FlowCounters* src_counters = nullptr;  // kCounters: points into the record
  const FlowCounters* dst_counters = nullptr;
  std::span<const uint8_t> encoded;  // kList: entries of one field; kObject: entries of members
  std::array<char, 192> buffer;      // room for texts a getter composes; not initialised

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
  void set_bytes(std::string_view v) {
    kind = ValueKind::kBytes;
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
// text; lists and objects by their entries' bytes). Values of one field have one kind or are absent; different kinds are ordered by ValueKind.
int compare(const Value& x, const Value& y) noexcept;

// The same order as bytes: memcmp of two keys (the shorter first when one begins the other, which
// only equal keys do) has the sign of compare(). Keys may be followed by other bytes without
// changing that.
void append_sort_key(std::string& out, const Value& value);

// As plain text: "192.0.2.1", "12345", "true", times in RFC 3339, seconds with 9 digits, lists with
// spaces between. Unescaped: the sink escapes. Nothing for an absent value or counters.
void append_text(std::string& out, const Value& value);

}  // namespace weir
