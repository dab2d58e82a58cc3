// SPDX-License-Identifier: Apache-2.0
#include "schema/catalog.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"

namespace weir {
namespace {

// snake_case words joined by dots: "src_ip", "tls.sni". Starts of words are letters.
bool is_well_formed(std::string_view name) {
  bool at_start = true;
  for (const char character : name) {
    const bool is_letter = character >= 'a' && character <= 'z';
    const bool is_digit = character >= '0' && character <= '9';
    const bool is_joint = character == '_' || character == '.';
    if (!is_letter && (at_start || (!is_digit && !is_joint))) return false;
    at_start = is_joint;
  }
  return !at_start;
}

// Names a user types are compared, nothing longer: the table of the distance has a fixed size.
constexpr size_t kNameSizeMax = 64;

// Levenshtein distance, one row at a time.
size_t edit_distance(std::string_view x, std::string_view y) {
  std::array<size_t, kNameSizeMax + 1> row;
  for (size_t column = 0; column <= y.size(); ++column) row[column] = column;
  for (size_t line = 1; line <= x.size(); ++line) {
    size_t diagonal = row[0];
    row[0] = line;
    for (size_t column = 1; column <= y.size(); ++column) {
      const size_t replaced = diagonal + (x[line - 1] == y[column - 1] ? 0 : 1);
      diagonal = row[column];
      row[column] = std::min({replaced, row[column] + 1, row[column - 1] + 1});
    }
  }
  return row[y.size()];
}

}  // namespace

const Field* Catalog::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::string_view Catalog::nearest(std::string_view name) const {
  if (name.size() > kNameSizeMax) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, name.size() / 3) + 1;
  for (const Field& field : fields_) {
    const size_t distance = edit_distance(name, field.name);
    if (distance < best_distance) {
      best = field.name;
      best_distance = distance;
    }
  }
  return best;
}

CatalogBuilder& CatalogBuilder::add(std::span<const Field> rows) {
  for (const Field& row : rows) {
    ASSERT(is_well_formed(row.name));
    ASSERT(row.name.size() <= kNameSizeMax);
    ASSERT(catalog_.find(row.name) == nullptr);
    ASSERT(row.get != nullptr);
    ASSERT(!row.heading.empty());
    ASSERT(!row.help.empty());
    catalog_.fields_.push_back(row);
  }
  return *this;
}

Catalog CatalogBuilder::freeze() {
  return std::exchange(catalog_, Catalog());
}

}  // namespace weir
