#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes examples/sample.pcap, the capture that tools/run reads when it is given none.

Sixteen seconds of a small network that never existed: every address is a documentation address (RFC
5737, RFC 3849, RFC 7042) and every byte is made here, so the file is ours and the same on every
run. tools/check compares the file in the tree with what this script writes. It shows one flow of
each common kind, not every case weir decodes.

usage: tools/make_sample.py [OUT]
"""

import ipaddress
import pathlib
import struct
import sys

START = 1_767_258_000_000_000  # 2026-01-01T09:00:00Z, in µs

LAPTOP = "192.0.2.10"
GATEWAY = "192.0.2.1"
RESOLVER = "192.0.2.53"
WEB = "198.51.100.80"
PLC = "203.0.113.5"
LAPTOP6 = "2001:db8::10"
SERVER6 = "2001:db8::22"

MACS = {
    LAPTOP: "00005e005310", GATEWAY: "00005e005301", RESOLVER: "00005e005353", WEB: "00005e005301",
    PLC: "00005e005305", LAPTOP6: "00005e005310", SERVER6: "00005e005322",
}

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

frames = []  # (time in µs, bytes)


def at(milliseconds, frame):
    frames.append((START + round(milliseconds * 1000), frame))


# --- Headers, from the inside out ---


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def with_checksum(source, target, protocol, segment, offset):
    """The segment with its checksum, over the pseudo-header too, filled in at offset."""
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
    value = checksum(addresses + struct.pack("!II", len(segment), protocol) + segment)
    return segment[:offset] + struct.pack("!H", value) + segment[offset + 2:]


def ethernet(source_mac, target_mac, ethertype, payload, vlan=None):
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    header = bytes.fromhex(target_mac + source_mac) + tag + struct.pack("!H", ethertype)
    return (header + payload).ljust(60, b"\0")  # the shortest Ethernet frame, without its FCS


def ip(source, target, protocol, payload, vlan=None):
    macs = MACS[source], MACS[target]
    if ":" in source:
        header = struct.pack("!IHBB", 0x60000000, len(payload), protocol, 64)
        header += ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
        return ethernet(*macs, 0x86DD, header + payload, vlan)
    identification = len(frames) + 1
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), identification, 0x4000, 64,
                         protocol, 0)
    header += ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return ethernet(*macs, 0x0800, header + payload, vlan)


def udp(source, source_port, target, target_port, payload, vlan=None):
    segment = struct.pack("!HHHH", source_port, target_port, 8 + len(payload), 0) + payload
    return ip(source, target, 17, with_checksum(source, target, 17, segment, 6), vlan)


class Tcp:
    """One TCP connection; keeps the sequence numbers of both ends."""

    def __init__(self, client, client_port, server, server_port, isn):
        self.ends = ((client, client_port), (server, server_port))
        self.next = [isn, isn * 7 % 2**32]

    def send(self, time, sender, flags, payload=b"", again=False):
        """One segment from end 0 (client) or 1 (server); again = the one before, sent once more."""
        (source, source_port), (target, target_port) = self.ends[sender], self.ends[1 - sender]
        length = len(payload) + bool(flags & (SYN | FIN))
        sequence = self.next[sender] - (length if again else 0)
        acknowledgment = self.next[1 - sender] if flags & ACK else 0
        options = struct.pack("!BBH", 2, 4, 1460) if flags & SYN else b""
        segment = struct.pack("!HHIIBBHHH", source_port, target_port, sequence, acknowledgment,
                              (5 + len(options) // 4) << 4, flags, 64240, 0, 0) + options + payload
        at(time, ip(source, target, 6, with_checksum(source, target, 6, segment, 16)))
        self.next[sender] = (sequence + length) % 2**32

    def handshake(self, time, rtt):
        self.send(time, 0, SYN)
        self.send(time + rtt, 1, SYN | ACK)
        self.send(time + rtt + 0.1, 0, ACK)

    def close(self, time, rtt):
        self.send(time, 0, FIN | ACK)
        self.send(time + rtt, 1, FIN | ACK)
        self.send(time + rtt + 0.1, 0, ACK)


# --- Payloads ---


def dns_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def dns(identifier, name, record_type, answer=None):
    """A query, or its response when answer is the record's data (RFC 1035)."""
    flags, count = (0x0100, 0) if answer is None else (0x8180, 1)
    message = struct.pack("!6H", identifier, flags, 1, count, 0, 0) + dns_name(name)
    message += struct.pack("!HH", record_type, 1)
    if answer is not None:
        message += struct.pack("!HHHIH", 0xC00C, record_type, 1, 300, len(answer)) + answer
    return message


