#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""weir's conversations are tshark's: packets and wire bytes by direction, in hundreds of captures.

The captures are chosen by a rule, not by hand: of those whose link type weir decodes, all with
tunnels, tags, or a rare link type, and every N-th of the others by a hash of the name
(WEIR_COMPARE_ALL=1 takes them all). In each, weir's flows,
summed over time because weir ends a conversation when it falls silent, must equal what
tshark_packets.py makes of tshark's fields, key by key; packets without a key must be as many as
weir leaves without a flow. DIFFERENCES lists the captures that differ, each with its reason, and
an entry that is no longer needed fails the test. The same captures compare the Community ID of
every flow outside tunnels, the TCP handshake's rtt, and the VLAN tags; where there are tunnels,
the flows of --no-decapsulate too.

rtt is weir's time from the last SYN to the initiator's ACK of the SYN-ACK. tshark's initial_rtt
is that too when its own rules happen to find this packet. Else (an RST or the server's first data
taken for the ACK, a one-sided capture without SYN-ACK, 0 taken for "not measured yet") there is
nothing to compare.
"""

import collections
import functools
import hashlib
import ipaddress
import json
import os
import re
import shutil
import tempfile

from shared_captures import all_captures, in_parallel, report, run_weir, skip
from tshark_packets import Key, packets_of, rows_of

LINK_TYPES = (
    "ether linux-sll linux-sll2 rawip rawip4 rawip6 null loop ieee-802-11 ieee-802-11-radiotap "
    "frelay ppp chdlc wpan wpan-nofcs nflog arcnet arcnet_linux tr fddi-swapped per-packet"
).split()
# Words of the index's list of protocols that name a tunnel or a tag: all of their captures.
TUNNEL_WORDS = set(
    "gre erspan vxlan geneve gtp l2tp teredo mpls pppoes ah ieee8021ah ieee8021ad macsec vntag "
    "etag hsr cmd cfp vlan".split()
)
COMMON_LINK_TYPES = ("ether", "null", "ieee-802-11-radiotap")
ONE_IN = 6  # of the other captures
CAPTURE_COUNT_MIN = 400
AGREEING_SHARE_MIN = 0.95
RTT_SHARE_MIN = 0.98
RTT_TOLERANCE = 1e-6  # seconds

BAD_OPTIONS = (
    "an option inside the IP header, or inside an extension header, is longer than the header: "
    "tshark stops there; weir reads no options and goes on by the header's own length"
)
OFFLOAD = (
    "a super-frame of BIG TCP with a length field of 0: tshark 4.0 stops there; for weir it means "
    "the rest of the frame"
)

# Capture: what differs and why. Every reason was checked in the packets.
DIFFERENCES = {
    "ics/EmreEkin/PowerlinkEPL/epl.pcap": "tshark's EPL dissector replaces the addresses with node "
    "numbers before the Community ID is made; weir's is of the IP addresses",
    "ndpi/fuzz-2021-06-07-c6c72a0a56.pcap": "a record of 4,093,509,168 wire bytes: tshark's "
    "frame.len ends at 2,147,483,647",
    "suricata/bug-7414-decoder-event-01/ip_secopt.pcap": BAD_OPTIONS,
    "suricata/decode-too-many-layers/input.pcap": "a pseudo-wire whose frame was sent by a group "
    "address, which no station has: weir does not enter it; tshark goes down to the broken end",
    "suricata/detect-ipopts/input.pcap": "tshark's ip.dst is the last hop of a source route "
    "option; weir's the destination in the header, where the packet goes next",
    "suricata/firewall/tcp-session-decode-malformed-ipv4/input.pcap": BAD_OPTIONS,
    "suricata/ipv6-evasion/ipv6-malformed-fragments-11/frag-11.pcap": "137 extension headers in "
    "one packet: errors{too_many_extensions}",
    "tcpdump/tests/DTP.pcap": "Cisco ISL, a tag in front of the frame, which weir does not know: "
    "its header reads as LLC of the ISL multicast address",
    "tcpdump/tests/bigtcp-ipv4-geneve-ipv4.pcap": OFFLOAD,
    "tcpdump/tests/bigtcp-ipv4-geneve-ipv6.pcap": OFFLOAD,
    "tcpdump/tests/bigtcp-ipv4-vxlan-ipv4.pcap": OFFLOAD,
    "tcpdump/tests/bigtcp-ipv4-vxlan-ipv6.pcap": OFFLOAD,
    "tcpdump/tests/bigtcp-ipv6-geneve-ipv4.pcap": OFFLOAD,
    "tcpdump/tests/bigtcp-ipv6-vxlan-ipv6.pcap": OFFLOAD,
    "tcpdump/tests/bigtcp-ipv6.pcap": OFFLOAD,
    "zeek/icmp/icmp6-mldv2.pcap": "tshark gives up in malformed reports, and then makes a "
    "Community ID without type and code",
    "zeek/ipv6-mobility-dst-opts.pcap": BAD_OPTIONS,
    "zeek/pbb-recursive-frames.pcapng": "dozens of PBB tags in each other: "
    "errors{too_many_layers}",
    "zeek/trunc/mpls-6in6-broken.pcap": "frame 1088 has 14 MPLS labels: errors{too_many_labels}",
    "zeek/tunnels/geneve-truncated.pcapng": "the length fields leave 8 bytes for the Ethernet "
    "header inside Geneve: not plausible, so a flow of UDP; tshark shows a cut header",
    "zeek/tunnels/gtp/gtp9_unknown_or_too_short_payload.pcap": "frame 11: an IP packet of 1480 "
    "bytes inside 172 bytes of GTP: not plausible, so a flow of UDP",
}

MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}((:[0-9a-f]{2}){2})?")  # 48 or 64 bits
TCP = 6
SYN, RST, ACK = 0x02, 0x04, 0x10

COUNTED_APART = ("ignored", "errors", "shed", "unflowed")


def is_chosen(capture):
    if not capture.is_readable or capture.link_type not in LINK_TYPES:
        return False
    if os.environ.get("WEIR_COMPARE_ALL"):
        return True
    if TUNNEL_WORDS & capture.protocols or capture.link_type not in COMMON_LINK_TYPES:
        return True
    return int(hashlib.sha1(capture.name.encode()).hexdigest(), 16) % ONE_IN == 0


@functools.lru_cache(maxsize=None)
def plain(address):
    """One spelling of an address: IPv6 has several. A MAC address stays as it is."""
    return address if MAC.fullmatch(address) else str(ipaddress.ip_address(address))


class Tally:
    """What a program says of one capture."""

    def __init__(self):
        self.flows = collections.defaultdict(lambda: [0, 0])  # Key: packets, bytes
        self.without_flow = [0, 0]  # packets, bytes
        self.reasons = collections.Counter()  # why there is no flow
        self.community_ids = collections.defaultdict(set)  # Key: ids
        self.vlans = collections.defaultdict(set)  # the two keys of a conversation: lists of ids
        self.rtts = collections.defaultdict(list)  # the two keys of a conversation: seconds

    def add(self, key, packets, size):
        if packets:
            counts = self.flows[key]
            counts[0] += packets
            counts[1] += size


def reverse(key):
    return Key(key.dst, key.dst_port, key.src, key.src_port, key.proto)


class Handshake:
    """A TCP stream's beginning, to tell whether tshark's initial_rtt is of the handshake."""

    def __init__(self):
        self._initiator = None  # the key of the SYN
        self._has_answer = False
        self.is_over = False  # the initiator's ACK was there, or something else ended the waiting
        self.rtt = None

    def follow(self, packet):
        if self.is_over:
            return
        is_syn, is_ack, is_rst = (bool(packet.tcp_flags & bit) for bit in (SYN, ACK, RST))
        if is_syn and not is_ack and self._initiator in (None, packet.key):
            self._initiator = packet.key
        elif is_syn and is_ack and packet.key == reverse(self._initiator or packet.key):
            self._has_answer = True
        else:
            self.is_over = True
            if is_ack and not is_rst and self._has_answer and packet.key == self._initiator:
                self.rtt = float(packet.initial_rtt) if packet.initial_rtt else None


def tshark_tally(packets):
    tally = Tally()
    handshakes = collections.defaultdict(Handshake)
    conversations = {}
    for packet in packets:
        if packet.key is None:
            tally.without_flow[0] += 1
            tally.without_flow[1] += packet.size
            tally.reasons[packet.why] += 1
            continue
        key = packet.key = packet.key._replace(src=plain(packet.key.src), dst=plain(packet.key.dst))
        tally.add(key, 1, packet.size)
        tally.vlans[frozenset((key, reverse(key)))].add(packet.vlans)
        if packet.is_nested or not packet.is_whole:
            continue
        if packet.community_id:
            tally.community_ids[key].add(packet.community_id)
        if key.proto == TCP:
            handshake = handshakes[packet.tcp_stream]
            handshake.follow(packet)
            conversations[packet.tcp_stream] = frozenset((key, reverse(key)))
    for stream, conversation in conversations.items():
        tally.rtts[conversation].append(handshakes[stream].rtt)
    return tally


def key_of_record(record):
    if "src_ip" in record:
        ends = plain(record["src_ip"]), plain(record["dst_ip"])
    else:
        ends = record["src_mac"], record["dst_mac"]
    return Key(
        ends[0], record.get("src_port"), ends[1], record.get("dst_port"), record["proto_number"]
    )


def weir_tally(name, *options):
    tally = Tally()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        done = run_weir("read", name, "--format", "json", "--stats", file.name, *options)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"exit code {done.returncode}: {done.stderr.decode()}")
        statistics = json.load(file)
    for line in done.stdout.splitlines():
        record = json.loads(line)
        key = key_of_record(record)
        tally.add(key, record["src_packets"], record["src_bytes"])
        tally.add(reverse(key), record["dst_packets"], record["dst_bytes"])
        tally.vlans[frozenset((key, reverse(key)))].add(tuple(record.get("vlan", ())))
        if "community_id" in record:
            tally.community_ids[key].add(record["community_id"])
            tally.community_ids[reverse(key)].add(record["community_id"])
        if "rtt" in record:
            tally.rtts[frozenset((key, reverse(key)))].append(record["rtt"])
    for verdict_class in COUNTED_APART:
        tally.reasons.update({k: v for k, v in statistics[verdict_class].items() if v})
    tally.without_flow[0] = tally.reasons.total()
    tally.without_flow[1] = statistics["wire_bytes"] - sum(b for _, b in tally.flows.values())
    return tally


class Comparison:
    """Both opinions of one capture."""

    def __init__(self, capture):
        self.name = capture.name
        self.conversation_count = 0
        self.community_id_count = 0
        self.vlan_count = 0
        self.rtt_count = 0
        self.rtt_agreed_count = 0
        self.rtt_differences = []
        self.differences = []
        self.has_tunnels = False
        rows = rows_of(capture.name)
        packets = packets_of(rows)
        tshark, weir = tshark_tally(packets), weir_tally(capture.name)
        self._compare_flows(tshark, weir)
        self._compare_community_ids(tshark, weir)
        self._compare_rtts(tshark, weir)
        self._compare_vlans(tshark, weir)
        if any(packet.is_nested for packet in packets):
            self.has_tunnels = True
            tshark = tshark_tally(packets_of(rows, decapsulates=False))
            self._compare_flows(tshark, weir_tally(capture.name, "--no-decapsulate"))

    def _compare_flows(self, tshark, weir):
        for key in sorted(set(tshark.flows) | set(weir.flows), key=str):
            self.conversation_count += 1
            theirs, ours = tshark.flows.get(key), weir.flows.get(key)
            if theirs != ours:
                self.differences.append(f"{tuple(key)}: tshark {theirs}, weir {ours}")
        if tshark.without_flow != weir.without_flow:
            self.differences.append(
                f"without a flow: tshark {tshark.without_flow} {dict(tshark.reasons)}, "
                f"weir {weir.without_flow} {dict(weir.reasons)}"
            )

    def _compare_community_ids(self, tshark, weir):
        for key, theirs in tshark.community_ids.items():
            ours = weir.community_ids.get(key)
            if ours is None:
                continue  # not a flow of weir's: reported above
            self.community_id_count += 1
            if theirs != ours:
                self.differences.append(f"{tuple(key)}: Community ID: tshark {theirs}, weir {ours}")

    def _compare_vlans(self, tshark, weir):
        """A flow shows the tags of its first packet, which is one of the conversation's."""
        for conversation, ours in weir.vlans.items():
            theirs = tshark.vlans.get(conversation)
            if theirs is None or None in theirs:
                continue  # no conversation of tshark's: reported above; or it does not tell
            self.vlan_count += any(ours)
            if not ours <= theirs:
                key = tuple(min(conversation, key=str))
                self.differences.append(f"{key}: vlan: tshark {theirs}, weir {ours}")

    def _compare_rtts(self, tshark, weir):
        """Conversations with one handshake: which of several is whose, the keys do not tell."""
        for conversation, theirs in tshark.rtts.items():
            ours = weir.rtts.get(conversation, [])
            if len(theirs) > 1 or len(ours) > 1 or theirs[0] is None:
                continue
            self.rtt_count += 1
            if ours and abs(theirs[0] - ours[0]) <= RTT_TOLERANCE:
                self.rtt_agreed_count += 1
            else:
                key = tuple(min(conversation, key=str))
                self.rtt_differences.append(
                    f"{self.name}: {key}: rtt: tshark {theirs}, weir {ours}"
                )


