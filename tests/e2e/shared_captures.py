# SPDX-License-Identifier: Apache-2.0
"""The shared captures, and the program run over them: what the end-to-end tests of this folder use.

The captures are no part of the repository. They lie in ../shared/captures beside it, or under the
folder that WEIR_SHARED names; without them a test says so and is skipped.
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get("WEIR_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
WEIR = os.environ.get("WEIR", str(ROOT / "build/release/weir"))
SHARED = pathlib.Path(os.environ.get("WEIR_SHARED", ROOT / "../shared"))
CAPTURES = (SHARED / "captures").resolve()

EXIT_SKIPPED = 77
SECONDS_MAX = 60  # for one run of the program; the largest capture takes a fraction of a second

# pcap in both byte orders with µs and ns, its "modified" variant, pcapng, snoop and gzip.
MAGICS = [
    bytes.fromhex(magic)
    for magic in "d4c3b2a1 a1b2c3d4 4d3cb2a1 a1b23c4d 34cdb2a1 a1b2cd34 0a0d0d0a 736e6f6f 1f8b0808".split()
]


@dataclasses.dataclass(frozen=True)
class Capture:
    name: str  # path relative to the captures' folder
    size: int  # bytes of the file
    packet_count: int | None  # as the index says; None where Wireshark could not read the file
    link_type: str  # Wireshark's name of it; "?" when unknown
    protocols: frozenset  # Wireshark's names of what is in it
    is_readable: bool  # begins as a capture does

    @property
    def path(self):
        return CAPTURES / self.name


def skip(reason):
    print(f"SKIP: {reason}")
    sys.exit(EXIT_SKIPPED)


def all_captures():
    """Every row of the index, in its order. Skips the test where there are none."""
    index = CAPTURES / "INDEX.tsv"
    if not index.exists():
        skip(f"no captures: {index} does not exist")
    captures = []
    for row in index.read_text().splitlines()[1:]:
        name, size, packets, link_type, protocols = row.split("\t")
        words = frozenset(protocols.split(","))
        with open(CAPTURES / name, "rb") as file:
            is_readable = file.read(4) in MAGICS
        packet_count = int(packets) if packets.isdigit() else None
        captures.append(Capture(name, int(size), packet_count, link_type, words, is_readable))
    return captures


def run_weir(*arguments):
    """Runs the program in the captures' folder; standard output stays bytes. Raises on a hang."""
    return subprocess.run(
        [WEIR, *arguments], cwd=CAPTURES, capture_output=True, timeout=SECONDS_MAX, check=False
    )


def in_parallel(function, items):
    """[function(item) …] in order, on all processors."""
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items, chunksize=4))


def report(problems, shown_max=40):
    """Prints what is wrong, if anything, and ends the test."""
    for problem in problems[:shown_max]:
        print(f"FAILED: {problem}")
    if len(problems) > shown_max:
        print(f"… and {len(problems) - shown_max} more")
    sys.exit(1 if problems else 0)
