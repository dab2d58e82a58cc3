// SPDX-License-Identifier: Apache-2.0
//
// ProtocolSet: some of the protocols of a catalogue, a bit each; ProtocolTable: which of them a payload
// may be of, by transport, first byte and size, and whom its ports suggest.
//
// Threads: a table is immutable once made; any.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <unordered_map>

#include "weir/catalog.h"
#include "weir/protocol.h"

namespace weir {

// By number (Catalog::protocol_number). Number 0 is nobody.
class ProtocolSet {
 public:
  void insert(uint8_t number) noexcept { words_[number / 64u] |= uint64_t{1} << number % 64; }
  void erase(uint8_t number) noexcept { words_[number / 64u] &= ~(uint64_t{1} << number % 64); }
  bool contains(uint8_t number) const noexcept {
    return (words_[number / 64u] >> number % 64 & 1) != 0;
  }
  bool is_empty() const noexcept { return (words_[0] | words_[1] | words_[2] | words_[3]) == 0; }
  ProtocolSet& operator&=(const ProtocolSet& other) noexcept {
    for (size_t word = 0; word < words_.size(); ++word) words_[word] &= other.words_[word];
    return *this;
  }
  ProtocolSet& operator|=(const ProtocolSet& other) noexcept {
    for (size_t word = 0; word < words_.size(); ++word) words_[word] |= other.words_[word];
    return *this;
  }
  ProtocolSet& operator-=(const ProtocolSet& other) noexcept {
    for (size_t word = 0; word < words_.size(); ++word) words_[word] &= ~other.words_[word];
    return *this;
  }
  // The lowest number, which is taken out; 0 when empty.
  uint8_t take_first() noexcept {
    for (size_t word = 0; word < words_.size(); ++word) {
      if (words_[word] == 0) continue;
      const int bit = std::countr_zero(words_[word]);
      words_[word] &= words_[word] - 1;
      return static_cast<uint8_t>(word * 64 + static_cast<size_t>(bit));
    }
    return kUnknownApp;
  }

 private:
  std::array<uint64_t, 4> words_{};
};

class ProtocolTable {
 public:
  explicit ProtocolTable(const Catalog& catalog);

  // Who may have a flow over this transport whose payload begins so; `bytes` is not empty.
  ProtocolSet candidates(Transport transport, std::span<const uint8_t> bytes,
                         uint32_t wire_size) const noexcept;
  // All that run over the transport.
  const ProtocolSet& over(Transport transport) const noexcept;
  // Who uses the port, over this transport.
  ProtocolSet hinted(Transport transport, uint16_t port) const noexcept;
  const Protocol& protocol(uint8_t number) const noexcept {
    return *catalog_.protocols()[number - 1u];
  }
  const Catalog& catalog() const noexcept { return catalog_; }

 private:
  static constexpr size_t kTransportCount = 6;
  static constexpr size_t kSizeClassCount = 16;
  static size_t index_of(Transport transport) noexcept {
    return static_cast<size_t>(std::countr_zero(static_cast<unsigned>(transport)));
  }
  // 0 for one byte, 1 for 2 and 3, … so that a class is of sizes from 2^class on.
  static size_t size_class(uint32_t size) noexcept {
    const auto width = static_cast<size_t>(std::bit_width(size));
    return width == 0 ? 0 : std::min(width - 1, kSizeClassCount - 1);
  }

  const Catalog& catalog_;
  std::array<ProtocolSet, kTransportCount> by_transport_{};
  std::array<ProtocolSet, 256> by_first_byte_{};
  std::array<ProtocolSet, kSizeClassCount> by_size_{};
  std::unordered_map<uint32_t, ProtocolSet> by_port_;  // transport << 16 | port
};

}  // namespace weir
