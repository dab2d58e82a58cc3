# SPDX-License-Identifier: Apache-2.0
"""What tshark says of every packet of a capture, told in weir's terms: a second opinion on flows.

Only tshark reads bytes here. This module follows the layers of frame.protocols and applies the
rules of weir's contract to the fields of each: the flow key is of the innermost IP header behind
link layers, tags, labels and tunnels; where there is none, of the innermost link addresses. ICMP
has the ports stand-in of Community ID and ends the way inwards, so what an error quotes is no
tunnel; so does every layer that weir does not enter. A fragment belongs to its datagram. It
deliberately does not follow weir's code: no reader, no table, no timeouts.

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
    "eth.src eth.dst eth.type eth.len vlan.id vlan.etype sll.src.eth sll.etype "
    "wlan.sa wlan.da fddi.src fddi.dst tr.src tr.dst arcnet.src arcnet.dst arcnet.protID "
    "wpan.src_pan wpan.dst_pan wpan.src16 wpan.dst16 wpan.src64 wpan.dst64 "
    "llc.dsap llc.ssap llc.oui llc.type llc.apple_atalk_pid llc.cisco_pid llc.nortel_pid "
    "llc.extreme_pid llc.foundry_pid ieee8021ah.csrc ieee8021ah.cdst ieee8021ah.etype "
    "macsec.etype hsr.type vntag.etype etag.etype cmd.type gre.proto ah.next_header "
    "ip.src ip.dst ip.proto ip.len ip.hdr_len ip.id ip.flags.mf ip.frag_offset "
    "ipv6.src ipv6.dst ipv6.nxt ipv6.plen ipv6.hopopts.nxt ipv6.dstopts.nxt ipv6.routing.nxt "
    "ipv6.fraghdr.nxt ipv6.fraghdr.offset ipv6.fraghdr.more ipv6.fraghdr.ident mip6.proto "
    "tcp.srcport tcp.dstport tcp.hdr_len tcp.flags tcp.urgent_pointer tcp.stream "
    "tcp.analysis.initial_rtt "
    "udp.srcport udp.dstport udp.length udp.checksum sctp.srcport sctp.dstport sctp.checksum "
    "dccp.srcport dccp.dstport "
    "icmp.type icmp.code icmp.checksum icmpv6.type icmpv6.code icmpv6.checksum communityid"
).split()

IP_FRAGMENT_TIMEOUT = 30.0  # seconds, weir's
ICMP, TCP, UDP, AH, ICMPV6, SCTP, UDPLITE = 1, 6, 17, 51, 58, 132, 136
DCCP = 33

# Community ID v1: the types that are a question or its answer.
ICMP_PAIRS = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9, 9: 10}
ICMPV6_PAIRS = {
    128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133, 135: 136, 136: 135,
    139: 140, 140: 139, 144: 145, 145: 144,
}  # fmt: skip

ETHERTYPES = {"ip": 0x0800, "ipv6": 0x86DD, "arp": 0x0806}
ARP_TYPES = (0x0806, 0x8035)
ETHERTYPE_MIN = 0x600
WPAN_TYPE = 0x809A
IPX_TYPE = 0x8137
SNAP_VENDORS = {0x0C: "cisco", 0x81: "nortel", 0xE02B: "extreme", 0xE052: "foundry"}
ARCNET_TYPES = {
    212: 0x0800, 213: 0x0806, 214: 0x8035, 196: 0x86DD, 221: 0x809B, 250: 0x8137, 240: 0x0800,
    241: 0x0806,
}  # fmt: skip

# Layers of tshark's that hold no addresses, and behind which another header may follow.
TRANSPARENT = (
    "ethertype raw null ppp radiotap wlan_radio prism wlancap ppi exported_pdu nflog mpls "
    "pwethheuristic pwethcw pwethnocw pppoes cfp wlan_aggregate fr chdlc "
    "ipv6.hopopts ipv6.dstopts ipv6.routing ipv6.fraghdr mipv6"
).split()
IP_IN_IP, IPV6_IN_IP = 4, 41
TUNNEL_PROTOCOLS = (IP_IN_IP, IPV6_IN_IP, 115, 137)  # and GRE, whose header is looked at either way
# By IP protocol: tshark's next layer where weir goes on too.
LAYERS_OF_PROTOCOL = {
    4: ("ip",), 41: ("ipv6",), 137: ("mpls",), 47: ("gre",), 115: ("l2tp",), 51: ("ah",),
    6: ("tcp",), 17: ("udp",), 132: ("sctp",), 1: ("icmp",), 58: ("icmpv6",), 33: ("dccp",),
    136: ("udplite",),
}  # fmt: skip
TUNNELS_TO_PORT = {"vxlan": (4789, 4790, 8472), "geneve": (6081,)}
TUNNELS_BY_PORT = {"gtp": (2152,), "l2tp": (1701,), "teredo": (3544,)}
TUNNELS = ("gre", "erspan", "ah", *TUNNELS_TO_PORT, *TUNNELS_BY_PORT)
# The layers behind GRE that weir enters; tshark knows more.
BEHIND_GRE = ("ip", "ipv6", "mpls", "eth", "ppp", "erspan", "ethertype", "arp", "vlan", "pppoes",
              "wlan")

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
    is_nested: bool = False  # a second IP header or a tunnel: tshark's analyses are of another
    vlans: tuple | None = ()  # ids, the outermost first; None when tshark does not tell them all
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


class _Row:
    """The fields of one packet, read in the order of its layers: a field's n-th value is that of
    the n-th layer that has it."""

    def __init__(self, row):
        self._row = row
        self._values = {}

    def text(self, field):
        """The next value; empty when there is no other."""
        values = self._values.get(field)
        if values is None:
            values = self._values[field] = [v for v in self._row[field].split(",") if v][::-1]
        return values.pop() if values else ""

    def number(self, field):
        text = self.text(field)
        return int(text, 0) if text else None


def _ports(row, proto, size):
    """(src_port, dst_port) by the IP protocol, or a text that says why weir calls it an error.

    `size` counts from the transport header, by the length fields and of what the capture holds;
    None when tshark does not tell.
    """
    if proto == TCP:
        ends = row.number("tcp.srcport"), row.number("tcp.dstport")
        header = row.number("tcp.hdr_len")
        # The urgent pointer ends the fixed header; tshark shows ports of a header cut before it.
        if not row.text("tcp.urgent_pointer"):
            return "truncated"
        return "bad_header_length" if header < 20 or (size or header) < header else ends
    if proto in (UDP, UDPLITE):
        ends = row.number("udp.srcport"), row.number("udp.dstport")
        length = row.number("udp.length") if proto == UDP else 0
        if not row.text("udp.checksum") and proto == UDP:
            return "truncated"
        return "bad_length" if 0 < length < 8 else ends
    if proto == SCTP:
        ends = row.number("sctp.srcport"), row.number("sctp.dstport")
        return ends if row.text("sctp.checksum") else "truncated"
    if proto == DCCP:
        ends = row.number("dccp.srcport"), row.number("dccp.dstport")
        return "truncated" if None in ends else ends
    if proto in (ICMP, ICMPV6):
        name, pairs = ("icmp", ICMP_PAIRS) if proto == ICMP else ("icmpv6", ICMPV6_PAIRS)
        size_min = 8 if proto == ICMP else 4
        kind, code = row.number(name + ".type"), row.number(name + ".code")
        if kind is None or code is None or (size is not None and size < size_min):
            return "truncated"
        return kind, pairs.get(kind, code)
    return None, None


class _Walk:
    """The way from the frame's first header to the one whose addresses key its flow."""

    def __init__(self, fields, packet, fragments, decapsulates):
        self._decapsulates = decapsulates
        self._row = _Row(fields)
        self._packet = packet
        self._fragments = fragments
        self._time = float(fields["frame.time_epoch"])
        self._captured = int(fields["frame.cap_len"])
        self._layers = fields["frame.protocols"].split(":")
        self._position = 0
        self._offset = 0  # of the current header in the frame; None behind what hides it
        self._link = None  # source, destination
        self._ethertype = None
        self._ip = None  # source, destination, protocol
        self._ip_size = None  # above the IP header, as _ports takes it
        self._ports = None, None
        self._datagram = None  # of the outermost first piece on the way
        self.tags = []

    def _next(self):
        following = self._layers[self._position + 1 :]
        following = [layer for layer in following if not layer.startswith("ipv6.")]
        return following[0] if following else ""

    def _pass(self, size):
        """Moves the offset behind a header; an unknown size hides what follows."""
        self._offset = None if None in (self._offset, size) else self._offset + size

    def go(self):
        steps = {
            "eth": self._ethernet, "vlan": self._vlan, "ieee8021ad": self._service_tag,
            "sll": self._cooked, "wlan": self._wlan, "fddi": self._fddi, "tr": self._token_ring,
            "arcnet": self._arcnet, "wpan": self._wpan, "llc": self._llc,
            "ieee8021ah": self._backbone, "ip": self._ipv4, "ipv6": self._ipv6,
            "ah": self._authentication, "gre": self._gre,
        }  # fmt: skip
        for self._position, layer in enumerate(self._layers):
            if layer in steps:
                problem = steps[layer]()
            elif layer in ("macsec", "hsr", "vntag", "etag", "cmd"):
                problem = self._tag(layer)
            elif layer in TUNNELS or layer in TRANSPARENT:
                problem = None
                self._pass({"raw": 0, "null": 4, "ethertype": 0}.get(layer))
            elif layer in ("tcp", "udp", "udplite", "sctp", "icmp", "icmpv6", "dccp"):
                problem = None if layer == "udp" and self._is_tunnel_in_udp() else "stop"
            else:
                problem = "stop"
            if problem == "stop":
                break
            if problem:
                self._packet.why = problem
                return
        self._finish()

    def _finish(self):
        packet = self._packet
        if packet.why or packet.key is not None:
            return
        if self._ip is not None:
            src, dst, proto = self._ip
            packet.key = Key(src, self._ports[0], dst, self._ports[1], proto)
        elif self._link is None or self._ethertype is None:
            packet.why = "control"
        elif self._ethertype in (ETHERTYPES["ip"], ETHERTYPES["ipv6"]):
            packet.why = "bad_version"  # announced, but tshark shows no such header
        else:
            packet.key = Key(self._link[0], None, self._link[1], None, self._ethertype)
            # weir wants the fixed part of ARP.
            if self._ethertype in ARP_TYPES and self._offset is not None:
                if self._captured < self._offset + 8:
                    packet.key, packet.why = None, "truncated"
        if self._datagram is not None and packet.key is not None:
            self._fragments.first_piece(self._datagram, self._time, packet.key)

    def _enter_link(self, src, dst, ethertype):
        if not src or not dst:
            return "truncated"
        self._link, self._ethertype, self._ip = (src, dst), ethertype, None
        return None

    def _ethernet(self):
        if self._next() == "cfp":  # has the addresses in fields of its own
            self._offset = None
            return None
        src, dst = self._row.text("eth.src"), self._row.text("eth.dst")
        following = self._next()
        if following == "ethertype":
            ethertype = self._row.number("eth.type")
        elif following == "ipx":
            ethertype = IPX_TYPE  # right behind the length
        else:
            length = self._row.number("eth.len")
            if length is None:
                ethertype = self._row.number("eth.type")
            elif following != "llc":
                return "bad_length"
            else:
                ethertype = None
        self._pass(14)
        if ethertype == 0:
            return "truncated"  # no type for weir but a length, which leaves no room for LLC
        return self._enter_link(src, dst, ethertype)

    def _vlan(self):
        self.tags.append(self._row.number("vlan.id"))
        self._pass(4)
        if self.tags[-1] is None or (self._offset or 0) > self._captured:
            return "truncated"
        if self._next() == "llc":
            return None
        self._ethertype = self._row.number("vlan.etype")
        return None if self._ethertype is not None else "truncated"

    def _service_tag(self):
        """tshark shows no type of what this tags."""
        self._packet.vlans = None
        inside = self._layers[self._position + 1 :]
        self._ethertype = next((t for name, t in ETHERTYPES.items() if name in inside), None)
        self._pass(4)

    def _cooked(self):
        self._ethertype = self._row.number("sll.etype")
        src = self._row.text("sll.src.eth") or "00:00:00:00:00:00"
        self._link = src, "00:00:00:00:00:00"
        self._pass(16)
        return "control" if self._ethertype is None and self._next() != "llc" else None

    def _wlan(self):
        if self._ip is None and self._link is not None:
            return "stop"  # in Ethernet: not entered
        self._offset = None
        if self._next() not in ("llc", "wlan_aggregate"):
            return "wlan"
        return self._enter_link(self._row.text("wlan.sa"), self._row.text("wlan.da"), None)

    def _fddi(self):
        self._offset = None
        return self._enter_link(self._row.text("fddi.src"), self._row.text("fddi.dst"), None)

    def _token_ring(self):
        self._offset = None
        src, dst = self._row.text("tr.src"), self._row.text("tr.dst")
        if src:  # the highest bit says that there is a route, and is none of the address
            src = f"{int(src[:2], 16) & 0x7F:02x}{src[2:]}"
        return self._enter_link(src, dst, None)

    def _arcnet(self):
        self._offset = None
        ends = [f"00:00:00:00:00:{self._row.number('arcnet.' + end):02x}" for end in ("src", "dst")]
        kind = self._row.number("arcnet.protID")
        if kind not in ARCNET_TYPES and self._next() != "llc":
            return "family"
        return self._enter_link(ends[0], ends[1], ARCNET_TYPES.get(kind))

    def _wpan(self):
        if self._link is not None:
            return "stop"  # behind an EtherType: a protocol of that link
        ends = []
        pans = {end: self._row.number(f"wpan.{end}_pan") for end in ("src", "dst")}
        for end in ("src", "dst"):
            long, short = self._row.text(f"wpan.{end}64"), self._row.number(f"wpan.{end}16")
            pan = pans[end] if pans[end] is not None else pans["dst"] or 0
            # To a short address tshark adds the long one it learnt from other frames.
            if short is not None or not long:
                long = ((pan << 16 | short) if short is not None else 0).to_bytes(8, "big").hex(":")
            ends.append(long)
        self._link, self._ethertype = tuple(ends), WPAN_TYPE
        return "stop"

    def _llc(self):
        """Frames without an EtherType: the SAP or the protocol of SNAP takes its place."""
        self._offset = None
        dsap, ssap = self._row.number("llc.dsap"), self._row.number("llc.ssap")
        if dsap is None:  # SNAP alone
            dsap = ssap = 0xAA
        following = self._next()
        if dsap != 0xAA or ssap != 0xAA:
            self._ethertype = 0xFF if dsap == 0xFF else dsap & 0xFE
            if self._ethertype == 0xFE:  # OSI, whose protocols have numbers of their own
                inside = self._layers[self._position + 1 : self._position + 3]
                numbers = (n for name, n in (("clnp", 0x81), ("isis", 0x83)) if name in inside)
                self._ethertype = next(numbers, 0xFE)
            return None if following in ("ip", "ipv6", "arp") else "stop"
        return self._snap()

    def _snap(self):
        organisation, following = self._row.number("llc.oui"), self._next()
        if organisation is None:
            return "truncated"
        if organisation == 0x0080C2 and following in ("eth", "stp"):
            self._ethertype = 0x42  # of spanning tree
            return None if following == "eth" else "stop"
        if organisation == 0x001090:
            self._ethertype = 1  # Cimetrics: BACnet MS/TP
            return "stop"
        if organisation in SNAP_VENDORS:
            number = self._row.number(f"llc.{SNAP_VENDORS[organisation]}_pid") or 0
            self._ethertype = number if number >= 0x100 or number == 0xBB else 0xAA
            return "stop"
        field = "llc.apple_atalk_pid" if organisation == 0x080007 else "llc.type"
        number = self._row.number(field) if organisation in (0, 0xF8, 0x080007) else None
        self._ethertype = number if number and number >= ETHERTYPE_MIN else 0xAA
        return None

    def _backbone(self):
        self._offset = None
        src, dst = self._row.text("ieee8021ah.csrc"), self._row.text("ieee8021ah.cdst")
        return self._enter_link(src, dst, self._row.number("ieee8021ah.etype"))

    def _tag(self, layer):
        """What stands in front of another EtherType."""
        self._offset = None
        field = {"hsr": "hsr.type", "cmd": "cmd.type"}.get(layer, layer + ".etype")
        number = self._row.number(field)
        if number is None:
            return "stop" if layer == "macsec" else "truncated"
        self._ethertype = number
        return None

    def _is_tunnel_in_udp(self):
        following = self._next()
        if self._ip is None or self._ip[2] != UDP or not self._decapsulates:
            return False
        if following in TUNNELS_TO_PORT:
            return self._ports[1] in TUNNELS_TO_PORT[following]
        return any(port in TUNNELS_BY_PORT.get(following, ()) for port in self._ports)

    def _gre(self):
        self._offset = None
        if self._row.number("gre.proto") is None:
            return "truncated"
        return None if self._decapsulates and self._next() in BEHIND_GRE else "stop"

    def _authentication(self):
        self._offset = None
        proto = self._row.number("ah.next_header")
        if proto is None:
            return "truncated"
        return self._above_ip(self._ip[0], self._ip[1], proto, None)

    def _ipv4(self):
        row = self._row
        src, dst, proto = row.text("ip.src"), row.text("ip.dst"), row.number("ip.proto")
        header, total = row.number("ip.hdr_len"), row.number("ip.len")
        identification, more = row.number("ip.id"), row.number("ip.flags.mf")
        place = row.number("ip.frag_offset")
        if not src or not dst or proto is None:
            return "truncated"
        captured = None
        if self._offset is not None:
            captured = self._captured - self._offset
            if captured < max(header, 20):
                return "truncated"
            total = total or max(self._packet.size - self._offset, captured)
        if header < 20 or (total and total < header):
            return "bad_length"
        size = total - header if total else None
        if captured is not None:
            size = min(size, captured - header)
        datagram = (src, dst, identification, proto)
        self._pass(header)
        if place:
            self._fragments.later_piece(datagram, self._time, self._packet)
            self._packet.why = "fragment"
            return "stop"
        if more == 1 and self._datagram is None:
            self._datagram = datagram
        # By TCP's header only what the length field says is too short: the rest may be cut.
        if proto == TCP:
            size = total - header if total else None
        return self._above_ip(src, dst, proto, size)

    def _ipv6(self):
        row = self._row
        src, dst, proto = row.text("ipv6.src"), row.text("ipv6.dst"), row.number("ipv6.nxt")
        row.number("ipv6.plen")
        if not src or not dst or proto is None:
            return "truncated"
        if self._offset is not None and self._captured < self._offset + 40:
            return "truncated"
        self._offset = None
        while proto in IPV6_EXTENSIONS:
            kind = proto
            proto = row.number(IPV6_EXTENSIONS[kind])
            if proto is None:
                return "truncated"
            if kind != IPV6_FRAGMENT:
                continue
            datagram = (src, dst, row.number("ipv6.fraghdr.ident"))
            place, more = row.number("ipv6.fraghdr.offset"), row.number("ipv6.fraghdr.more")
            if place:
                self._fragments.later_piece(datagram, self._time, self._packet)
                self._packet.why = "fragment"
                return "stop"
            if more == 1 and self._datagram is None:
                self._datagram = datagram
        size = None
        if proto == ICMPV6:
            # What extension headers take is not known here.
            size = 4 if row.text("icmpv6.checksum") else 0
        return self._above_ip(src, dst, proto, size)

    def _above_ip(self, src, dst, proto, size):
        self._ip = src, dst, proto
        self._ports = None, None
        if proto in LAYERS_OF_PROTOCOL and proto != AH:
            ports = _ports(self._row, proto, size)
            if isinstance(ports, str):
                return ports
            self._ports = ports
        if not self._decapsulates and proto in TUNNEL_PROTOCOLS:
            return "stop"
        if self._next() in LAYERS_OF_PROTOCOL.get(proto, ()):
            return None
        # Where IP is announced, tshark shows no header that is cut or of another version.
        return "bad_version" if proto in (IP_IN_IP, IPV6_IN_IP) else "stop"


