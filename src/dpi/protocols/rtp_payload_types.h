// SPDX-License-Identifier: Apache-2.0
//
// What RTP payload types mean that need no negotiation (RFC 3551, section 6): for RTP itself and
// for SDP, which may name them by number alone.
//
// Threads: constants; any.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

struct RtpPayloadType {
  uint8_t number;
  uint32_t clock_rate;    // Hz
  std::string_view name;  // as in SDP's rtpmap
};

inline constexpr RtpPayloadType kRtpPayloadTypes[] = {
    {0, 8000, "PCMU/8000"},    {3, 8000, "GSM/8000"},     {4, 8000, "G723/8000"},
    {5, 8000, "DVI4/8000"},    {6, 16000, "DVI4/16000"},  {7, 8000, "LPC/8000"},
    {8, 8000, "PCMA/8000"},    {9, 8000, "G722/8000"},    {10, 44100, "L16/44100/2"},
    {11, 44100, "L16/44100"},  {12, 8000, "QCELP/8000"},  {13, 8000, "CN/8000"},
    {14, 90000, "MPA/90000"},  {15, 8000, "G728/8000"},   {16, 11025, "DVI4/11025"},
    {17, 22050, "DVI4/22050"}, {18, 8000, "G729/8000"},   {25, 90000, "CelB/90000"},
    {26, 90000, "JPEG/90000"}, {28, 90000, "nv/90000"},   {31, 90000, "H261/90000"},
    {32, 90000, "MPV/90000"},  {33, 90000, "MP2T/90000"}, {34, 90000, "H263/90000"},
};

constexpr const RtpPayloadType* find_rtp_payload_type(uint8_t number) {
  for (const RtpPayloadType& type : kRtpPayloadTypes) {
    if (type.number == number) return &type;
  }
  return nullptr;
}

}  // namespace weir
