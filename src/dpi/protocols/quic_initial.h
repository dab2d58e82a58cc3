// SPDX-License-Identifier: Apache-2.0
//
// What protects QUIC's first packets: keys that everybody on the path can derive from the client's
// first Destination Connection ID and a salt of the version (RFC 9001, section 5.2; RFC 9369). So
// the hellos can be read; nothing behind them.
//
// Errors: a packet that cannot be opened gives an empty span. No contents are trusted before their
// tag is checked, but for packets that the capture has cut.
// Threads: any. OpenSSL's algorithms are fetched once per process, contexts made once per thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dpi/text_buffer.h"

namespace weir {

inline constexpr size_t kQuicTagSize = 16;
inline constexpr size_t kQuicSampleSize = 16;

struct QuicVersion {
  enum class Kind : uint8_t {
    kUnknown,
    kReserved,  // 0x?a?a?a?a: exercises version negotiation (RFC 9000, section 15)
    kGoogle,    // Q0xx and T0xx with the long header of the IETF
    kIetf,   // RFC 9000, its drafts from 22 on, and versions that are one of these by another name
    kIetf2,  // RFC 9369: other numbers of packet types, other labels
  };
  uint32_t number = 0;
  Kind kind = Kind::kUnknown;
  uint8_t salt = 0;  // which one

  bool is_ietf() const noexcept { return kind == Kind::kIetf || kind == Kind::kIetf2; }
  bool has_keys() const noexcept { return is_ietf() || kind == Kind::kReserved; }
};

QuicVersion quic_version(uint32_t number) noexcept;
// A reserved version says nothing of its keys: those of the newest version the client knows, as a
// rule. The next one to try; kUnknown: there is none.
QuicVersion earlier_version(const QuicVersion& version) noexcept;
// "1", "2", "2-draft", "draft-29", "mvfst-faceb002", "Q050", or the number as "0x1a2a3a4a".
TextBuffer<16> quic_version_name(const QuicVersion& version) noexcept;

struct QuicKeys {
  std::array<uint8_t, 16> key;
  std::array<uint8_t, 12> iv;
  std::array<uint8_t, 16> header_key;
};

// Of the packets the client sends, or the server. False without the algorithms.
bool derive_quic_keys(const QuicVersion& version, std::span<const uint8_t> client_dcid,
                      bool of_server, QuicKeys& keys) noexcept;

// The frames of a packet with a long header. `packet` is the header, whose packet number begins at
// `number_offset`, and what follows to the end of the packet; of a packet that `is_cut`, what there
// is, and its tag is not checked. The frames are in `out`, which has at least the packet's size.
std::span<const uint8_t> open_quic_packet(const QuicKeys& keys, std::span<const uint8_t> packet,
                                          size_t number_offset, bool is_cut,
                                          std::span<uint8_t> out) noexcept;

}  // namespace weir