class PacketReader:
    """Turns the rows of one capture, in order, into packets."""

    def __init__(self, decapsulates):
        self._decapsulates = decapsulates
        self._fragments = _Fragments()

    def read(self, row):
        packet = Packet(size=int(row["frame.len"]), community_id=row["communityid"])
        packet.tcp_stream = first(row["tcp.stream"])
        packet.tcp_flags = number(row["tcp.flags"]) or 0
        packet.initial_rtt = first(row["tcp.analysis.initial_rtt"])
        layers = row["frame.protocols"].split(":")
        ip_count = sum(layer in ("ip", "ipv6") for layer in layers)
        packet.is_nested = ip_count > 1 or any(layer in TUNNELS for layer in layers)
        walk = _Walk(row, packet, self._fragments, self._decapsulates)
        walk.go()
        if packet.vlans is not None:
            packet.vlans = tuple(walk.tags)
        return packet


def rows_of(name):
    """What tshark says of every packet of a shared capture, in order."""
    command = ["tshark", "-n", "-r", name, "--enable-protocol", "communityid"]
    command += ["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,"]
    for preference in PREFERENCES:
        command += ["-o", preference]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, cwd=CAPTURES, capture_output=True, text=True, check=False)
    return [dict(zip(FIELDS, line.split("\t"))) for line in done.stdout.splitlines()]


def packets_of(rows, decapsulates=True):
    """The packets of rows_of(); `decapsulates` is weir's option."""
    reader = PacketReader(decapsulates)
    return [reader.read(row) for row in rows]
