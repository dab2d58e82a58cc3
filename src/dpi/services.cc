// SPDX-License-Identifier: Apache-2.0
#include "dpi/services.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <unordered_map>
#include <utility>

#include "base/text.h"

namespace weir {
namespace {

constexpr size_t kLabelSizeMax = 63;  // RFC 1035, section 2.3.4
constexpr size_t kQuotedSizeMax = 64;

constexpr ServiceCategory kCategories[] = {
#define SERVICE_CATEGORY(name, help) {name, help},
#include "dpi/services.inc"
};

struct Row {
  std::string_view name;
  std::string_view category;
  std::string_view domains;
};
constexpr Row kRows[] = {
#define SERVICE(name, category, domains) {name, category, domains},
#include "dpi/services.inc"
};

bool is_category(std::string_view name) {
  return std::any_of(std::begin(kCategories), std::end(kCategories),
                     [&](const ServiceCategory& category) { return category.name == name; });
}

// Takes the first word off a line; empty when there is none.
std::string_view take_word(std::string_view& line) {
  constexpr std::string_view kBlanks = " \t";
  const size_t begin = std::min(line.find_first_not_of(kBlanks), line.size());
  const size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

bool is_letter_or_digit(char character) noexcept {
  return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
}

std::string lower_case(std::string_view word) {
  std::string text(word);
  for (char& character : text) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character | 0x20);
  }
  return text;
}

// The services of a file, line by line, on top of those that are there.
class ServiceFile {
 public:
  ServiceFile(const std::string& path, std::vector<Service> services)
      : path_(path), services_(std::move(services)) {
    for (size_t index = 0; index < services_.size(); ++index) {
      names_[services_[index].name] = {index, 0};
      for (const std::string& domain : services_[index].domains) domains_[domain] = {index, 0};
    }
  }

  bool read() {
    std::ifstream file(path_, std::ios::binary);
    if (!file) return world_failed();
    std::vector<char> buffer(kServiceLineSizeMax + 1);
    while (true) {
      file.getline(buffer.data(), static_cast<std::streamsize>(buffer.size()));
      if (file.bad()) return world_failed();
      if (file.eof() && file.gcount() == 0) return true;
      ++line_number_;
      if (file.fail()) return expected("at most 20,000 bytes in a line", "more");
      if (line_number_ > kServiceLineCountMax) return expected("at most 100,000 lines", "more");
      if (!read_line(std::string_view(buffer.data(), line_size(file)))) return false;
      if (file.eof()) return true;
    }
  }

  std::vector<Service> take_services() { return std::move(services_); }
  const std::string& error() const { return error_; }

 private:
  // A service, and the line of the file where it, or its domain, stands; 0 for none.
  struct Place {
    size_t service = 0;
    size_t line_number = 0;
  };

  // What getline() took includes the line break, if there is one.
  static size_t line_size(const std::ifstream& file) {
    const auto size = static_cast<size_t>(file.gcount());
    return file.eof() ? size : size - 1;
  }

  bool read_line(std::string_view line) {
    line = line.substr(0, line.find('#'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string_view name = take_word(line);
    if (name.empty()) return true;
    if (!is_service_name(name)) {
      return expected("a name of lower-case letters, digits and dashes, at most 32", name);
    }
    const std::string_view category = take_word(line);
    if (!is_category(category)) {
      return expected("a category such as \"video\" (docs/formats/services.md)", category);
    }
    const auto [place, is_new] = names_.try_emplace(std::string(name));
    if (place->second.line_number != 0) return expected_once(name, place->second);
    if (is_new) {
      if (services_.size() == kServiceCountMax) return expected("at most 10,000 services", name);
      place->second.service = services_.size();
      services_.push_back({std::string(name), {}, {}});
    }
    place->second.line_number = line_number_;
    services_[place->second.service].category = category;
    return read_domains(line, place->second.service);
  }

  bool read_domains(std::string_view line, size_t service) {
    size_t count = 0;
    for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
      const std::string domain = lower_case(word);
      if (!is_service_domain(domain)) return expected("a domain such as \"example.com\"", word);
      if (++count > kServiceDomainCountMax) return expected("at most 64 domains in a line", word);
      if (!claim(domain, service)) return false;
    }
    return count > 0 || expected("one or more domains behind the category", "");
  }

  bool claim(const std::string& domain, size_t service) {
    const auto [place, is_new] = domains_.try_emplace(domain);
    if (place->second.line_number != 0) return expected_once(domain, place->second);
    if (!is_new) std::erase(services_[place->second.service].domains, domain);
    place->second = {service, line_number_};
    services_[service].domains.push_back(domain);
    return true;
  }

  bool world_failed() {
    error_ = path_ + ": cannot be read: " + std::strerror(errno);
    return false;
  }

  bool expected(std::string_view what, std::string_view got) {
    error_ = path_ + ":" + std::to_string(line_number_) + ": expected " + std::string(what);
    error_ += ", got ";
    if (got.empty()) {
      error_ += "nothing";
    } else {
      append_json_string(error_, got.substr(0, kQuotedSizeMax));
    }
    return false;
  }

  bool expected_once(std::string_view word, const Place& place) {
    error_ = path_ + ":" + std::to_string(line_number_) + ": expected ";
    append_json_string(error_, word.substr(0, kQuotedSizeMax));
    error_ += " once, it is in line " + std::to_string(place.line_number) + " already";
    return false;
  }

  const std::string& path_;
  std::vector<Service> services_;
  std::unordered_map<std::string, Place> names_;
  std::unordered_map<std::string, Place> domains_;
  size_t line_number_ = 0;
  std::string error_;
};

}  // namespace

std::span<const ServiceCategory> service_categories() {
  return kCategories;
}

std::vector<Service> built_in_services() {
  std::vector<Service> services;
  services.reserve(std::size(kRows));
  for (const Row& row : kRows) {
    Service& service = services.emplace_back();
    service.name = row.name;
    service.category = row.category;
    std::string_view rest = row.domains;
    for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
      service.domains.emplace_back(word);
    }
  }
  return services;
}

bool read_services(const std::string& path, std::vector<Service>& services, std::string& error) {
  ServiceFile file(path, services);
  if (!file.read()) {
    error = file.error();
    return false;
  }
  services = file.take_services();
  return true;
}

bool is_service_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > kServiceNameSizeMax) return false;
  if (!is_letter_or_digit(name.front()) || !is_letter_or_digit(name.back())) return false;
  return std::all_of(name.begin(), name.end(), [](char character) {
    return is_letter_or_digit(character) || character == '-';
  });
}

bool is_service_domain(std::string_view domain) noexcept {
  if (domain.empty() || domain.size() > kServiceDomainSizeMax) return false;
  size_t label_size = 0;
  size_t label_count = 1;
  for (const char character : domain) {
    if (character == '.') {
      if (label_size == 0 || ++label_count > kServiceLabelCountMax) return false;
      label_size = 0;
    } else if (is_letter_or_digit(character) || character == '-' || character == '_') {
      if (++label_size > kLabelSizeMax) return false;
    } else {
      return false;
    }
  }
  return label_size > 0;
}

}  // namespace weir
