# SPDX-License-Identifier: Apache-2.0
"""What tshark says of every packet of a capture, told in weir's terms: a second opinion on flows.

Only tshark reads bytes here. This module takes the fields it prints and applies the rules of
weir's contract to them: the flow key is of the outermost IP header behind Ethernet, VLAN tags,
Linux cooked, raw or loopback; what else follows the link layer is a layer-2 flow; ICMP has the
ports stand-in of Community ID; a fragment belongs to its datagram. It deliberately does not
follow weir's code: no reader, no table, no timeouts.

Where tshark shows a header that weir's contract calls an error (cut before its end, or a length
below its minimum), the packet has no key here either; each such rule says so.
"""

import collections
import dataclasses
import subprocess

from shared_captures import CAPTURES

# Options that make tshark look at each packet by itself.
PREFERENCES = (
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "tcp.desegment_tcp_streams:FALSE",
    "sctp.reassembly:FALSE",
)

FIELDS = (
    "frame.len frame.cap_len frame.time_epoch frame.protocols "
    "eth.src eth.dst eth.type eth.len vlan.etype sll.src.eth sll.etype sll.ltype "
    "ip.src ip.dst ip.proto ip.len ip.hdr_len ip.id ip.flags.mf ip.frag_offset "
    "ipv6.src ipv6.dst ipv6.nxt ipv6.plen ipv6.hopopts.nxt ipv6.dstopts.nxt ipv6.routing.nxt "
    "ipv6.fraghdr.nxt ipv6.fraghdr.offset ipv6.fraghdr.more ipv6.fraghdr.ident mip6.proto "
    "tcp.srcport tcp.dstport tcp.hdr_len tcp.flags tcp.urgent_pointer tcp.stream "
    "tcp.analysis.initial_rtt "
    "udp.srcport udp.dstport udp.length udp.checksum sctp.srcport sctp.dstport sctp.checksum "
    "icmp.type icmp.code icmp.checksum icmpv6.type icmpv6.code icmpv6.checksum communityid"
).split()

IP_FRAGMENT_TIMEOUT = 30.0  # seconds, weir's
ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132

# Community ID v1: the types that are a question or its answer.
ICMP_PAIRS = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9, 9: 10}
ICMPV6_PAIRS = {
    128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133, 135: 136, 136: 135,
    139: 140, 140: 139, 144: 145, 145: 144,
}  # fmt: skip

ETHERTYPES = {"ip": 0x0800, "ipv6": 0x86DD, "arp": 0x0806}
TAG_TYPES = (0x8100, 0x88A8, 0x9100, 0x9200)
# tshark's field for the next header of each kind of IPv6 extension header.
IPV6_FRAGMENT = 44
IPV6_EXTENSIONS = {
    0: "ipv6.hopopts.nxt",
    43: "ipv6.routing.nxt",
    60: "ipv6.dstopts.nxt",
    IPV6_FRAGMENT: "ipv6.fraghdr.nxt",
    135: "mip6.proto",
}


# One direction of a conversation. Ports are None where there are none; proto is an IP protocol, or
# an EtherType when the addresses are MACs.
Key = collections.namedtuple("Key", "src src_port dst dst_port proto")


@dataclasses.dataclass
class Packet:
    """`key` is None for what belongs to no flow; `why` says why."""

    size: int
    key: Key | None = None
    why: str = ""
    is_whole: bool = True  # no later piece of a fragmented datagram: tshark knows no ports of it
    is_nested: bool = False  # a second IP header or AH: tshark's analyses are about what is inside
    community_id: str = ""
    tcp_stream: str = ""
    tcp_flags: int = 0
    initial_rtt: str = ""  # present from the packet on that tshark takes for the handshake's end


def number(text):
    """The first number of a field's occurrences; None when the field is absent."""
    text = text.split(",", 1)[0]
    return int(text, 0) if text else None


def first(text):
    return text.split(",", 1)[0]


