// SPDX-License-Identifier: Apache-2.0
#include "weir/value.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "weir/field.h"

namespace weir {
namespace {

template <typename T>
int order(const T& x, const T& y) noexcept {
  if (x < y) return -1;
  return y < x ? 1 : 0;
}

std::string_view text_of(std::span<const uint8_t> bytes) {
  return {static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size()};
}

int order_text(std::string_view x, std::string_view y) noexcept {
  return order(x.compare(y), 0);
}

int order_lists(const Value& x, const Value& y) noexcept {
  const size_t common = std::min(x.list_count, y.list_count);
  for (size_t index = 0; index < common; ++index) {
    if (const int result = order(x.list[index], y.list[index])) return result;
  }
  return order(x.list_count, y.list_count);
}

int order_counters(const Value& x, const Value& y) noexcept {
  for (const CounterMember& counter : kCounterMembers) {
    const auto member = counter.member;
    if (const int result = order(x.src_counters->*member, y.src_counters->*member)) return result;
    if (const int result = order(x.dst_counters->*member, y.dst_counters->*member)) return result;
  }
  return 0;
}

template <typename T>
void append_big_endian(std::string& out, T value) {
  for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift & 0xff));
  }
}

// A zero byte is written as 00 ff and the end as 00 00, so a text sorts before every longer one it
// begins.
void append_text_key(std::string& out, std::string_view text) {
  for (const char byte : text) {
    out.push_back(byte);
    if (byte == 0) out.push_back('\xff');
  }
  out.append(2, '\0');
}

}  // namespace

int compare(const Value& x, const Value& y) noexcept {
  if (x.kind != y.kind) return order(x.kind, y.kind);
  switch (x.kind) {
    case ValueKind::kAbsent:
      return 0;
    case ValueKind::kBool:
      return order(x.boolean, y.boolean);
    case ValueKind::kUnsigned:
      return order(x.number, y.number);
    case ValueKind::kSigned:
    case ValueKind::kTime:
    case ValueKind::kDuration:
      return order(x.signed_number, y.signed_number);
    case ValueKind::kText:
    case ValueKind::kBytes:
      return order_text(x.text, y.text);
    case ValueKind::kList:
    case ValueKind::kObject:
      return order_text(text_of(x.encoded), text_of(y.encoded));
    case ValueKind::kAddress:
      if (x.address_kind != y.address_kind) return order(x.address_kind, y.address_kind);
      return order(x.address, y.address);
    case ValueKind::kListU16:
      return order_lists(x, y);
    case ValueKind::kCounters:
      return order_counters(x, y);
  }
  ASSERT(false && "every kind is listed");
}

void append_sort_key(std::string& out, const Value& value) {
  out.push_back(static_cast<char>(value.kind));
  switch (value.kind) {
    case ValueKind::kAbsent:
      return;
    case ValueKind::kBool:
      out.push_back(value.boolean ? 1 : 0);
      return;
    case ValueKind::kUnsigned:
      append_big_endian(out, value.number);
      return;
    case ValueKind::kSigned:
    case ValueKind::kTime:
    case ValueKind::kDuration:
      // The flipped sign bit puts negative numbers first.
      append_big_endian(out, static_cast<uint64_t>(value.signed_number) ^ (uint64_t{1} << 63));
      return;
    case ValueKind::kText:
    case ValueKind::kBytes:
      append_text_key(out, value.text);
      return;
    case ValueKind::kList:
    case ValueKind::kObject:
      append_text_key(out, text_of(value.encoded));
      return;
    case ValueKind::kAddress:
      out.push_back(static_cast<char>(value.address_kind));
      for (const uint8_t byte : value.address) out.push_back(static_cast<char>(byte));
      return;
    case ValueKind::kListU16:
      for (size_t index = 0; index < value.list_count; ++index) {
        out.push_back(1);
        append_big_endian(out, value.list[index]);
      }
      out.push_back(0);
      return;
    case ValueKind::kCounters:
      for (const CounterMember& counter : kCounterMembers) {
        append_big_endian(out, value.src_counters->*counter.member);
        append_big_endian(out, value.dst_counters->*counter.member);
      }
      return;
  }
}

void append_text(std::string& out, const Value& value) {
  switch (value.kind) {
    case ValueKind::kAbsent:
    case ValueKind::kCounters:
    case ValueKind::kList:
    case ValueKind::kObject:
      return;
    case ValueKind::kBool:
      out.append(value.boolean ? "true" : "false");
      return;
    case ValueKind::kUnsigned:
      append_unsigned(out, value.number);
      return;
    case ValueKind::kSigned:
      append_signed(out, value.signed_number);
      return;
    case ValueKind::kText:
      out.append(value.text);
      return;
    case ValueKind::kBytes:
      append_hex_bytes(out, value.text);
      return;
    case ValueKind::kAddress:
      append_address(out, value.address_kind, value.address);
      return;
    case ValueKind::kTime:
      append_time(out, value.signed_number);
      return;
    case ValueKind::kDuration:
      append_seconds(out, value.signed_number);
      return;
    case ValueKind::kListU16:
      for (size_t index = 0; index < value.list_count; ++index) {
        if (index > 0) out.push_back(' ');
        append_unsigned(out, value.list[index]);
      }
      return;
  }
}

}  // namespace weir
