// SPDX-License-Identifier: Apache-2.0
//
//   c=IN IP4 192.0.2.1              where, of all sections that say nothing else
//   m=audio 49170 RTP/AVP 0 97      a section begins: kind, port, transport, payload types
//   a=rtpmap:97 opus/48000/2        what a payload type is
//   a=rtcp:49180                    where RTCP goes (RFC 3605); a=rtcp-mux: with RTP (RFC 5761)
//   a=sendonly
#include "dpi/protocols/sdp.h"

#include <span>
#include <string_view>

#include "dpi/protocols/rtp_payload_types.h"

namespace weir {
namespace {

constexpr uint8_t kSectionCountMax = 16;  // of a body; further ones are left out

constexpr std::string_view kTypes[] = {"audio", "video", "image", "application", "text", "message"};
constexpr std::string_view kProtocols[] = {
    "rtp/avp",           "rtp/avpf",  "rtp/savp",    "rtp/savpf",    "udp/tls/rtp/savp",
    "udp/tls/rtp/savpf", "udptl",     "tcp/msrp",    "tcp/tls/msrp", "udp/dtls/sctp",
    "tcp/dtls/sctp",     "dtls/sctp", "tcp/rtp/avp", "tcp",          "udp",
    "tcp/bfcp",          "udp/bfcp",  "udp/udptl"};
constexpr std::string_view kProtocolNames[] = {
    "RTP/AVP",           "RTP/AVPF",  "RTP/SAVP",    "RTP/SAVPF",    "UDP/TLS/RTP/SAVP",
    "UDP/TLS/RTP/SAVPF", "udptl",     "TCP/MSRP",    "TCP/TLS/MSRP", "UDP/DTLS/SCTP",
    "TCP/DTLS/SCTP",     "DTLS/SCTP", "TCP/RTP/AVP", "TCP",          "UDP",
    "TCP/BFCP",          "UDP/BFCP",  "udptl"};
static_assert(std::size(kProtocols) == std::size(kProtocolNames));
constexpr uint8_t kRtpProtocolsEnd = 6;  // of the first ones RTP over UDP
constexpr std::string_view kDirections[] = {"sendrecv", "sendonly", "recvonly", "inactive"};

// The place of a name in a table, from one; 0 when it is not there.
uint8_t find_name(std::span<const std::string_view> names, WireText text) {
  for (size_t index = 0; index < names.size(); ++index) {
    if (equals_ignoring_case(text, names[index])) return static_cast<uint8_t>(index + 1);
  }
  return 0;
}

// "IN IP4 192.0.2.1", of multicast with "/127" behind it.
void read_connection(WireText value, SdpAddress& address) {
  WireText rest = value;
  take_word(rest);
  take_word(rest);
  WireText text = take_word(rest);
  address = {};
  address.size = static_cast<uint8_t>(read_address(take_until(text, '/'), address.bytes).size());
}

void set_static_codec(Context& context, const SdpAttributes& attributes, WireText format) {
  uint64_t number = 0;
  if (!read_decimal(format, 127, number)) return;
  const RtpPayloadType* type = find_rtp_payload_type(static_cast<uint8_t>(number));
  if (type != nullptr) context.set(attributes.codec, type->name);
}

// "audio 49170 RTP/AVP 0 97", the port perhaps with a count: "49170/2".
void begin_section(Context& context, const SdpAttributes& attributes, SdpMedia& media,
                   WireText value) {
  finish_sdp(context, attributes, media);
  if (media.count == kSectionCountMax) return;
  ++media.count;
  WireText rest = value;
  const WireText type = take_word(rest);
  WireText port_text = take_word(rest);
  uint64_t port = 0;
  if (!take_decimal(port_text, UINT16_MAX, port)) return;
  media.port = static_cast<uint16_t>(port);
  media.rtcp_port = 0;
  media.type = find_name(kTypes, type);
  media.protocol = find_name(kProtocols, take_word(rest));
  media.address = media.session_address;
  media.direction = media.session_direction;
  media.is_rtcp_muxed = false;
  media.is_open = true;
  if (media.protocol == 0 || media.protocol > kRtpProtocolsEnd) return;
  constexpr size_t kFormatsMax = 16;
  for (size_t count = 0; count < kFormatsMax && !rest.empty(); ++count)
    set_static_codec(context, attributes, take_word(rest));
}

void read_attribute_line(Context& context, const SdpAttributes& attributes, SdpMedia& media,
                         WireText value) {
  WireText rest = value;
  const WireText name = take_until(rest, ':');
  if (const uint8_t direction = find_name(kDirections, name); direction != 0) {
    (media.is_open ? media.direction : media.session_direction) = direction;
  } else if (equals_ignoring_case(name, "rtpmap")) {
    take_word(rest);
    const WireText codec = trimmed(rest);
    if (!codec.empty()) context.set(attributes.codec, codec);
  } else if (equals_ignoring_case(name, "rtcp-mux")) {
    media.is_rtcp_muxed = true;
  } else if (equals_ignoring_case(name, "rtcp")) {
    uint64_t port = 0;
    if (take_decimal(rest, UINT16_MAX, port)) media.rtcp_port = static_cast<uint16_t>(port);
  }
}

void announce(Context& context, const SdpMedia& media) {
  context.expect({"rtp", kOverUdp, media.port});
  const auto next = static_cast<uint16_t>(media.port + 1);
  const uint16_t rtcp_port = media.rtcp_port != 0 ? media.rtcp_port : next;
  if (rtcp_port != 0 && rtcp_port != media.port && !media.is_rtcp_muxed)
    context.expect({"rtcp", kOverUdp, rtcp_port});
}

}  // namespace

void read_sdp_line(Context& context, const SdpAttributes& attributes, SdpMedia& media,
                   WireText line) {
  if (line.size() < 3 || line[1] != '=') return;
  const WireText value = line.subspan(2);
  switch (line[0]) {
    case 'c':
      read_connection(value, media.is_open ? media.address : media.session_address);
      break;
    case 'm':
      begin_section(context, attributes, media, value);
      break;
    case 'a':
      read_attribute_line(context, attributes, media, value);
      break;
    default:
      break;
  }
}

void finish_sdp(Context& context, const SdpAttributes& attributes, SdpMedia& media) {
  if (!media.is_open) return;
  media.is_open = false;
  context.begin_object(attributes.media);
  if (media.type != 0) context.set(attributes.media_type, kTypes[media.type - 1]);
  if (media.address.size != 0)
    context.set(attributes.media_address, WireText(media.address.bytes).first(media.address.size));
  context.set(attributes.media_port, media.port);
  if (media.protocol != 0)
    context.set(attributes.media_protocol, kProtocolNames[media.protocol - 1]);
  if (media.direction != 0)
    context.set(attributes.media_direction, kDirections[media.direction - 1]);
  context.end_object();
  if (media.port != 0 && media.protocol != 0 && media.protocol <= kRtpProtocolsEnd)
    announce(context, media);
}

}  // namespace weir
