// SPDX-License-Identifier: Apache-2.0
#include "weir/catalog.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "base/assert.h"
#include "schema/nearest.h"

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

constexpr size_t kNameSizeMax = kNearestSizeMax;  // so that "did you mean" knows every name

constexpr size_t kHostSizeMax = 255;           // RFC 1035, section 2.3.4
constexpr size_t kDomainSizeMax = UINT16_MAX;  // of Catalog::Domain::text_size

bool is_unsigned(FieldType type) {
  return type == FieldType::kU8 || type == FieldType::kU16 || type == FieldType::kU32 ||
         type == FieldType::kU64;
}

}  // namespace

const Field* Catalog::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::string_view Catalog::nearest(std::string_view name) const {
  Nearest nearest(name);
  for (const Field& field : fields_) nearest.offer(field.name);
  return nearest.found();
}

const Alias* Catalog::find_alias(std::string_view name) const {
  for (const Alias& alias : aliases_) {
    if (alias.name == name) return &alias;
  }
  return nullptr;
}

std::string_view Catalog::nearest_or_alias(std::string_view name) const {
  Nearest nearest(name);
  for (const Field& field : fields_) nearest.offer(field.name);
  for (const Alias& alias : aliases_) nearest.offer(alias.name);
  return nearest.found();
}

namespace {

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
}

}  // namespace

uint8_t Catalog::protocol_number(std::string_view name) const noexcept {
  for (size_t index = 0; index < protocols_.size(); ++index) {
    if (protocols_[index]->name == name) return static_cast<uint8_t>(index + 1);
  }
  return kUnknownApp;
}

std::string_view Catalog::app_name(uint8_t app) const noexcept {
  return app == kUnknownApp || app > protocols_.size() ? "unknown" : protocols_[app - 1u]->name;
}

uint8_t Catalog::protocol_of(uint16_t attribute) const noexcept {
  size_t number = protocols_.size();
  while (number > 0 && first_attributes_[number] > attribute) --number;
  return static_cast<uint8_t>(number);
}

std::string_view Catalog::service_name(uint16_t service) const noexcept {
  return service == kNoService || service > services_.size()
             ? std::string_view()
             : std::string_view(services_[service - 1u].name);
}

namespace {

// FNV-1a, fed from the last letter to the first: so the hash of a domain is on the way to that of
// all names below it.
constexpr uint64_t kHashBegin = 0xcbf29ce484222325;
uint64_t add_to_hash(uint64_t hash, char letter) noexcept {
  return (hash ^ static_cast<uint8_t>(letter)) * 0x100000001b3;
}
uint32_t fold(uint64_t hash) noexcept {
  return static_cast<uint32_t>((hash * 0x9e3779b97f4a7c15) >> 32);
}

bool is_equal(std::string_view name, std::string_view lower_case) noexcept {
  return std::equal(name.begin(), name.end(), lower_case.begin(), lower_case.end(),
                    [](char x, char y) { return lower(x) == y; });
}

}  // namespace

uint16_t Catalog::service_of_domain(std::string_view name, uint64_t full_hash) const noexcept {
  const uint32_t hash = fold(full_hash);
  const size_t mask = domains_.size() - 1;
  for (size_t place = hash & mask; domains_[place].service != kNoService;
       place = (place + 1) & mask) {
    const Domain& domain = domains_[place];
    if (domain.hash != hash) continue;
    const std::string_view texts = domain_texts_;
    if (is_equal(name, texts.substr(domain.text_begin, domain.text_size))) return domain.service;
  }
  return kNoService;
}

// One pass from the end, with a look-up at each border of labels, as far as any domain goes: so
// labels in front cost nothing, and cannot hide a domain. 40 to 180 ns with the built-in services,
// where a map of strings asked for each suffix took 300 to 660 (virtual machine on AMD EPYC with
// other work, GCC 12, -O3).
uint16_t Catalog::service_of(std::string_view host) const noexcept {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  if (host.size() > kHostSizeMax || domains_.empty()) return kNoService;
  const size_t size_max = std::min(host.size(), domain_size_max_);
  uint64_t hash = kHashBegin;
  size_t label_count = 0;
  uint16_t service = kNoService;
  for (size_t size = 1; size <= size_max; ++size) {
    const size_t begin = host.size() - size;
    hash = add_to_hash(hash, lower(host[begin]));
    if (begin > 0 && host[begin - 1] != '.') continue;
    const uint16_t found = service_of_domain(host.substr(begin), hash);
    if (found != kNoService) service = found;
    if (++label_count == domain_label_count_max_) break;
  }
  return service;
}

