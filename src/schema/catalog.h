// SPDX-License-Identifier: Apache-2.0
//
// Catalog: every field of the run, in output order, built once at start and frozen.
//
// Threads: immutable after freeze(); any thread may read it then.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/field.h"

namespace weir {

class Catalog {
 public:
  std::span<const Field> fields() const { return fields_; }
  const Field* find(std::string_view name) const;
  // The nearest field name by edit distance, for "did you mean"; empty when none is near: more than
  // a third of the letters would have to change.
  std::string_view nearest(std::string_view name) const;

 private:
  friend class CatalogBuilder;
  std::vector<Field> fields_;
};

class CatalogBuilder {
 public:
  // Asserts that names are unique and well-formed: a bug, not an input error.
  CatalogBuilder& add(std::span<const Field> rows);
  Catalog freeze();

 private:
  Catalog catalog_;
};

}  // namespace weir
