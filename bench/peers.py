# SPDX-License-Identifier: Apache-2.0
"""The programs that weir is compared with, as Debian packages them: one row each.

Every command line lets the program do what it is for, with nothing it need not do: no names looked
up, no export to a network, output where it costs least, and no limit that would make it do less
than account for every flow. What each does and does not do compared with weir stands beside it; the
reader of a ratio should know.
"""

import dataclasses
import re
import shutil
import subprocess


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    package: str   # of Debian
    words: tuple   # {file}: the capture, {folder}: an empty folder for what it writes
    version: tuple  # what prints the version
    does: str      # compared with weir read -t 1 --format none


PEERS = (
    Peer("tcpdump", "tcpdump",
         ("tcpdump", "-n", "-r", "{file}", "-w", "/dev/null"),
         ("tcpdump", "--version"),
         "copies packets; knows no flows"),
    # Its default of 8,192 flows would make it evict all the time: 20 M never fill.
    Peer("softflowd", "softflowd",
         ("softflowd", "-r", "{file}", "-d", "-m", "20000000", "-p", "{folder}/pid", "-c", "none"),
         ("softflowd", "-h"),
         "flows with packets, bytes, flags; makes NetFlow records and sends them nowhere"),
    # Several threads; flows are closed after 60 s of silence, as weir's UDP is.
    Peer("nfpcapd", "nfdump",
         ("nfpcapd", "-r", "{file}", "-w", "{folder}"),
         ("nfpcapd", "-V"),
         "flows by direction, written to a file of a few MB"),
    Peer("ndpiReader", "libndpi-bin",
         ("ndpiReader", "-i", "{file}", "-q"),
         ("ndpiReader", "-h"),
         "flows and what protocol they speak: its dissectors cannot be left out, ours are not there"),
    Peer("argus", "argus-server",
         ("argus", "-r", "{file}", "-w", "/dev/null"),
         ("argus", "-h"),
         "flows with many counters, and their records"),
    Peer("tshark", "tshark",
         ("tshark", "-n", "-r", "{file}", "-q", "-z", "conv,tcp", "-z", "conv,udp"),
         ("tshark", "--version"),
         "dissects every packet in full, then a table of conversations"),
)


def find(name):
    """The peer's path, also where only root's PATH looks; None when it is not installed."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")


def version(peer):
    """The first number like 1.2 or 1.2.3 it says about itself."""
    done = subprocess.run([find(peer.name), *peer.version[1:]], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=30, check=False)
    match = re.search(rb"\d+\.\d+(\.\d+)*", done.stdout + done.stderr)
    return match.group().decode() if match else "unknown"


def command(peer, capture, folder):
    words = [word.format(file=capture, folder=folder) for word in peer.words]
    return [find(peer.name), *words[1:]]
