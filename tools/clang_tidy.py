#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy on every file of a build that changed since it last passed, one process per core.

A file passed when its stamp in BUILD/clang-tidy is newer than the file, .clang-tidy and every
header of ours that the build recorded for it (ninja -t deps); a file never built is always checked.
It takes seconds a file, so this is what makes running it before every commit bearable.

usage: tools/clang_tidy.py BUILD
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def dependencies(build):
    """For each object file of the build, the files of ours it was made from."""
    command = ["ninja", "-C", build, "-t", "deps"]
    text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    out, files = {}, []
    for line in text.splitlines():
        if line.startswith("    "):
            path = pathlib.Path(build, line.strip())
            if path.resolve().is_relative_to(ROOT):
                files.append(path)
        elif ": #deps" in line:
            files = out.setdefault(line.split(": #deps")[0], [])
    return out


def is_current(stamp, source, headers):
    if not stamp.exists() or not headers:
        return False
    inputs = [source, ROOT / ".clang-tidy", *headers]
    return all(path.exists() and path.stat().st_mtime < stamp.stat().st_mtime for path in inputs)


def tidy(build, source, stamp):
    command = ["clang-tidy", "-p", build, "--quiet", source]
    if source.stem.endswith("_test"):
        command.append("--checks=-clang-analyzer-*")  # 20 s a file in GoogleTest's macros; 4 s without
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
        return ""
    return result.stdout + result.stderr


def main():
    build = sys.argv[1]
    known = dependencies(build)
    jobs = []
    for entry in json.loads(pathlib.Path(build, "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"])
        stamp = pathlib.Path(build, "clang-tidy", source.relative_to(ROOT).as_posix() + ".ok")
        object_file = re.search(r" -o (\S+)", entry["command"]).group(1)
        if not is_current(stamp, source, known.get(object_file, [])):
            jobs.append((build, source, stamp))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for text in pool.map(lambda job: tidy(*job), jobs):
            if text:
                print(text)
                failed += 1
    print(f"{len(jobs)} files checked, {failed} with findings")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
