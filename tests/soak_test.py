#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A hundred million packets over three virtual hours: the memory must not grow. Then the slowest packet, which is
printed for docs/performance.md and judged by nobody: machines are shared.

usage: soak_test.py WEIR_SOAK WEIR_WORST_PACKET

Replays the shared captures, or without them the sample in examples/.
"""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "e2e"))
import shared_captures  # noqa: E402


def main():
    files = [str(path) for path in sorted(shared_captures.CAPTURES.rglob("*"))
             if path.is_file() and path.suffix != ".tsv"]
    files = files or [str(shared_captures.ROOT / "examples/sample.pcap")]
    soak = subprocess.run([sys.argv[1], *files], check=False)
    subprocess.run([sys.argv[2], *files], check=True)
    sys.exit(soak.returncode)


if __name__ == "__main__":
    main()
