// SPDX-License-Identifier: Apache-2.0
//
// Text: numbers, times, addresses and untrusted strings as the characters weir prints. The one
// place that escapes: JSON, CSV and terminal each have one function here, and nothing else in weir
// quotes a string.
//
// Everything appends to a std::string, so a writer grows one buffer. No locale, no iostream, no
// printf. Output safety: the result is always valid UTF-8. A byte that is not part of valid UTF-8
// becomes the four characters \xNN. Controls (C0, DEL, C1), bidirectional controls and line
// separators (U+061C, U+200E/F, U+2028..2E, U+2066..69, U+FEFF) never appear as themselves, except
// tab, CR and LF inside a quoted CSV cell.
//
// Errors: none.
// Threads: pure functions; any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "weir/flow_record.h"

namespace weir {

void append_unsigned(std::string& out, uint64_t value);
void append_signed(std::string& out, int64_t value);
// Lower-case hexadecimal with leading zeros; digit_count 1..16, of the low bits.
void append_hex(std::string& out, uint64_t value, unsigned digit_count);
void append_hex_bytes(std::string& out, std::string_view bytes);  // "00ff"

// RFC 3339 in UTC with 9 fractional digits: "2005-07-04T09:32:20.839354000Z". ns since 1970; any
// value.
void append_time(std::string& out, int64_t ns);
// Seconds with 9 fractional digits: "1.500000000", "-0.000000001".
void append_seconds(std::string& out, int64_t ns);
// The same number without trailing zeros: "1.5", "0"; a JSON number.
void append_seconds_short(std::string& out, int64_t ns);

void append_ipv4(std::string& out, const AddressBytes& address);
// RFC 5952; addresses in ::ffff:0:0/96 end in dotted decimal (section 5).
void append_ipv6(std::string& out, const AddressBytes& address);
void append_mac(std::string& out, const MacBytes& mac);  // "00:1b:44:11:3a:b7"
// Any of the three; a MAC is the first 6 bytes.
void append_address(std::string& out, AddressKind kind, const AddressBytes& address);

// For people. Below 1000 exact; above, one decimal below 100 and none from 100 on, rounded half up:
// "999", "1.2 k", "99.9 k", "100 k", "1.0 M". Bytes have the units B, kB, MB, … of 1000.
void append_count_human(std::string& out, uint64_t value);
void append_bytes_human(std::string& out, uint64_t value);
// "0 s", "12 ns", "1.5 µs", "12.3 ms", "1.5 s", "3m 05s", "2h 05m", "3d 04h"; rounded down from
// minutes on.
void append_duration_human(std::string& out, int64_t ns);

// `text` as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);
// `text` as one CSV cell (RFC 4180): quoted when needed, and with a ' before a first character that
// a spreadsheet would take for a formula (= + - @ tab CR LF).
void append_csv_text(std::string& out, std::string_view text);
// `text` in quotes as a filter expression has it: \" \\ \n \r \t, and \xNN for each byte of what
// must not appear as itself. Whatever the bytes, a filter reads them back.
void append_quoted_text(std::string& out, std::string_view text);
// `text` as it may be shown on a terminal or in a one-line message.
void append_terminal_text(std::string& out, std::string_view text);

// Columns `text` takes on a terminal: its code points. Text from above has no wide or zero-width
// controls; wide East Asian characters count as one.
size_t column_count(std::string_view text);

}  // namespace weir