class _Fragments:
    """Which conversation later pieces belong to, as weir remembers it."""

    def __init__(self):
        self._known = {}  # datagram: [time of birth, key or None, waiting packets]

    def _entry(self, datagram, time):
        entry = self._known.get(datagram)
        if entry is None or time - entry[0] > IP_FRAGMENT_TIMEOUT:
            entry = self._known[datagram] = [time, None, []]
        return entry

    def first_piece(self, datagram, time, key):
        entry = self._entry(datagram, time)
        if entry[1] is not None:
            entry[0] = time
        entry[1] = key
        for packet in entry[2]:
            packet.key = key
        entry[2].clear()

    def later_piece(self, datagram, time, packet):
        entry = self._entry(datagram, time)
        packet.is_whole = False
        packet.key = entry[1]
        packet.why = "fragment"
        if packet.key is None:
            entry[2].append(packet)


def _transport(row, proto, size, captured):
    """(src_port, dst_port) by the IP protocol, or a text that says why weir calls it an error.

    `size` and `captured` count from the transport header: by the IP header's length, and of what
    the capture holds; None when tshark does not tell.
    """
    if proto == TCP:
        header = number(row["tcp.hdr_len"])
        # The urgent pointer ends the fixed header; tshark shows ports of a header cut before it.
        if not row["tcp.urgent_pointer"]:
            return "truncated"
        if header < 20 or (size is not None and header > size):
            return "bad_header_length"
        return number(row["tcp.srcport"]), number(row["tcp.dstport"])
    if proto == UDP:
        if not row["udp.checksum"]:
            return "truncated"
        if 0 < number(row["udp.length"]) < 8:
            return "bad_length"
        return number(row["udp.srcport"]), number(row["udp.dstport"])
    if proto == SCTP:
        if not row["sctp.checksum"]:
            return "truncated"
        return number(row["sctp.srcport"]), number(row["sctp.dstport"])
    if proto in (ICMP, ICMPV6):
        name, pairs = ("icmp", ICMP_PAIRS) if proto == ICMP else ("icmpv6", ICMPV6_PAIRS)
        size_min = 8 if proto == ICMP else 4
        shortest = min(size, captured)
        if shortest < size_min:
            return "truncated"
        kind, code = number(row[name + ".type"]), number(row[name + ".code"])
        if kind is None or code is None:
            return "truncated"
        return kind, pairs.get(kind, code)
    return None, None


