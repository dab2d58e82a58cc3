// SPDX-License-Identifier: Apache-2.0
//
// Builders of capture files in memory, for tests and fuzzers: every field may be given a wrong
// value.
//
// Not a writer for users: nothing is checked, everything is in memory.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace weir::test {

using Bytes = std::vector<uint8_t>;

// Appends integers in one byte order.
class ByteWriter {
 public:
  explicit ByteWriter(std::endian order) : order_(order) {}
  void u8(uint64_t value) { put(value, 1); }
  void u16(uint64_t value) { put(value, 2); }
  void u32(uint64_t value) { put(value, 4); }
  void u64(uint64_t value) { put(value, 8); }
  void raw(std::span<const uint8_t> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void zeros(size_t count) { bytes_.insert(bytes_.end(), count, 0); }
  void pad4() { zeros((4 - bytes_.size() % 4) % 4); }
  size_t size() const { return bytes_.size(); }
  const Bytes& bytes() const { return bytes_; }
  std::endian order() const { return order_; }
  void set_order(std::endian order) { order_ = order; }

 private:
  void put(uint64_t value, int size) {
    for (int i = 0; i < size; ++i) {
      const int shift = 8 * (order_ == std::endian::big ? size - 1 - i : i);
      bytes_.push_back(static_cast<uint8_t>(value >> shift));
    }
  }
  std::endian order_;
  Bytes bytes_;
};

// Bytes that differ from frame to frame and from offset to offset.
inline Bytes pattern_bytes(size_t size, uint32_t seed) {
  Bytes bytes(size);
  uint32_t state = seed * 2654435761u + 1;
  for (uint8_t& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<uint8_t>(state >> 24);
  }
  return bytes;
}

class PcapWriter {
 public:
  static constexpr uint32_t kMicroseconds = 0xa1b2c3d4;
  static constexpr uint32_t kNanoseconds = 0xa1b23c4d;
  static constexpr uint32_t kKuznetzov = 0xa1b2cd34;

  explicit PcapWriter(std::endian order, uint32_t magic = kMicroseconds, uint32_t network = 1,
                      uint16_t minor_version = 4)
      : out_(order), magic_(magic) {
    out_.u32(magic);
    out_.u16(2);
    out_.u16(minor_version);
    out_.zeros(8);
    out_.u32(65535);
    out_.u32(network);
  }
  // Returns the offset of the record header.
  uint64_t record(uint32_t seconds, uint32_t fraction, std::span<const uint8_t> bytes,
                  std::optional<uint32_t> wire_size = {},
                  std::optional<uint32_t> captured_size = {}) {
    const uint64_t offset = out_.size();
    out_.u32(seconds);
    out_.u32(fraction);
    out_.u32(captured_size.value_or(static_cast<uint32_t>(bytes.size())));
    out_.u32(wire_size.value_or(static_cast<uint32_t>(bytes.size())));
    if (magic_ == kKuznetzov) out_.zeros(8);
    out_.raw(bytes);
    return offset;
  }
  uint64_t size() const { return out_.size(); }
  const Bytes& bytes() const { return out_.bytes(); }

 private:
  ByteWriter out_;
  uint32_t magic_;
};

class PcapngWriter {
 public:
  explicit PcapngWriter(std::endian order) : out_(order) {}

  // Options to pass to interface() and enhanced().
  struct Option {
    uint16_t code;
    Bytes value;
  };
  Option option_u32(uint16_t code, uint32_t value) const {
    ByteWriter writer(out_.order());
    writer.u32(value);
    return {code, writer.bytes()};
  }
  Option option_u64(uint16_t code, uint64_t value) const {
    ByteWriter writer(out_.order());
    writer.u64(value);
    return {code, writer.bytes()};
  }

  // All return the offset of the block.
  uint64_t section(std::optional<std::endian> order = {}, uint16_t major = 1) {
    if (order.has_value()) out_.set_order(*order);
    ByteWriter body(out_.order());
    body.u32(0x1a2b3c4d);
    body.u16(major);
    body.u16(0);
    body.u64(~uint64_t{0});
    return block(0x0a0d0d0a, body.bytes());
  }
  uint64_t interface(uint16_t link_type = 1, const std::vector<Option>& options = {},
                     uint32_t snap_size = 0) {
    ByteWriter body(out_.order());
    body.u16(link_type);
    body.u16(0);
    body.u32(snap_size);
    put_options(body, options);
    return block(1, body.bytes());
  }
  uint64_t enhanced(uint32_t interface, uint64_t ticks, std::span<const uint8_t> bytes,
                    std::optional<uint32_t> wire_size = {}, const std::vector<Option>& options = {},
                    std::optional<uint32_t> captured_size = {}) {
    ByteWriter body(out_.order());
    body.u32(interface);
    put_packet(body, ticks, bytes, wire_size, captured_size);
    put_options(body, options);
    return block(6, body.bytes());
  }
  uint64_t obsolete(uint16_t interface, uint64_t ticks, std::span<const uint8_t> bytes) {
    ByteWriter body(out_.order());
    body.u16(interface);
    body.u16(77);
    put_packet(body, ticks, bytes, {}, {});
    return block(2, body.bytes());
  }
  uint64_t simple(std::span<const uint8_t> bytes, std::optional<uint32_t> wire_size = {}) {
    ByteWriter body(out_.order());
    body.u32(wire_size.value_or(static_cast<uint32_t>(bytes.size())));
    body.raw(bytes);
    body.pad4();
    return block(3, body.bytes());
  }
  // Any block; the two lengths may be made wrong.
  uint64_t block(uint32_t type, std::span<const uint8_t> body, std::optional<uint32_t> size = {},
                 std::optional<uint32_t> trailer = {}) {
    const uint64_t offset = out_.size();
    const uint32_t right_size = static_cast<uint32_t>(12 + body.size());
    out_.u32(type);
    out_.u32(size.value_or(right_size));
    out_.raw(body);
    out_.u32(trailer.value_or(size.value_or(right_size)));
    return offset;
  }
  uint64_t size() const { return out_.size(); }
  const Bytes& bytes() const { return out_.bytes(); }

 private:
  static void put_packet(ByteWriter& body, uint64_t ticks, std::span<const uint8_t> bytes,
                         std::optional<uint32_t> wire_size, std::optional<uint32_t> captured_size) {
    body.u32(ticks >> 32);
    body.u32(ticks & 0xffffffff);
    body.u32(captured_size.value_or(static_cast<uint32_t>(bytes.size())));
    body.u32(wire_size.value_or(static_cast<uint32_t>(bytes.size())));
    body.raw(bytes);
    body.pad4();
  }
  static void put_options(ByteWriter& body, const std::vector<Option>& options) {
    for (const Option& option : options) {
      body.u16(option.code);
      body.u16(option.value.size());
      body.raw(option.value);
      body.pad4();
    }
    if (!options.empty()) body.zeros(4);
  }

  ByteWriter out_;
};

}  // namespace weir::test
