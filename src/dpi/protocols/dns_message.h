// SPDX-License-Identifier: Apache-2.0
//
// The parts of a DNS message (RFC 1035, section 4), for every protocol that has its format: names,
// questions, records, and record data as text.
//
//   id 2 | flags 2 | question, answer, authority, additional counts 2 each | questions | records
//   question = name | type 2 | class 2
//   record   = name | type 2 | class 2 | time to live 4 | size 2 | data
//
// Every reader here spans a message to its end as captured, so that where it stands follows from what
// remains. A pointer of a compressed name must point before the part of the name it stands in: so
// no name is endless, whatever the message says.
//
// Errors: false when bytes are missing or make no sense. Threads: pure; any.
#pragma once

#include <cstdint>
#include <span>

#include "dpi/text_buffer.h"
#include "weir/byte_reader.h"

namespace weir {

inline constexpr uint32_t kDnsHeaderSize = 12;
inline constexpr uint32_t kDnsQuestionSizeMin = 5;
inline constexpr uint32_t kDnsRecordSizeMin = 11;

inline constexpr uint16_t kDnsFlagResponse = 0x8000;
inline constexpr uint16_t kDnsFlagAuthoritative = 0x0400;
inline constexpr uint16_t kDnsFlagTruncated = 0x0200;
inline constexpr uint16_t kDnsFlagRecursionDesired = 0x0100;
inline constexpr uint16_t kDnsFlagRecursionAvailable = 0x0080;
inline constexpr uint16_t kDnsFlagReserved = 0x0040;
inline constexpr uint16_t kDnsFlagAuthenticData = 0x0020;
inline constexpr uint16_t kDnsFlagCheckingDisabled = 0x0010;

inline constexpr uint16_t kDnsTypeA = 1;
inline constexpr uint16_t kDnsTypeAaaa = 28;
inline constexpr uint16_t kDnsTypeOpt = 41;

struct DnsHeader {
  uint16_t id = 0;
  uint16_t flags = 0;
  uint16_t question_count = 0;
  uint16_t answer_count = 0;
  uint16_t authority_count = 0;
  uint16_t additional_count = 0;

  bool is_response() const noexcept { return (flags & kDnsFlagResponse) != 0; }
  uint8_t opcode() const noexcept { return static_cast<uint8_t>(flags >> 11 & 15); }
  uint8_t rcode() const noexcept { return static_cast<uint8_t>(flags & 15); }
  uint32_t record_count() const noexcept {
    return uint32_t{answer_count} + authority_count + additional_count;
  }
};

struct DnsRecord {
  uint16_t type = 0;
  uint16_t record_class = 0;
  uint32_t ttl = 0;
  uint16_t data_size = 0;  // as the record says
  ByteReader data;         // at the data, to the end of the message
};

DnsHeader read_dns_header(ByteReader& reader) noexcept;
// Appends the name as text when `text` is not null: labels with dots between, "." for the root; a dot
// or backslash in a label has a backslash before it. `message` is what `reader` reads, from its begin.
bool read_dns_name(std::span<const uint8_t> message, ByteReader& reader,
                   AttributeText* text) noexcept;
// Reads past the name without looking where it points to.
bool skip_dns_name(ByteReader& reader) noexcept;
// What follows the name of a record. True when the head is there: the data may be cut.
bool read_dns_record(ByteReader& reader, DnsRecord& record) noexcept;
bool is_whole(const DnsRecord& record) noexcept;

void append_dns_type(AttributeText& text, uint16_t type) noexcept;           // "AAAA", "TYPE4711"
void append_dns_class(AttributeText& text, uint16_t record_class) noexcept;  // "IN", "CLASS42"
void append_dns_opcode(AttributeText& text, uint8_t opcode) noexcept;        // "QUERY", "OPCODE7"
void append_dns_rcode(AttributeText& text, uint16_t rcode) noexcept;  // "NXDOMAIN", "RCODE12"
bool is_dns_type(uint16_t type) noexcept;                             // has a name

// The data of a record as a zone file has it, in hexadecimal what has no form of its own. What is
// malformed is left out.
void append_dns_data(AttributeText& text, std::span<const uint8_t> message,
                     const DnsRecord& record) noexcept;

}  // namespace weir
