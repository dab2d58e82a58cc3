// SPDX-License-Identifier: Apache-2.0
//
// The filter language: one expression over the fields of the catalogue, asked of one flow record or
// one message. docs/formats/filter.md is the language as users see it.
//
//   app == tls and dst_port in {443, 8443} and tls.sni contains "example"
//
// Names, types and allowed words are the catalogue's; this folder knows no field. Plans over many
// records are the store's, which walks expression().
//
// Errors: of a text that is no filter, the column and one line a user can act on. Whatever the
// record holds, matches() answers.
// Threads: a Filter never changes; any number of threads may ask it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "filter/expression.h"
#include "weir/catalog.h"
#include "weir/field.h"

namespace weir {

// Whatever has values of fields.
class ValueSource {
 public:
  // Fills `value`, which is absent on entry, or leaves it so. Of a member of an object nobody asks:
  // of the outermost object it is in. A list may come with entries of other attributes between its
  // own.
  virtual void value(const Field& field, Value& value) const = 0;

 protected:
  ~ValueSource() = default;
};

class RecordValues final : public ValueSource {
 public:
  // Both must outlive it.
  RecordValues(const FlowRecord& record, const RecordNames& names)
      : record_(record), names_(names) {}
  void value(const Field& field, Value& value) const override;

 private:
  const FlowRecord& record_;
  const RecordNames& names_;
};

// One message: a block of attributes, and values of other fields that go with it, such as those of
// its flow.
class MessageValues final : public ValueSource {
 public:
  struct Extra {
    const Field* field = nullptr;
    Value value;
  };
  // What the spans show must outlive it.
  explicit MessageValues(std::span<const uint8_t> block, std::span<const Extra> extras = {})
      : block_(block), extras_(extras) {}
  void value(const Field& field, Value& value) const override;

 private:
  std::span<const uint8_t> block_;
  std::span<const Extra> extras_;
};

struct FilterOptions {
  // What `-5m` is before. A program that watches says now, a store its newest record. Without it a
  // relative time is an error.
  std::optional<int64_t> reference_ns;
};

struct FilterError {
  size_t column = 0;    // from 1, in characters; where the mistake begins
  std::string message;  // one line of lower case, safe for a terminal
};

class Filter {
 public:
  // Allocates nothing, but what RE2 keeps of a pattern (filter/text_pattern.h).
  bool matches(const ValueSource& source) const;
  bool matches(const FlowRecord& record, const RecordNames& names) const {
    return matches(RecordValues(record, names));
  }

  // The canonical text: blanks, numbers, sets and parentheses in one form, relative times as what
  // they were at parsing. Parsed again it gives an equal filter with the same text.
  const std::string& text() const { return text_; }
  // Every field the answer depends on, once, in order of first sight; those of an alias instead of
  // it, and with a member of an object the objects it is in.
  std::span<const Field* const> fields() const { return fields_; }
  const FilterExpression& expression() const { return expression_; }

 private:
  friend std::optional<Filter> parse_filter(std::string_view, const Catalog&, const FilterOptions&,
                                            FilterError&);
  FilterExpression expression_;
  std::vector<const Field*> fields_;
  std::string text_;
};

// None, and `error`, of what is no filter. The catalogue must outlive the filter.
std::optional<Filter> parse_filter(std::string_view text, const Catalog& catalog,
                                   const FilterOptions& options, FilterError& error);
inline std::optional<Filter> parse_filter(std::string_view text, const Catalog& catalog,
                                          FilterError& error) {
  return parse_filter(text, catalog, {}, error);
}

}  // namespace weir