def share(part, whole):
    return f"{part} of {whole} ({part / max(whole, 1):.2%})"


def problems_of(comparisons):
    for comparison in comparisons:
        is_expected = comparison.name in DIFFERENCES
        if is_expected and not comparison.differences:
            yield f"{comparison.name}: agrees; take it out of DIFFERENCES"
        if not is_expected:
            yield from (f"{comparison.name}: {text}" for text in comparison.differences)
    if len(comparisons) < CAPTURE_COUNT_MIN:
        yield f"only {len(comparisons)} captures, {CAPTURE_COUNT_MIN} are wanted"
    agreeing = sum(not comparison.differences for comparison in comparisons)
    if agreeing < AGREEING_SHARE_MIN * len(comparisons):
        yield f"only {share(agreeing, len(comparisons))} captures agree"
    agreed = sum(comparison.rtt_agreed_count for comparison in comparisons)
    rtt_count = sum(comparison.rtt_count for comparison in comparisons)
    if agreed < RTT_SHARE_MIN * rtt_count:
        yield f"only {share(agreed, rtt_count)} rtts agree"


def main():
    captures = [capture for capture in all_captures() if is_chosen(capture)]
    if shutil.which("tshark") is None:
        skip("no tshark")
    comparisons = in_parallel(Comparison, captures)
    for text in (text for comparison in comparisons for text in comparison.rtt_differences):
        print(f"note: {text}")
    total = collections.Counter()
    for comparison in comparisons:
        total["agreeing"] += not comparison.differences
        total["conversations"] += comparison.conversation_count
        total["community_ids"] += comparison.community_id_count
        total["tunnels"] += comparison.has_tunnels
        total["vlans"] += comparison.vlan_count
        total["rtts"] += comparison.rtt_count
        total["agreed_rtts"] += comparison.rtt_agreed_count
    print(
        f"captures in full agreement: {share(total['agreeing'], len(comparisons))}; "
        f"{total['conversations']} conversations by direction, of {total['tunnels']} captures with "
        f"tunnels also those outside; "
        f"{total['community_ids']} Community IDs and the tags of {total['vlans']} tagged "
        f"conversations compared; "
        f"rtts within 1 µs: {share(total['agreed_rtts'], total['rtts'])}"
    )
    report(list(problems_of(comparisons)))


if __name__ == "__main__":
    main()