CatalogBuilder& CatalogBuilder::add(std::span<const Field> rows) {
  ASSERT(catalog_.protocols_.empty());
  for (const Field& row : rows) {
    ASSERT(is_well_formed(row.name));
    ASSERT(row.name.size() <= kNameSizeMax);
    ASSERT(catalog_.find(row.name) == nullptr && catalog_.find_alias(row.name) == nullptr);
    ASSERT(row.get != nullptr);
    ASSERT(!row.heading.empty());
    ASSERT(!row.help.empty());
    catalog_.fields_.push_back(row);
  }
  return *this;
}

CatalogBuilder& CatalogBuilder::add(std::span<const Alias> rows) {
  for (const Alias& row : rows) {
    ASSERT(is_well_formed(row.name));
    ASSERT(row.name.size() <= kNameSizeMax);
    ASSERT(catalog_.find(row.name) == nullptr && catalog_.find_alias(row.name) == nullptr);
    ASSERT(!row.help.empty());
    const Field* first = catalog_.find(row.members[0]);
    const Field* second = catalog_.find(row.members[1]);
    ASSERT(first != nullptr && second != nullptr && first->type == second->type);
    ASSERT(!first->is_member() && !second->is_member());
    ASSERT(row.means == Alias::Means::kEither || is_unsigned(first->type));
    catalog_.aliases_.push_back(row);
  }
  return *this;
}

// A member's parent is the object whose name it continues: "dns.answers.ttl", "dns.answers".
CatalogBuilder& CatalogBuilder::add(const Protocol& protocol) {
  ASSERT(is_well_formed(protocol.name) || protocol.name.find('-') != std::string_view::npos);
  ASSERT(catalog_.protocol_number(protocol.name) == kUnknownApp);
  ASSERT(catalog_.protocols_.size() < kProtocolCountMax);
  ASSERT(protocol.state_size <= kProtocolStateSizeMax);
  if (catalog_.protocols_.empty()) catalog_.first_attribute_ = catalog_.fields_.size();
  catalog_.protocols_.push_back(&protocol);
  const size_t number = catalog_.protocols_.size();
  const uint16_t first = catalog_.attribute_count_;
  catalog_.first_attributes_[number] = first;
  for (size_t index = 0; index < protocol.attributes.size(); ++index) {
    const Attribute& row = protocol.attributes[index];
    ASSERT(row.index == index);
    ASSERT(is_well_formed(row.name));
    ASSERT(row.name.size() <= kNameSizeMax);
    ASSERT(catalog_.find(row.name) == nullptr && catalog_.find_alias(row.name) == nullptr);
    ASSERT(!row.help.empty());
    Field field{row.name, row.type, row.unit, row.name, row.help, {}};
    field.attribute = catalog_.attribute_count_;
    field.keep = row.keep;
    field.names_service = row.names_service;
    for (uint16_t before = first; before < catalog_.attribute_count_; ++before) {
      const Field& object = *catalog_.attribute(before);
      if (object.type == FieldType::kObject && row.name.size() > object.name.size() &&
          row.name.starts_with(object.name) && row.name[object.name.size()] == '.') {
        field.parent = before;
      }
    }
    catalog_.fields_.push_back(field);
    ++catalog_.attribute_count_;
  }
  return *this;
}

CatalogBuilder& CatalogBuilder::add(Service service) {
  ASSERT(catalog_.services_.size() < UINT16_MAX);
  const auto number = static_cast<uint16_t>(catalog_.services_.size() + 1);
  for (const std::string& domain : service.domains) {
    ASSERT(domain.size() <= kDomainSizeMax);
    domains_[domain] = number;
  }
  catalog_.services_.push_back(std::move(service));
  return *this;
}

// A quarter of the table is in use at most, so a look-up ends after a place or two.
void CatalogBuilder::index_domains() {
  if (domains_.empty()) return;
  catalog_.domains_.resize(std::bit_ceil(4 * domains_.size()));
  const size_t mask = catalog_.domains_.size() - 1;
  for (const auto& [text, service] : domains_) {
    uint64_t hash = kHashBegin;
    for (size_t index = text.size(); index-- > 0;) hash = add_to_hash(hash, text[index]);
    size_t place = fold(hash) & mask;
    while (catalog_.domains_[place].service != kNoService) place = (place + 1) & mask;
    ASSERT(catalog_.domain_texts_.size() + text.size() <= UINT32_MAX);
    catalog_.domains_[place] = {fold(hash), static_cast<uint32_t>(catalog_.domain_texts_.size()),
                                static_cast<uint16_t>(text.size()), service};
    catalog_.domain_texts_.append(text);
    const auto dot_count = static_cast<size_t>(std::count(text.begin(), text.end(), '.'));
    catalog_.domain_size_max_ = std::max(catalog_.domain_size_max_, text.size());
    catalog_.domain_label_count_max_ = std::max(catalog_.domain_label_count_max_, dot_count + 1);
  }
  domains_.clear();
}

Catalog CatalogBuilder::freeze() {
  index_domains();
  return std::exchange(catalog_, Catalog());
}

}  // namespace weir
