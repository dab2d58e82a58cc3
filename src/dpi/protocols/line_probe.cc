// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocols/line_probe.h"

#include <algorithm>

namespace weir {
namespace {

constexpr size_t kLinesJudgedMax = 16;  // of one direction: a session says what it is before
constexpr size_t kLineSizeMax = 1024;   // of a line that is judged: longer ones by their begin
constexpr size_t kVerbSizeMax = 10;

// A command's letters before the blank or the end.
WireText verb_of(WireText line) {
  size_t size = 0;
  while (size < line.size() && (is_letter(line[size]) || is_digit(line[size]) || line[size] == '-'))
    ++size;
  return line.first(size);
}

Evidence judge_command(WireText line, const LineEvidence& evidence) {
  const WireText verb = verb_of(line);
  if (verb.empty() || verb.size() > kVerbSizeMax || !is_letter(verb.front()))
    return Evidence::kAgainst;
  if (verb.size() < line.size() && !is_blank(line[verb.size()])) return Evidence::kAgainst;
  return evidence.of_command(verb, trimmed(line.subspan(verb.size())));
}

// A line without its end, or half of that: it waits, but for what cannot become one.
Evidence judge_begin(WireText begin) {
  const WireText line = begin.back() == '\r' ? begin.first(begin.size() - 1) : begin;
  if (!is_text(line)) return Evidence::kAgainst;
  const WireText verb = verb_of(line);
  if (verb.empty() || verb.size() > kVerbSizeMax) return Evidence::kAgainst;
  if (is_digit(verb.front())) {
    const size_t digits = std::min<size_t>(3, verb.size());
    return std::all_of(verb.begin(), verb.begin() + static_cast<std::ptrdiff_t>(digits), is_digit)
               ? Evidence::kNeutral
               : Evidence::kAgainst;
  }
  // Its arguments may be incomplete: "USER " is no command, "USER ann" will be one.
  const bool may_be_command = verb.size() == line.size() || is_blank(line[verb.size()]);
  return may_be_command ? Evidence::kNeutral : Evidence::kAgainst;
}

}  // namespace

Probe probe_lines(const Payload& payload, const LineEvidence& evidence) {
  WireText rest = payload.bytes;
  uint16_t continued = 0;  // code of a reply that has more lines
  bool is_first = payload.offset == 0 && !payload.is_midstream;
  for (size_t count = 0; count < kLinesJudgedMax && !rest.empty(); ++count) {
    const size_t end = find_byte(rest.first(std::min(rest.size(), kLineSizeMax)), '\n');
    const bool is_endless = end == kNotFound && rest.size() >= kLineSizeMax;
    if (end == kNotFound && !is_endless) {
      if (continued == 0 && judge_begin(rest) == Evidence::kAgainst) return Probe::no();
      return Probe::more(payload.bytes.size() + 1);
    }
    const size_t size = is_endless ? kLineSizeMax : end;
    const WireText line = rest.first(size > 0 && rest[size - 1] == '\r' ? size - 1 : size);
    rest = is_endless ? WireText() : rest.subspan(end + 1);
    ReplyLine reply = read_reply_line(line);
    Evidence found = Evidence::kAgainst;
    if (reply.code == 0 && continued != 0) {
      reply = {continued, false, line};
      found = evidence.of_reply(reply, is_first);
    } else if (reply.code != 0) {
      found = evidence.of_reply(reply, is_first);
      continued = reply.is_last ? 0 : reply.code;
    } else if (is_text(line)) {
      found = judge_command(line, evidence);
    }
    if (found == Evidence::kFor) return Probe::yes();
    if (found == Evidence::kAgainst) return Probe::no();
    if (continued == 0) is_first = false;
  }
  return Probe::maybe();
}

bool has_enhanced_status(const ReplyLine& reply) {
  WireText text = reply.text;
  uint64_t number = 0;
  if (!take_decimal(text, 5, number) || number != reply.code / 100u ||
      (number != 2 && number != 4 && number != 5))
    return false;
  for (int part = 0; part < 2; ++part) {
    if (text.empty() || text.front() != '.') return false;
    text = text.subspan(1);
    if (!take_decimal(text, 999, number)) return false;
  }
  return text.empty() || is_blank(text.front());
}

}  // namespace weir
