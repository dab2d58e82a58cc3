// SPDX-License-Identifier: Apache-2.0
#include "export/table.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "flow/flow_fields.h"

namespace weir {
namespace {

enum Column : size_t {
  kTime,
  kProto,
  kApp,
  kSource,
  kDestination,
  kState,
  kDuration,
  kSrcPackets,
  kDstPackets,
  kSrcBytes,
  kDstBytes,
};

// What fills each column, or for endpoints gives it its heading.
constexpr std::array<std::string_view, Table::kColumnCount> kColumnFields = {
    kFirstSeenField, "proto",          kAppField,        kSrcIpField,    kDstIpField,   "state",
    "duration",      kSrcPacketsField, kDstPacketsField, kSrcBytesField, kDstBytesField};

// Left out in this order where the terminal is too narrow.
constexpr size_t kDroppable[] = {kDuration, kState, kSrcPackets, kDstPackets, kTime, kApp};

constexpr uint32_t kEndpointWidthMin = 21;  // the longest IPv4 address and port
constexpr size_t kDaySize = 10;             // "2005-07-04"

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kReset = "\x1b[0m";

bool is_number(size_t column) {
  return column >= kDuration;
}

// "192.0.2.1:443", "[2001:db8::1]:443", "00:1b:44:11:3a:b7". The ports of ICMP are no ports to
// people.
void append_endpoint(std::string& out, const FlowRecord& record, const FlowSide& side) {
  const bool is_icmp = record.proto_number == 1 || record.proto_number == 58;
  const bool shows_port = record.has_ports && !is_icmp;
  const bool has_brackets = shows_port && record.address_kind == AddressKind::kIpv6;
  if (has_brackets) out.push_back('[');
  append_address(out, record.address_kind, side.address);
  if (has_brackets) out.push_back(']');
  if (!shows_port) return;
  out.push_back(':');
  append_unsigned(out, side.port);
}

// "tls (youtube)"; what only a port says has a question mark.
void append_app(std::string& out, const FlowRecord& record, const Catalog& catalog) {
  if (record.app == kUnknownApp) return out.push_back('-');
  out.append(catalog.app_name(record.app));
  if (record.app_confidence == AppConfidence::kGuess) out.push_back('?');
  if (record.service == kNoService) return;
  out.append(" (").append(catalog.service_name(record.service)).push_back(')');
}

// Milliseconds are enough for people: "2005-07-04 09:32:20.839".
void append_short_time(std::string& out, int64_t ns) {
  constexpr size_t kShortTimeSize = 23;
  const size_t start = out.size();
  append_time(out, ns);
  out.resize(start + kShortTimeSize);
  out[start + kDaySize] = ' ';
}

// The middle goes, so that the network and the port stay. Endpoints are ASCII.
std::string shortened(const std::string& text, uint32_t width) {
  if (text.size() <= width) return text;
  const size_t tail = (width - 1) / 2;
  const size_t head = width - 1 - tail;
  return text.substr(0, head) + "…" + text.substr(text.size() - tail);
}

}  // namespace

Table::Table(const Catalog& catalog, const ExportOptions& options, OutputStream& stream)
    : catalog_(catalog), options_(options), stream_(stream) {
  for (size_t column = 0; column < kColumnCount; ++column) {
    fields_[column] = catalog.find(kColumnFields[column]);
    ASSERT(fields_[column] != nullptr);
    headings_[column] = fields_[column]->heading;
  }
}

Table::Row Table::cells_of(const FlowRecord& record, const RecordNames& names) const {
  Row row;
  append_endpoint(row[kSource], record, record.src);
  append_endpoint(row[kDestination], record, record.dst);
  append_app(row[kApp], record, catalog_);
  for (size_t column = 0; column < kColumnCount; ++column) {
    if (column == kSource || column == kDestination || column == kApp) continue;
    const Field& field = *fields_[column];
    Value value;
    field.get(record, names, value);
    if (field.type == FieldType::kTime) {
      append_short_time(row[column], value.signed_number);
    } else if (field.type == FieldType::kDuration) {
      append_duration_human(row[column], value.signed_number);
    } else if (field.unit == Unit::kPackets) {
      append_count_human(row[column], value.number);
    } else if (field.unit == Unit::kBytes) {
      append_bytes_human(row[column], value.number);
    } else {
      append_text(row[column], value);
    }
  }
  return row;
}

void Table::write(const FlowRecord& record, const RecordNames& names) {
  Row row = cells_of(record, names);
  if (is_laid_out_) return print(row, false);
  sample_.push_back(std::move(row));
  if (sample_.size() == kSampleCount) print_sample();
}

void Table::end() {
  if (!is_laid_out_) print_sample();
}

void Table::print_sample() {
  lay_out();
  is_laid_out_ = true;
  if (sample_.empty()) {
    stream_.buffer().append("no flows\n");
  } else {
    print(headings_, true);
  }
  for (const Row& row : sample_) print(row, false);
  sample_.clear();
}

void Table::lay_out() {
  if (sample_.empty()) return;
  day_ = sample_.front()[kTime].substr(0, kDaySize);
  for (const Row& row : sample_) {
    if (row[kTime].compare(0, kDaySize, day_) != 0) day_.clear();
  }
  if (!day_.empty()) headings_[kTime] = day_;

  const size_t time_start = day_.empty() ? 0 : kDaySize + 1;
  for (size_t column = 0; column < kColumnCount; ++column) {
    size_t width = column_count(headings_[column]);
    for (const Row& row : sample_) {
      const size_t cell_width = column_count(row[column]) - (column == kTime ? time_start : 0);
      width = std::max(width, cell_width);
    }
    widths_[column] = static_cast<uint32_t>(width);
  }
  fit();
}

uint32_t Table::total_width() const {
  uint32_t total = 0;
  for (const uint32_t width : widths_) total += width == 0 ? 0 : width + gap_;
  return total - gap_;
}

void Table::fit() {
  if (total_width() <= options_.width) return;
  gap_ = 1;
  const uint32_t natural_source = widths_[kSource];
  const uint32_t natural_destination = widths_[kDestination];
  for (size_t dropped = 0;; ++dropped) {
    widths_[kSource] = natural_source;
    widths_[kDestination] = natural_destination;
    const uint32_t total = total_width();
    if (total <= options_.width) return;
    const uint32_t rest = total - natural_source - natural_destination;
    const uint32_t room = options_.width > rest ? options_.width - rest : 0;
    // Each end gets half of the room, and what the other does not need.
    const uint32_t half = room / 2;
    widths_[kSource] =
        std::min(natural_source, std::max(half, room - std::min(room, natural_destination)));
    widths_[kDestination] = std::min(natural_destination, room - std::min(room, widths_[kSource]));
    const bool is_readable =
        widths_[kSource] >= std::min(natural_source, kEndpointWidthMin) &&
        widths_[kDestination] >= std::min(natural_destination, kEndpointWidthMin);
    if (is_readable) return;
    if (dropped == std::size(kDroppable)) break;
    widths_[kDroppable[dropped]] = 0;
  }
  // Narrower than anything useful: let the terminal wrap.
  widths_[kSource] = std::min(natural_source, kEndpointWidthMin);
  widths_[kDestination] = std::min(natural_destination, kEndpointWidthMin);
}

void Table::print(const Row& row, bool is_heading) {
  std::string& out = stream_.buffer();
  if (is_heading && options_.is_coloured) out.append(kBold);
  size_t owed = 0;  // blanks before the next cell; none at the end of a line
  for (size_t column = 0; column < kColumnCount; ++column) {
    const uint32_t width = widths_[column];
    if (width == 0) continue;
    std::string cell = row[column];
    if (column == kSource || column == kDestination) cell = shortened(cell, width);
    // A later row of another day keeps its date.
    const bool is_same_day = !is_heading && !day_.empty() && cell.compare(0, kDaySize, day_) == 0;
    if (column == kTime && is_same_day) cell.erase(0, kDaySize + 1);
    const size_t cell_width = column_count(cell);
    const size_t padding = cell_width < width ? width - cell_width : 0;
    out.append(owed + (is_number(column) ? padding : 0), ' ').append(cell);
    owed = gap_ + (is_number(column) ? 0 : padding);
  }
  if (is_heading && options_.is_coloured) out.append(kReset);
  out.push_back('\n');
  stream_.commit();
}

}  // namespace weir
