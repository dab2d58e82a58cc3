#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""README.md shows what the program prints: every block that begins with "$ tools/run ARGS" is run and compared.

With --update the blocks are written anew instead; read the difference before you commit it.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get("WEIR_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
WEIR = os.environ.get("WEIR", str(ROOT / "build/release/weir"))
README = ROOT / "README.md"
BLOCK = re.compile(r"^    \$ tools/run(?P<arguments>[^\n]*)\n(?P<output>(?:(?:    [^\n]*)?\n)*?)(?=\S)", re.M)


def shown(match):
    """The block as it should be: the command and what it prints, indented."""
    arguments = shlex.split(match["arguments"]) or ["read", "examples/sample.pcap"]
    done = subprocess.run([WEIR, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr
    lines = [f"$ tools/run{match['arguments']}", *done.stdout.splitlines()]
    return "".join(f"    {line}".rstrip() + "\n" for line in lines) + "\n"


def main():
    before = README.read_text()
    after, count = BLOCK.subn(shown, before)
    assert count >= 2, "README.md shows no output"
    if sys.argv[1:] == ["--update"]:
        README.write_text(after)
    elif before != after:
        sys.exit("README.md shows other output than the program prints: tests/e2e/readme_test.py --update")


if __name__ == "__main__":
    main()
