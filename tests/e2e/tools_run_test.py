#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/run: works from any directory with the caller's paths, has a default, and starts at once
when nothing changed.

Runs on the release build, which is what tools/run builds; from any other build there is nothing to
test.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(os.environ["WEIR_SOURCE_DIR"])
START_SECONDS_MAX = 1.0
TRIES = 5  # the best of them counts: other tests run beside this one


def run(*arguments, cwd):
    return subprocess.run(
        [ROOT / "tools/run", *arguments], cwd=cwd, capture_output=True, text=True, check=True
    ).stdout


def main():
    if pathlib.Path(os.environ["WEIR_BUILD_DIR"]) != ROOT / "build/release":
        print("SKIP: tools/run is about build/release, and this is another build")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "examples/sample.pcap", pathlib.Path(folder, "here.pcap"))
        own_path = run("read", "here.pcap", "--format", "csv", cwd=folder)
        assert own_path.count("\n") > 10, own_path
        by_default = run(cwd=folder)
        assert by_default == run("read", ROOT / "examples/sample.pcap", cwd=ROOT)

        seconds = []
        for _ in range(TRIES):
            start = time.monotonic()
            run("--version", cwd=folder)
            seconds.append(time.monotonic() - start)
        assert min(seconds) < START_SECONDS_MAX, f"the fastest start took {min(seconds):.2f} s"


if __name__ == "__main__":
    main()
