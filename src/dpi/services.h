// SPDX-License-Identifier: Apache-2.0
//
// The well-known services weir knows, from services.inc, and those of a user's file
// (docs/formats/services.md). Which of them a host name belongs to is the catalogue's to say:
// Catalog::service_of().
//
// Threads: functions without state; any.
// Errors: a file that cannot be read, or has a line that makes no sense, is one line of text with
// the place, what is expected and what is there.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/catalog.h"

namespace weir {

// Of a user's file. The first is of its services and the built-in ones together.
inline constexpr size_t kServiceCountMax = 10'000;
inline constexpr size_t kServiceDomainCountMax = 64;  // of one line
inline constexpr size_t kServiceNameSizeMax = 32;
inline constexpr size_t kServiceDomainSizeMax = 253;   // RFC 1035, without the dot at the end
inline constexpr size_t kServiceLabelCountMax = 10;    // of a domain
inline constexpr size_t kServiceLineSizeMax = 20'000;  // 64 domains of the longest fit
inline constexpr size_t kServiceLineCountMax = 100'000;

struct ServiceCategory {
  std::string_view name;  // "video"
  std::string_view help;
};
std::span<const ServiceCategory> service_categories();

// In the order of the list.
std::vector<Service> built_in_services();

// Adds the services of a file. They win: a domain that another service had moves to that of the
// file, and the category of a service that is there already becomes that of the file. False with
// `error` when the file is not right; `services` is then what it was.
bool read_services(const std::string& path, std::vector<Service>& services, std::string& error);

// "video-2": lower-case letters, digits and dashes inside, at most kServiceNameSizeMax.
bool is_service_name(std::string_view name) noexcept;
// "example.com": labels of lower-case letters, digits, dashes and underscores, within the limits.
bool is_service_domain(std::string_view domain) noexcept;

}  // namespace weir