def tls_record(kind, body):
    return struct.pack("!BHH", kind, 0x0303, len(body)) + body


def tls_hello(kind, suites, extensions):
    """A ClientHello (1) or ServerHello (2) in its record (RFC 8446, section 4.1)."""
    body = struct.pack("!H", 0x0303) + bytes(range(32)) + b"\0"
    if kind == 1:
        body += struct.pack(f"!H{len(suites)}H", 2 * len(suites), *suites) + b"\1\0"
    else:
        body += struct.pack("!HB", suites[0], 0)
    body += struct.pack("!H", len(extensions)) + extensions
    return tls_record(22, struct.pack("!I", kind << 24 | len(body)) + body)


def tls_server_name(name):
    entry = struct.pack("!BH", 0, len(name)) + name.encode()
    return struct.pack("!HHH", 0, len(entry) + 2, len(entry)) + entry


# --- The sixteen seconds ---


def arp():
    def message(operation, sender, target, target_mac, destination):
        body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
        body += bytes.fromhex(MACS[sender]) + ipaddress.ip_address(sender).packed
        body += bytes.fromhex(target_mac) + ipaddress.ip_address(target).packed
        return ethernet(MACS[sender], destination, 0x0806, body)

    at(0, message(1, LAPTOP, GATEWAY, "000000000000", "ffffffffffff"))
    at(0.4, message(2, GATEWAY, LAPTOP, MACS[LAPTOP], MACS[LAPTOP]))


def name_look_ups():
    for start, port, name, record_type, answer in (
            (20, 50101, "www.example.com", 1, ipaddress.ip_address(WEB).packed),
            (24, 50102, "www.example.com", 28, ipaddress.ip_address(SERVER6).packed),
            (900, 50103, "status.example.net", 1, ipaddress.ip_address(WEB).packed)):
        at(start, udp(LAPTOP, port, RESOLVER, 53, dns(port, name, record_type)))
        at(start + 11.5, udp(RESOLVER, 53, LAPTOP, port, dns(port, name, record_type, answer)))


def tls():
    connection = Tcp(LAPTOP, 50443, WEB, 443, 1_000_000)
    connection.handshake(40, 18)
    hello = tls_hello(1, (0x1301, 0x1302, 0xC02F), tls_server_name("www.example.com"))
    connection.send(59, 0, PSH | ACK, hello)
    connection.send(78, 1, PSH | ACK, tls_hello(2, (0x1301,), b"") + tls_record(23, bytes(900)))
    connection.send(78.2, 0, ACK)
    connection.send(82, 0, PSH | ACK, tls_record(23, bytes(320)))
    for index in range(12):
        connection.send(103 + index * 0.3, 1, ACK, tls_record(23, bytes(1455)))
        if index % 2:
            connection.send(103.1 + index * 0.3, 0, ACK)
    connection.send(2600, 0, PSH | ACK, tls_record(23, bytes(210)))
    connection.send(2619, 1, PSH | ACK, tls_record(23, bytes(640)))
    connection.send(2619.2, 0, ACK)
    connection.close(5100, 18)


def http():
    connection = Tcp(LAPTOP, 50080, WEB, 80, 2_000_000)
    request = b"GET /health HTTP/1.1\r\nHost: status.example.net\r\nUser-Agent: sample/1\r\n\r\n"
    body = b'{"status": "ok"}\n'
    response = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    response += f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    connection.handshake(915, 22)
    connection.send(938, 0, PSH | ACK, request)
    connection.send(1168, 0, PSH | ACK, request, again=True)  # the first was lost beyond this point
    connection.send(1190, 1, PSH | ACK, response)
    connection.send(1190.2, 0, ACK)
    connection.close(1195, 22)


def ping():
    for sequence in range(1, 5):
        for delay, kind, source, target in ((0, 8, LAPTOP, GATEWAY), (1.3, 0, GATEWAY, LAPTOP)):
            message = struct.pack("!BBHHH", kind, 0, 0, 77, sequence) + bytes(range(56))
            message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
            at(1500 + sequence * 1000 + delay, ip(source, target, 1, message))


