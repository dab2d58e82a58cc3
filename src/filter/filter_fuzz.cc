// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a filter: refused with a column and one line, or a filter whose canonical text is
// one with the same answers. An even first byte: the others are the text. An odd one: each names a
// token of a list, which gets further into the grammar than bytes do.
#include <array>
#include <string>

#include "base/assert.h"
#include "filter/filter.h"
#include "tests/support/filter_catalog.h"

namespace {

constexpr std::array<std::string_view, 64> kTokens = {" and ",
                                                      " or ",
                                                      " not ",
                                                      "(",
                                                      ")",
                                                      "{",
                                                      "}",
                                                      ", ",
                                                      " in ",
                                                      " contains ",
                                                      " matches ",
                                                      "==",
                                                      "!=",
                                                      "<",
                                                      "<=",
                                                      ">",
                                                      ">=",
                                                      "..",
                                                      "final",
                                                      "tls.resumed",
                                                      "dst_port",
                                                      "port",
                                                      "bytes",
                                                      "uid",
                                                      "rtt",
                                                      "first_seen",
                                                      "src_ip",
                                                      "ip",
                                                      "mac",
                                                      "tls.sni",
                                                      "tls.alpn",
                                                      "tls.serial",
                                                      "app",
                                                      "service",
                                                      "state",
                                                      "vlan",
                                                      "dns.answers",
                                                      "dns.answers.data",
                                                      "dns.answers.ttl",
                                                      "dns.answers.option.code",
                                                      "dns.queries",
                                                      "delta",
                                                      "0",
                                                      "443",
                                                      "1.5K",
                                                      "0xff",
                                                      "-1",
                                                      "-5m",
                                                      "1.5s",
                                                      "2026-01-31",
                                                      "2026-01-31T12:00:00Z",
                                                      "10.0.0.1",
                                                      "10.0.0.0/8",
                                                      "2001:db8::1",
                                                      "::/0",
                                                      "02:00:00:00:00:01",
                                                      "00ff10",
                                                      "\"a\\\"\\xff\"",
                                                      "\"(?i)^W\"",
                                                      "tls",
                                                      "active",
                                                      "true",
                                                      "-",
                                                      "1"};

std::string text_of(const uint8_t* bytes, size_t size) {
  std::string text;
  for (size_t index = 1; index < size; ++index) {
    if (bytes[0] % 2 == 0) {
      text.push_back(static_cast<char>(bytes[index]));
    } else {
      text.append(kTokens[bytes[index] % kTokens.size()]);
    }
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace weir;
  if (size < 1) return 0;
  const Catalog& catalog = test::filter_test_catalog();
  static const FlowRecord kRecord = test::filter_test_record();
  const std::string text = text_of(bytes, size);
  FilterError error;
  const auto filter = parse_filter(text, catalog, {.reference_ns = kRecord.last_seen_ns}, error);
  if (!filter) {
    ASSERT(error.column >= 1 && error.column <= text.size() + 1);
    ASSERT(!error.message.empty());
    for (const char letter : error.message) ASSERT(static_cast<uint8_t>(letter) >= 0x20);
    return 0;
  }
  const auto again = parse_filter(filter->text(), catalog, {}, error);
  ASSERT(again.has_value());
  ASSERT(again->text() == filter->text());
  const RecordNames names{"eth0", &catalog};
  ASSERT(filter->matches(kRecord, names) == again->matches(kRecord, names));
  // And the same bytes as a message.
  const MessageValues message({bytes, size});
  ASSERT(filter->matches(message) == again->matches(message));
  return 0;
}
