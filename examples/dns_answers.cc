// SPDX-License-Identifier: Apache-2.0
//
// What names resolve to, and how often: counts the addresses in DNS answers of a capture.
//
//   dns_answers sample.pcap
#include <cstdio>
#include <map>

#include "weir/attribute_block.h"
#include "weir/handler.h"

namespace {

// "www.example.com" A "192.0.2.80": the answer's members but for its ttl, which only counts down.
std::string describe(const weir::AttributeEvent& event) {
  std::string text;
  weir::Value rest = event.value;
  weir::Value member;
  const weir::Field* field = nullptr;
  while (weir::next_element(event.catalog, rest, field, member)) {
    if (field->name == "dns.answers.ttl") continue;
    if (!text.empty()) text += ' ';
    weir::append_json(text, event.catalog, member);
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: dns_answers CAPTURE\n");
    return 2;
  }

  // Each answer record is an event. A condition sees the whole message and its flow.
  weir::Handler handler;
  std::map<std::string, int> counts;
  std::string error;
  const bool is_known = handler.on_attribute(
      "dns.answers", [&](const weir::AttributeEvent& event) { ++counts[describe(event)]; },
      "dns.rcode == NOERROR and src_port != 5353", &error);
  if (is_known) weir::read_capture(argv[1], handler, &error);

  for (const auto& [answer, count] : counts) std::printf("%6d %s\n", count, answer.c_str());
  if (!error.empty()) std::fprintf(stderr, "%s\n", error.c_str());
  return error.empty() ? 0 : 1;
}