def modbus():
    """A client polls ten holding registers each second and leaves the connection open."""
    connection = Tcp(LAPTOP, 50502, PLC, 502, 3_000_000)
    connection.handshake(3000, 4)
    for poll in range(1, 9):
        start = 3010 + poll * 1000
        request = struct.pack("!HHHBBHH", poll, 0, 6, 1, 3, 100, 10)
        registers = struct.pack("!10H", *range(poll, poll + 10))
        response = struct.pack("!HHHBBB", poll, 0, 23, 1, 3, 20) + registers
        connection.send(start, 0, PSH | ACK, request)
        connection.send(start + 6, 1, PSH | ACK, response)
        connection.send(start + 6.2, 0, ACK)


def closed_port():
    connection = Tcp(LAPTOP, 50022, WEB, 8443, 4_000_000)
    connection.send(6000, 0, SYN)
    connection.send(6018, 1, RST | ACK)


def time_on_a_vlan():
    """NTP (RFC 5905) on VLAN 20: a request and its reply, twice."""
    for start in (7000, 15000):
        at(start, udp(LAPTOP, 123, GATEWAY, 123, b"\x23" + bytes(47), vlan=20))
        at(start + 0.9, udp(GATEWAY, 123, LAPTOP, 123, b"\x24\x02" + bytes(46), vlan=20))


def mail_over_ipv6():
    """SMTP (RFC 5321) in the clear; the capture ends before the connection does."""
    connection = Tcp(LAPTOP6, 50125, SERVER6, 25, 5_000_000)
    connection.handshake(8000, 2)
    connection.send(8004, 1, PSH | ACK, b"220 mail.example.org ESMTP\r\n")
    for index, (command, reply) in enumerate((
            (b"EHLO laptop.example.org\r\n", b"250-mail.example.org\r\n250 SIZE 10240000\r\n"),
            (b"MAIL FROM:<a@example.org>\r\n", b"250 2.1.0 Ok\r\n"),
            (b"RCPT TO:<b@example.org>\r\n", b"250 2.1.5 Ok\r\n"),
            (b"DATA\r\n", b"354 End data with <CR><LF>.<CR><LF>\r\n"),
            (b"Subject: sample\r\n\r\n" + 20 * b"A line about a river.\r\n" + b".\r\n",
             b"250 2.0.0 Ok: queued as 1\r\n"))):
        connection.send(8100 + index * 250, 0, PSH | ACK, command)
        connection.send(8103 + index * 250, 1, PSH | ACK, reply)
        connection.send(8103.1 + index * 250, 0, ACK)


def neighbour_discovery():
    """An ICMPv6 neighbour solicitation and advertisement (RFC 4861)."""
    for time, source, target, kind, flags, option in (
            (7998, LAPTOP6, SERVER6, 135, 0, 1),
            (7998.3, SERVER6, LAPTOP6, 136, 0x60000000, 2)):
        message = struct.pack("!BBHI", kind, 0, 0, flags) + ipaddress.ip_address(SERVER6).packed
        message += struct.pack("!BB", option, 1) + bytes.fromhex(MACS[source])
        at(time, ip(source, target, 58, with_checksum(source, target, 58, message, 2)))


def switch_announcement():
    """LLDP: no IP at all, so a layer-2 flow."""
    body = bytes.fromhex("0207" "04" "00005e005301" "0403" "0575" "31" "0602" "0078" "0000")
    at(10000, ethernet(MACS[GATEWAY], "0180c200000e", 0x88CC, body))


def sample():
    frames.clear()
    for scene in (arp, name_look_ups, tls, http, ping, modbus, closed_port, time_on_a_vlan,
                  mail_over_ipv6, neighbour_discovery, switch_announcement):
        scene()
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    for time, frame in sorted(frames, key=lambda entry: entry[0]):
        seconds, microseconds = divmod(time, 1_000_000)
        out += struct.pack("<IIII", seconds, microseconds, len(frame), len(frame)) + frame
    return out


def main():
    default = pathlib.Path(__file__).resolve().parent.parent / "examples" / "sample.pcap"
    target = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    target.write_bytes(sample())


if __name__ == "__main__":
    main()
