#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every prefix of a sample of the packets of the shared captures, decoded under the sanitizers of this build.

usage: prefixes_test.py WEIR_PREFIXES
"""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "e2e"))
import shared_captures  # noqa: E402

SAMPLE = "100"  # one packet in so many; all of them take minutes (docs/performance.md)


def main():
    files = [str(path) for path in sorted(shared_captures.CAPTURES.rglob("*"))
             if path.is_file() and path.suffix != ".tsv"]
    if not files:
        print(f"SKIP: no captures at {shared_captures.CAPTURES}")
        sys.exit(shared_captures.EXIT_SKIPPED)
    sys.exit(subprocess.run([sys.argv[1], "--sample", SAMPLE, *files]).returncode)


if __name__ == "__main__":
    main()