class PacketReader:
    """Turns the rows of one capture, in order, into packets."""

    def __init__(self):
        self._fragments = _Fragments()

    def read(self, row):
        packet = Packet(size=int(row["frame.len"]), community_id=row["communityid"])
        packet.tcp_stream = first(row["tcp.stream"])
        packet.tcp_flags = number(row["tcp.flags"]) or 0
        packet.initial_rtt = first(row["tcp.analysis.initial_rtt"])
        layers = row["frame.protocols"].split(":")
        packet.is_nested = sum(layer in ("ip", "ipv6") for layer in layers) > 1 or "ah" in layers
        header_size, ethertype, place = self._link(row, layers)
        if header_size is None:
            packet.why = ethertype
        elif ethertype == 0x0800:
            self._ipv4(row, packet, header_size)
        elif ethertype == 0x86DD:
            self._ipv6(row, packet, header_size)
        elif ethertype < 0x600:
            packet.why = "llc"
        elif ethertype in (0x0806, 0x8035) and int(row["frame.cap_len"]) < header_size + 8:
            packet.why = "truncated"
        else:
            packet.key = Key(place[0], None, place[1], None, ethertype)
        return packet

    def _link(self, row, layers):
        """(size up to the network header, EtherType, (src, dst) MACs), or (None, why, None)."""
        captured = int(row["frame.cap_len"])
        if layers[0] in ("raw", "ip", "ipv6"):
            if "ip" in layers[:2]:
                return 0, 0x0800, None
            return (0, 0x86DD, None) if "ipv6" in layers[:2] else (None, "raw", None)
        if layers[0] == "null":
            if "ip" in layers[:2]:
                return 4, 0x0800, None
            return (4, 0x86DD, None) if "ipv6" in layers[:2] else (None, "family", None)
        if layers[0] == "sll":
            size, ethertype = 16, number(row["sll.etype"])
            place = (first(row["sll.src.eth"]) or "00:00:00:00:00:00", "00:00:00:00:00:00")
            if ethertype is None:
                return None, "llc", None
        else:
            size, ethertype = 14, number(row["eth.type"])
            place = (first(row["eth.src"]), first(row["eth.dst"]))
            if ethertype is None:
                return None, "llc" if row["eth.len"] else "link_type", None
        tag_types = [int(text, 0) for text in row["vlan.etype"].split(",") if text]
        if "ieee8021ad" in layers:  # shows no type of what it tags
            tag_types = [t for name, t in ETHERTYPES.items() if name in layers][:1]
        while ethertype in TAG_TYPES:
            size += 4
            if size > captured or not tag_types:
                return None, "truncated", None
            ethertype = tag_types.pop(0)
        return size, ethertype, place

    def _ipv4(self, row, packet, offset):
        src, dst, proto = first(row["ip.src"]), first(row["ip.dst"]), number(row["ip.proto"])
        header, total = number(row["ip.hdr_len"]), number(row["ip.len"])
        captured = int(row["frame.cap_len"]) - offset
        if not src or not dst or proto is None or captured < max(header, 20):
            packet.why = "truncated"
            return
        total = total or max(packet.size - offset, captured)
        if header < 20 or total < header:
            packet.why = "bad_length"
            return
        datagram = (src, dst, number(row["ip.id"]), proto)
        time = float(row["frame.time_epoch"])
        if number(row["ip.frag_offset"]):
            self._fragments.later_piece(datagram, time, packet)
            return
        is_first = number(row["ip.flags.mf"]) == 1
        self._above_ip(row, packet, (src, dst, proto), total - header, captured - header)
        if is_first and packet.key is not None:
            self._fragments.first_piece(datagram, time, packet.key)

    def _ipv6(self, row, packet, offset):
        src, dst, proto = first(row["ipv6.src"]), first(row["ipv6.dst"]), number(row["ipv6.nxt"])
        captured = int(row["frame.cap_len"]) - offset - 40
        if not src or not dst or proto is None or captured < 0:
            packet.why = "truncated"
            return
        size = number(row["ipv6.plen"]) or max(packet.size - offset, captured + 40) - 40
        following = {
            name: [int(text, 0) for text in row[name].split(",") if text]
            for name in IPV6_EXTENSIONS.values()
        }
        is_first = False
        time = float(row["frame.time_epoch"])
        datagram = (src, dst, number(row["ipv6.fraghdr.ident"]))
        while proto in IPV6_EXTENSIONS:
            kind = proto
            if not following[IPV6_EXTENSIONS[kind]]:
                packet.why = "truncated"
                return
            proto = following[IPV6_EXTENSIONS[kind]].pop(0)
            if kind == IPV6_FRAGMENT:
                if number(row["ipv6.fraghdr.offset"]):
                    self._fragments.later_piece(datagram, time, packet)
                    return
                is_first = number(row["ipv6.fraghdr.more"]) == 1
        # What extension headers take is not known here; only ICMPv6 asks, for four bytes.
        known = 4 if row["icmpv6.checksum"] else 0
        size = None if proto == TCP else min(size, known)
        self._above_ip(row, packet, (src, dst, proto), size, known)
        if is_first and packet.key is not None:
            self._fragments.first_piece(datagram, time, packet.key)

    def _above_ip(self, row, packet, ends, size, captured):
        src, dst, proto = ends
        ports = _transport(row, proto, size, captured)
        if isinstance(ports, str):
            packet.why = ports
        else:
            packet.key = Key(src, ports[0], dst, ports[1], proto)


def packets_of(name):
    """Every packet of a shared capture, in order."""
    command = ["tshark", "-n", "-r", name, "--enable-protocol", "communityid"]
    command += ["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,"]
    for preference in PREFERENCES:
        command += ["-o", preference]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, cwd=CAPTURES, capture_output=True, text=True, check=False)
    reader = PacketReader()
    packets = []
    for line in done.stdout.splitlines():
        packets.append(reader.read(dict(zip(FIELDS, line.split("\t")))))
    return packets
