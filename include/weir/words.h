// SPDX-License-Identifier: Apache-2.0
//
// The words of the record's enumerations, indexed by their values: what records print and what a
// filter accepts. And Words, by which a field says which texts it can have.
//
// Threads: constants; any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "weir/flow_record.h"

namespace weir {

// Each is a literal, so its data() ends in a zero byte. An empty one is a value that is not shown.
inline constexpr std::array<std::string_view, kFlowStateCount> kFlowStateWords = {
    "new", "established", "active", "closing", "closed", "idle", "timed_out"};
inline constexpr std::array<std::string_view, kEndReasonCount> kEndReasonWords = {
    "", "idle", "end", "forced", "resources", "active"};
inline constexpr std::array<std::string_view, 3> kFlowOriginWords = {"syn", "first_packet",
                                                                     "service_port"};
inline constexpr std::array<std::string_view, 13> kConnStateWords = {
    "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"};
inline constexpr std::array<std::string_view, 3> kDecisionWords = {"undecided", "allow", "block"};
inline constexpr std::array<std::string_view, 4> kAppConfidenceWords = {"", "guess", "likely",
                                                                        "certain"};
inline constexpr std::array<std::string_view, 5> kAppMethodWords = {"", "port", "dpi", "handover",
                                                                    "expected"};

// The texts a field can have, where there is a list of them. A filter refuses all others, so that
// a misspelt one is an error and not a filter nothing passes.
class Words {
 public:
  enum class From : uint8_t {
    kAnything,   // there is no list
    kList,       // list(); empty texts in it do not count
    kProtocols,  // those of the catalogue, and "unknown"
    kServices,   // those of the catalogue
  };

  constexpr Words() = default;
  constexpr Words(std::span<const std::string_view> list) : from_(From::kList), list_(list) {}
  template <size_t kCount>
  constexpr Words(const std::array<std::string_view, kCount>& list)
      : Words(std::span<const std::string_view>(list)) {}
  static constexpr Words protocols() { return Words(From::kProtocols); }
  static constexpr Words services() { return Words(From::kServices); }

  constexpr From from() const { return from_; }
  constexpr std::span<const std::string_view> list() const { return list_; }

 private:
  explicit constexpr Words(From from) : from_(from) {}
  From from_ = From::kAnything;
  std::span<const std::string_view> list_;
};

}  // namespace weir
