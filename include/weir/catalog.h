// SPDX-License-Identifier: Apache-2.0
//
// Catalog: every field of the run, in output order, and the protocols and services whose numbers
// records carry. Built once at start and frozen; a later addition makes a new catalogue.
//
// Threads: immutable after freeze(); any thread may read it then.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weir/field.h"
#include "weir/protocol.h"

namespace weir {

inline constexpr size_t kProtocolCountMax = 255;  // numbers 1..255; 0 is kUnknownApp

// A well-known service: whose host names end in one of the domains.
struct Service {
  std::string name;                  // "youtube"
  std::string category;              // "video"
  std::vector<std::string> domains;  // lower case, without a dot in front
};

class Catalog {
 public:
  // Those of the flow record, then the attributes, protocol by protocol.
  std::span<const Field> fields() const { return fields_; }
  const Field* find(std::string_view name) const;
  // The nearest field name by edit distance, for "did you mean"; empty when none is near: more than
  // a third of the letters would have to change.
  std::string_view nearest(std::string_view name) const;

  std::span<const Alias> aliases() const { return aliases_; }
  const Alias* find_alias(std::string_view name) const;
  // As nearest(), of fields and aliases.
  std::string_view nearest_or_alias(std::string_view name) const;

  // The field of an attribute's number; null when there is none.
  const Field* attribute(uint16_t number) const noexcept {
    return number < attribute_count_ ? &fields_[first_attribute_ + number] : nullptr;
  }
  uint16_t attribute_count() const noexcept { return attribute_count_; }

  // Protocol n of records is protocols()[n - 1].
  std::span<const Protocol* const> protocols() const { return protocols_; }
  uint8_t protocol_number(std::string_view name) const noexcept;  // kUnknownApp when not there
  std::string_view app_name(uint8_t app) const noexcept;          // "unknown" for kUnknownApp
  // Attribute `index` of protocol `app` has the number first_attribute(app) + index.
  uint16_t first_attribute(uint8_t app) const noexcept { return first_attributes_[app]; }

  // Whose attribute it is.
  uint8_t protocol_of(uint16_t attribute) const noexcept;

  // Service n of records is services()[n - 1].
  std::span<const Service> services() const { return services_; }
  std::string_view service_name(uint16_t service) const noexcept;  // "" for kNoService
  // Whose domain the host name is, or ends in at the border of a label; the longest domain wins.
  // Case and a dot at the end do not matter; a name of more than 255 bytes has none.
  uint16_t service_of(std::string_view host) const noexcept;

 private:
  friend class CatalogBuilder;
  std::vector<Field> fields_;
  std::vector<Alias> aliases_;
  size_t first_attribute_ = 0;  // in fields_
  uint16_t attribute_count_ = 0;
  std::vector<const Protocol*> protocols_;
  std::array<uint16_t, kProtocolCountMax + 1> first_attributes_{};
  std::vector<Service> services_;

  // Domains by their hash, in a table with free places: `service` is kNoService there.
  struct Domain {
    uint32_t hash = 0;
    uint32_t text_begin = 0;  // in domain_texts_
    uint16_t text_size = 0;
    uint16_t service = kNoService;
  };
  uint16_t service_of_domain(std::string_view name, uint64_t hash) const noexcept;
  std::vector<Domain> domains_;
  std::string domain_texts_;
  size_t domain_size_max_ = 0;
  size_t domain_label_count_max_ = 0;
};

class CatalogBuilder {
 public:
  // Asserts that names are unique and well-formed: a bug, not an input error. Fields of the record
  // before protocols.
  CatalogBuilder& add(std::span<const Field> rows);
  // Of fields added before; what they name must outlive the catalogue, as the names in field rows.
  CatalogBuilder& add(std::span<const Alias> rows);
  // The protocol and its attribute rows must outlive the catalogue.
  CatalogBuilder& add(const Protocol& protocol);
  // A domain that several services claim is that of the last one added.
  CatalogBuilder& add(Service service);
  Catalog freeze();

 private:
  void index_domains();
  Catalog catalog_;
  std::unordered_map<std::string, uint16_t> domains_;
};

}  // namespace weir
