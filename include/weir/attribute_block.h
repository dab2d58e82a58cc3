// SPDX-License-Identifier: Apache-2.0
//
// The attributes of a flow, or of one message of it, as bytes: docs/formats/attributes.md.
//
//   block  = entry*                      sorted by number in a flow's record
//   entry  = number (2)  size (2)  value (size)      little endian
//
// Numbers are those of the catalogue (Field::attribute). Several values of a list follow each other
// with the same number. The value of an object is a block of its members. A value's form follows
// from its field's type: numbers and times little endian without leading zero bytes, booleans one
// byte, addresses 4, 6 or 16 bytes, text and bytes as they are.
//
// Errors: bytes that are no block end a walk early; nothing is allocated by a size. Threads: pure; any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weir/catalog.h"
#include "weir/field.h"

namespace weir {

inline constexpr size_t kEntryHeaderSize = 4;
inline constexpr size_t kNestingMax = 3;  // objects in objects, the outermost counted

struct AttributeEntry {
  uint16_t number = kNoAttribute;
  std::span<const uint8_t> value;
};

// Walks a block from its begin. What is cut ends the walk.
class AttributeReader {
 public:
  explicit AttributeReader(std::span<const uint8_t> block) : rest_(block) {}
  // False at the end.
  bool next(AttributeEntry& entry) noexcept;
  std::span<const uint8_t> rest() const noexcept { return rest_; }

 private:
  std::span<const uint8_t> rest_;
};

// What an entry means; `field` is that of its number. An object stays encoded.
void decode_attribute(const Field& field, const AttributeEntry& entry, Value& value);
// The value of one attribute in a block, absent when it is not there. A list attribute is a kList of
// all its entries.
void find_attribute(const Field& field, std::span<const uint8_t> block, Value& value);
// The next element of a kList or kObject, with its number; false at the end. `list.encoded` moves on.
bool next_element(const Catalog& catalog, Value& list, const Field*& field, Value& element);

// As plain text: elements of a list with spaces between, an object as {name=value …}.
void append_text(std::string& out, const Catalog& catalog, const Value& value);
// As JSON: lists as arrays, objects as objects.
void append_json(std::string& out, const Catalog& catalog, const Value& value);
// A whole block as the members of a JSON object, one object per protocol: "tls":{"sni":"…"},"…".
// Nothing for an empty block. Fields the catalogue does not show are left out.
void append_json_attributes(std::string& out, const Catalog& catalog,
                            std::span<const uint8_t> block);

// An entry at the end; whoever wants them sorted adds them so. At most 65,535 bytes of value.
void append_entry(std::vector<uint8_t>& out, uint16_t number, std::span<const uint8_t> value);
// The entries of a block whose fields are among these, in their order.
void append_chosen(std::vector<uint8_t>& out, std::span<const uint8_t> block,
                   std::span<const Field* const> fields);

}  // namespace weir
