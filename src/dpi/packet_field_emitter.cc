// SPDX-License-Identifier: Apache-2.0
#include "dpi/packet_field_emitter.h"

#include <algorithm>
#include <charconv>

#include "net/link_types.h"

namespace weir {
namespace {

constexpr uint16_t kEthertypeMin = 0x600;  // smaller numbers are lengths (IEEE 802.3, clause 3.2.6)
constexpr uint32_t kBottomOfStack = 0x100;
constexpr uint8_t kGtpHasSequence = 0x02;

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {static_cast<const uint8_t*>(static_cast<const void*>(text.data())), text.size()};
}

// Room for a text of known pieces; what does not fit is cut.
class Line {
 public:
  void add(std::string_view text) {
    const std::string_view kept = text.substr(0, buffer_.size() - size_);
    std::ranges::copy(kept, buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += kept.size();
  }
  void add_number(uint32_t number) {
    char digits[10];
    add({digits, std::to_chars(digits, digits + sizeof digits, number).ptr});
  }
  bool is_empty() const { return size_ == 0; }
  std::string_view text() const { return {buffer_.data(), size_}; }

 private:
  std::array<char, kAttributeSizeMax> buffer_;
  size_t size_ = 0;
};

std::string_view direction_name(Direction direction) {
  switch (direction) {
    case Direction::kInbound:
      return "inbound";
    case Direction::kOutbound:
      return "outbound";
    case Direction::kUnknown:
      break;
  }
  return {};
}

}  // namespace

void PacketFieldEmitter::put_text(const WantedField& wanted, std::string_view text) const {
  visitor_(wanted.number, bytes_of(text));
}

void PacketFieldEmitter::put_link_type(const WantedField& wanted) const {
  const std::string_view name = link_type_name(packet_.frame->link_type);
  if (!name.empty()) return put_text(wanted, name);
  Line line;
  line.add("link-type-");
  line.add_number(packet_.frame->link_type);
  put_text(wanted, line.text());
}

void PacketFieldEmitter::put_protocols(const WantedField& wanted) const {
  Line line;
  for (size_t index = 0; index < packet_.path.count; ++index) {
    if (!line.is_empty()) line.add(".");
    line.add(layer_name(packet_.path.layers[index]));
  }
  if (!line.is_empty()) put_text(wanted, line.text());
}

void PacketFieldEmitter::frame(WantedFields wanteds, std::string_view interface) const {
  const Frame& frame = *packet_.frame;
  for (const WantedField& wanted : wanteds) {
    switch (wanted.row) {
      case FrameRow::kNumber:
        put(wanted, frame.number);
        break;
      case FrameRow::kTime:
        put(wanted, static_cast<uint64_t>(frame.ts_ns));
        break;
      case FrameRow::kLength:
        put(wanted, frame.wire_size);
        break;
      case FrameRow::kCapturedLength:
        put(wanted, frame.captured_size);
        break;
      case FrameRow::kInterface:
        if (!interface.empty()) put_text(wanted, interface.substr(0, kAttributeSizeMax));
        break;
      case FrameRow::kLinkType:
        put_link_type(wanted);
        break;
      case FrameRow::kDirection:
        if (frame.direction != Direction::kUnknown)
          put_text(wanted, direction_name(frame.direction));
        break;
      case FrameRow::kProtocols:
        put_protocols(wanted);
        break;
    }
  }
}

void PacketFieldEmitter::ethernet(WantedFields wanteds, uint8_t place) const {
  ByteReader reader = reader_at(place);
  const std::span<const uint8_t> dst = reader.bytes(6);
  const std::span<const uint8_t> src = reader.bytes(6);
  const uint16_t type = reader.be16();
  if (!reader.ok()) return;
  for (const WantedField& wanted : wanteds) {
    switch (wanted.row) {
      case EthernetRow::kSrc:
        put(wanted, src);
        break;
      case EthernetRow::kDst:
        put(wanted, dst);
        break;
      case EthernetRow::kType:
        put_if(type >= kEthertypeMin, wanted, type);
        break;
      case EthernetRow::kLength:
        put_if(type < kEthertypeMin, wanted, type);
        break;
    }
  }
}

// A tag the kernel took off is the second layer of the path and not in the frame.
void PacketFieldEmitter::vlan(WantedFields wanteds, uint8_t place) const {
  const bool is_stripped = packet_.frame->has_vlan && place == 1;
  ByteReader reader = reader_at(place);
  const uint16_t tci = is_stripped ? packet_.frame->vlan_tci : reader.be16();
  const uint16_t type = is_stripped ? 0 : reader.be16();
  if (!is_stripped && !reader.ok()) return;
  for (const WantedField& wanted : wanteds) {
    switch (wanted.row) {
      case VlanRow::kId:
        for (size_t index = 0; index < packet_.vlans.count; ++index)
          put(wanted, packet_.vlans.ids[index]);
        break;
      case VlanRow::kPriority:
        put(wanted, tci >> 13);
        break;
      case VlanRow::kDropEligible:
        put(wanted, tci >> 12 & 1);
        break;
      case VlanRow::kType:
        put_if(type >= kEthertypeMin, wanted, type);
        break;
    }
  }
}

void PacketFieldEmitter::mpls(WantedFields wanteds, uint8_t place) const {
  std::array<uint32_t, kLabelCountMax> entries;
  size_t count = 0;
  ByteReader reader = reader_at(place);
  while (count < entries.size() && reader.remaining() >= sizeof(uint32_t)) {
    entries[count] = reader.be32();
    if ((entries[count++] & kBottomOfStack) != 0) break;
  }
  if (count == 0) return;
  for (const WantedField& wanted : wanteds) {
    switch (wanted.row) {
      case MplsRow::kLabel:
        for (size_t index = 0; index < count; ++index) put(wanted, entries[index] >> 12);
        break;
      case MplsRow::kTrafficClass:
        put(wanted, entries[0] >> 9 & 7);
        break;
      case MplsRow::kTtl:
        put(wanted, entries[0] & 0xff);
        break;
    }
  }
}

void PacketFieldEmitter::pppoe(WantedFields wanteds, uint8_t place) const {
  ByteReader reader = reader_at(place);
  reader.skip(1);
  const uint8_t code = reader.u8();
  const uint16_t session_id = reader.be16();
  if (!reader.ok()) return;
  for (const WantedField& wanted : wanteds)
    put(wanted, wanted.row == PppoeRow::kCode ? code : session_id);
}

void PacketFieldEmitter::ip(WantedFields wanteds, const IpHeader& header) const {
  if (!header.is_there) return;
  const bool is_ipv4 = header.version == 4;
  for (const WantedField& wanted : wanteds) {
    switch (wanted.row) {
      case IpRow::kVersion:
        put(wanted, header.version);
        break;
      case IpRow::kSrc:
        put(wanted, header.src);
        break;
      case IpRow::kDst:
        put(wanted, header.dst);
        break;
      case IpRow::kTtl:
        put(wanted, header.ttl);
        break;
      case IpRow::kDscp:
        put(wanted, header.traffic_class >> 2);
        break;
      case IpRow::kEcn:
        put(wanted, header.traffic_class & 3);
        break;
      case IpRow::kLength:
        put(wanted, header.length);
        break;
      case IpRow::kProtocol:
        put_if(header.has_protocol, wanted, header.protocol);
        break;
      case IpRow::kId:
        put_if(header.has_fragment, wanted, header.id);
        break;
      case IpRow::kDontFragment:
        put_if(is_ipv4, wanted, header.dont_fragment);
        break;
      case IpRow::kMoreFragments:
        put_if(header.has_fragment, wanted, header.more_fragments);
        break;
      case IpRow::kFragmentOffset:
        put_if(header.has_fragment, wanted, header.fragment_offset);
        break;
      case IpRow::kHeaderLength:
        put_if(is_ipv4, wanted, header.header_length);
        break;
      case IpRow::kHasOptions:
        put_if(is_ipv4, wanted, header.header_length > 20);
        break;
      case IpRow::kChecksum:
        put_if(is_ipv4, wanted, header.checksum);
        break;
    }
  }
}

void PacketFieldEmitter::ipv6(WantedFields wanteds, const IpHeader& header) const {
  if (!header.is_there || header.version != 6) return;
  for (const WantedField& wanted : wanteds) {
    switch (wanted.row) {
      case Ipv6Row::kTrafficClass:
        put(wanted, header.traffic_class);
        break;
      case Ipv6Row::kFlowLabel:
        put(wanted, header.flow_label);
        break;
      case Ipv6Row::kPayloadLength:
        put(wanted, header.payload_length);
        break;
      case Ipv6Row::kNextHeader:
        put(wanted, header.next_header);
        break;
      case Ipv6Row::kHopLimit:
        put(wanted, header.ttl);
        break;
      case Ipv6Row::kExtensionHeaders:
        for (size_t index = 0; index < header.extension_count; ++index)
          put(wanted, header.extensions[index]);
        break;
    }
  }
}

void PacketFieldEmitter::put_tcp_flags(const WantedField& wanted, uint8_t flags) const {
  std::array<char, kTcpFlagLetters.size()> letters;
  size_t count = 0;
  for (const TcpFlagLetter& entry : kTcpFlagLetters) {
    if ((flags & entry.flag) != 0) letters[count++] = entry.letter;
  }
  put_text(wanted, {letters.data(), count});
}

void PacketFieldEmitter::put_tcp_option(const WantedField& wanted,
                                        const TcpOptions& options) const {
  switch (wanted.row) {
    case TcpRow::kOptionKinds:
      for (size_t index = 0; index < options.count; ++index) put(wanted, options.kinds[index]);
      break;
    case TcpRow::kMss:
      put_if(options.has_mss, wanted, options.mss);
      break;
    case TcpRow::kWindowScale:
      put_if(options.has_window_scale, wanted, options.window_scale);
      break;
    case TcpRow::kSackPermitted:
      put_if(options.has_sack_permitted, wanted, 1);
      break;
    case TcpRow::kTimestampValue:
      put_if(options.has_timestamps, wanted, options.timestamp_value);
      break;
    case TcpRow::kTimestampEcho:
      put_if(options.has_timestamps, wanted, options.timestamp_echo);
      break;
  }
}

void PacketFieldEmitter::tcp(WantedFields wanteds, uint8_t place) const {
  ByteReader reader = reader_at(place);
  const uint16_t src_port = reader.be16();
  const uint16_t dst_port = reader.be16();
  const uint32_t seq = reader.be32();
  const uint32_t ack = reader.be32();
  const uint8_t header_length = static_cast<uint8_t>((reader.u8() >> 4) * 4);
  const uint8_t flags = reader.u8();
  const uint16_t window = reader.be16();
  const uint16_t checksum = reader.be16();
  const uint16_t urgent_pointer = reader.be16();
  if (!reader.ok() || header_length < kTcpHeaderSizeMin) return;
  TcpOptions options;
  // The rows of the options are the last.
  if (wanteds.back().row >= TcpRow::kOptionKinds) {
    const size_t size = std::min(header_length - kTcpHeaderSizeMin, reader.remaining());
    options = read_tcp_options(reader.bytes(size));
  }
  for (const WantedField& wanted : wanteds) {
    switch (wanted.row) {
      case TcpRow::kSrcPort:
        put(wanted, src_port);
        break;
      case TcpRow::kDstPort:
        put(wanted, dst_port);
        break;
      case TcpRow::kSeq:
        put(wanted, seq);
        break;
      case TcpRow::kAck:
        put(wanted, ack);
        break;
      case TcpRow::kFlags:
        put_tcp_flags(wanted, flags);
        break;
      case TcpRow::kWindow:
        put(wanted, window);
        break;
      case TcpRow::kHeaderLength:
        put(wanted, header_length);
        break;
      case TcpRow::kPayloadLength:
        put_if(packet_.verdict == Verdict::kDecoded, wanted, packet_.payload_size);
        break;
      case TcpRow::kChecksum:
        put(wanted, checksum);
        break;
      case TcpRow::kUrgentPointer:
        put(wanted, urgent_pointer);
        break;
      default:
        put_tcp_option(wanted, options);
        break;
    }
  }
}

void PacketFieldEmitter::udp(WantedFields wanteds, uint8_t place) const {
  ByteReader reader = reader_at(place);
  const uint16_t src_port = reader.be16();
  const uint16_t dst_port = reader.be16();
  const uint16_t length = reader.be16();
  const uint16_t checksum = reader.be16();
  if (!reader.ok()) return;
  for (const WantedField& wanted : wanteds) {
    switch (wanted.row) {
      case UdpRow::kSrcPort:
        put(wanted, src_port);
        break;
      case UdpRow::kDstPort:
        put(wanted, dst_port);
        break;
      case UdpRow::kLength:
        put(wanted, length);
        break;
      case UdpRow::kChecksum:
        put(wanted, checksum);
        break;
    }
  }
}

void PacketFieldEmitter::sctp(WantedFields wanteds, uint8_t place) const {
  ByteReader reader = reader_at(place);
  const uint16_t src_port = reader.be16();
  const uint16_t dst_port = reader.be16();
  const uint32_t verification_tag = reader.be32();
  const uint32_t checksum = reader.be32();
  if (!reader.ok()) return;
  for (const WantedField& wanted : wanteds) {
    switch (wanted.row) {
      case SctpRow::kSrcPort:
        put(wanted, src_port);
        break;
      case SctpRow::kDstPort:
        put(wanted, dst_port);
        break;
      case SctpRow::kVerificationTag:
        put(wanted, verification_tag);
        break;
      case SctpRow::kChecksum:
        put(wanted, checksum);
        break;
    }
  }
}

void PacketFieldEmitter::gre(WantedFields wanteds, uint8_t place) const {
  const GreHeader header = read_gre(reader_at(place));
  if (!header.is_there) return;
  for (const WantedField& wanted : wanteds) {
    switch (wanted.row) {
      case GreRow::kFlags:
        put(wanted, header.flags);
        break;
      case GreRow::kProtocol:
        put(wanted, header.protocol);
        break;
      case GreRow::kKey:
        put_if(header.has_key, wanted, header.key);
        break;
      case GreRow::kCallId:
        put_if(header.has_call_id, wanted, header.call_id);
        break;
      case GreRow::kSequence:
        put_if(header.has_sequence, wanted, header.sequence);
        break;
    }
  }
}

void PacketFieldEmitter::vxlan(WantedFields wanteds, uint8_t place) const {
  ByteReader reader = reader_at(place);
  const uint8_t flags = reader.u8();
  reader.skip(3);
  const uint32_t vni = reader.be32() >> 8;
  if (!reader.ok()) return;
  for (const WantedField& wanted : wanteds)
    put(wanted, wanted.row == VxlanRow::kFlags ? flags : vni);
}

void PacketFieldEmitter::geneve(WantedFields wanteds, uint8_t place) const {
  ByteReader reader = reader_at(place);
  reader.skip(2);
  const uint16_t protocol = reader.be16();
  const uint32_t vni = reader.be32() >> 8;
  if (!reader.ok()) return;
  for (const WantedField& wanted : wanteds)
    put(wanted, wanted.row == GeneveRow::kProtocol ? protocol : vni);
}

void PacketFieldEmitter::gtp(WantedFields wanteds, uint8_t place) const {
  ByteReader reader = reader_at(place);
  const uint8_t flags = reader.u8();
  reader.skip(3);
  const uint32_t teid = reader.be32();
  if (!reader.ok()) return;
  const uint16_t sequence = reader.be16();
  const bool has_sequence = reader.ok() && (flags & kGtpHasSequence) != 0;
  for (const WantedField& wanted : wanteds) {
    if (wanted.row == GtpRow::kTeid) put(wanted, teid);
    if (wanted.row == GtpRow::kSequence) put_if(has_sequence, wanted, sequence);
  }
}

void PacketFieldEmitter::outer(WantedFields wanteds, const HeaderPlaces& places) const {
  if (places.outer_count == 0) return;
  ByteReader ethernet = reader_at(places.outer_ethernet);
  const std::span<const uint8_t> eth_dst = ethernet.bytes(6);
  const std::span<const uint8_t> eth_src = ethernet.bytes(6);
  ByteReader udp = reader_at(places.outer_udp);
  const uint16_t src_port = udp.be16();
  const uint16_t dst_port = udp.be16();
  const IpHeader ip = read_ip(places.outer_ip);
  for (const WantedField& wanted : wanteds) {
    switch (wanted.row) {
      case OuterRow::kCount:
        put(wanted, places.outer_count);
        break;
      case OuterRow::kEthSrc:
        if (ethernet.ok()) put(wanted, eth_src);
        break;
      case OuterRow::kEthDst:
        if (ethernet.ok()) put(wanted, eth_dst);
        break;
      case OuterRow::kIpSrc:
        if (ip.is_there) put(wanted, ip.src);
        break;
      case OuterRow::kIpDst:
        if (ip.is_there) put(wanted, ip.dst);
        break;
      case OuterRow::kIpTtl:
        put_if(ip.is_there, wanted, ip.ttl);
        break;
      case OuterRow::kIpDscp:
        put_if(ip.is_there, wanted, ip.traffic_class >> 2);
        break;
      case OuterRow::kIpEcn:
        put_if(ip.is_there, wanted, ip.traffic_class & 3);
        break;
      case OuterRow::kIpLength:
        put_if(ip.is_there, wanted, ip.length);
        break;
      case OuterRow::kIpProtocol:
        put_if(ip.is_there && ip.has_protocol, wanted, ip.protocol);
        break;
      case OuterRow::kUdpSrcPort:
        put_if(udp.ok(), wanted, src_port);
        break;
      case OuterRow::kUdpDstPort:
        put_if(udp.ok(), wanted, dst_port);
        break;
    }
  }
}

}  // namespace weir
