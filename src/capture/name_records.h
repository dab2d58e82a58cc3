// SPDX-License-Identifier: Apache-2.0
//
// NameRecords: which host names the captures of a run themselves give for addresses (name
// resolution blocks of pcapng).
//
// The first name of an address stays, and at most kCountMax addresses are kept; what comes then is
// counted. Names are the writer's claim, bytes of any kind: whoever shows one escapes it. Not here:
// looking anything up.
//
// Threads: one thread adds; anybody may read when it is done.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace weir {

class NameRecords {
 public:
  static constexpr size_t kCountMax = 65'536;
  // Longest name DNS has; longer ones are cut.
  static constexpr size_t kNameSizeMax = 255;

  // An address has 4 bytes (IPv4) or 16 (IPv6). Empty names are not kept.
  void add(std::span<const uint8_t> address, std::string_view name);
  // Empty when there is none. Valid for the life of the object.
  std::string_view find(std::span<const uint8_t> address) const;
  size_t count() const { return names_.size(); }
  uint64_t rejected_count() const { return rejected_count_; }  // beyond kCountMax

 private:
  using Key = std::array<uint8_t, 17>;  // how many bytes, then those
  static Key key_of(std::span<const uint8_t> address);

  std::map<Key, std::string> names_;
  uint64_t rejected_count_ = 0;
};

}  // namespace weir
