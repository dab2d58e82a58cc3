#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The output is the same bytes for any number of shards, any batch size, and any sweep.

Sweeping never, after every packet, or as usual may only find earlier what a look-up would find;
which shard a flow is in and where a batch ends are nobody's business. Over all shared captures:
every combination for some of them, a few that cover every value in the others, and again with all
files of a folder read in one call, where they share one table and one clock. A folder as argument
and --no-decapsulate are run like that too. A compressed copy gives what the capture itself gives,
but for its name.
"""

import gzip
import hashlib
import itertools
import lzma
import pathlib
import tempfile

from shared_captures import CAPTURES, all_captures, in_parallel, report, run_weir

THREADS = ("1", "2", "4")
SWEEPS = ("never", "always", "auto")
BATCH_SIZES = ("1", "7", "64")
COMBINATIONS = list(itertools.product(THREADS, SWEEPS, BATCH_SIZES))

# The first is what the others are compared with. Every value of every axis is in it, and the two
# extremes of sweeping meet on one shard, where nothing else differs.
COVERING = [
    ("1", "never", "64"),
    ("1", "always", "64"),
    ("2", "auto", "7"),
    ("4", "always", "1"),
    ("4", "never", "7"),
]
FULL_EVERY = 20  # every 20th capture runs all combinations
FOLDER = "zeek/tunnels"  # captures of many kinds of tunnels
COMPRESSED_EVERY = 50  # every 50th capture is compressed too
COMPRESSIONS = {".gz": gzip.compress, ".xz": lzma.compress}


def run(names, combination):
    threads, sweep, batch_size = combination
    return run_weir(
        "read", *names, "--format", "json", "--interim",
        "-t", threads, "--sweep", sweep, "--batch-size", batch_size,
    )  # fmt: skip


def differences(job):
    """What is wrong with one set of files under several combinations, as sentences."""
    title, names, combinations = job
    problems = []
    reference = None
    for combination in combinations:
        done = run(names, combination)
        how = "-t {} --sweep {} --batch-size {}".format(*combination)
        if done.returncode not in (0, 1):
            problems.append(f"{title}: {how}: exit code {done.returncode}: {done.stderr[-300:]}")
            continue
        result = (hashlib.sha256(done.stdout).hexdigest(), done.returncode)
        if reference is None:
            reference, lines = result, done.stdout.splitlines()
        elif result != reference:
            now = done.stdout.splitlines()
            pairs = itertools.zip_longest(lines, now)
            first = next((i for i, (a, b) in enumerate(pairs) if a != b), None)
            problems.append(
                f"{title}: {how}: {len(now)} records, {len(lines)} with the first combination; "
                f"record {first} differs:\n  {lines[first:][:1]}\n  {now[first:][:1]}"
            )
    return problems


def differences_of_copies(name):
    """What a compressed copy gives that the capture does not, as sentences."""
    problems = []
    expected = run([name], COVERING[0])
    with tempfile.TemporaryDirectory() as folder:
        for suffix, compress in COMPRESSIONS.items():
            copy = pathlib.Path(folder, "copy" + suffix)
            copy.write_bytes(compress((CAPTURES / name).read_bytes()))
            for combination in COVERING:
                done = run([str(copy)], combination)
                text = done.stdout.replace(str(copy).encode(), name.encode())
                if (text, done.returncode) != (expected.stdout, expected.returncode):
                    how = "-t {} --sweep {} --batch-size {}".format(*combination)
                    problems.append(f"{name}: {how}: a copy compressed as {suffix} gives another")
    return problems


def jobs():
    captures = [capture for capture in all_captures() if capture.is_readable]
    folders = {}
    for number, capture in enumerate(captures):
        combinations = COMBINATIONS if number % FULL_EVERY == 0 else COVERING
        yield capture.name, [capture.name], combinations
        folders.setdefault(capture.name.split("/")[0], []).append(capture.name)
    for folder, names in sorted(folders.items()):
        combinations = COMBINATIONS if folder in ("zeek", "ics") else COVERING
        yield f"all of {folder}", names, combinations
    backwards = [capture.name for capture in reversed(captures)]
    yield "all captures, the last one first", backwards, COVERING
    yield f"the folder {FOLDER}", [FOLDER], COMBINATIONS
    yield f"the folder {FOLDER}, from outside", [FOLDER, "--no-decapsulate"], COMBINATIONS


def main():
    all_jobs = list(jobs())
    problems = [text for found in in_parallel(differences, all_jobs) for text in found]
    run_count = sum(len(combinations) for _, _, combinations in all_jobs)
    copied = [capture.name for capture in all_captures() if capture.is_readable][::COMPRESSED_EVERY]
    problems += [text for found in in_parallel(differences_of_copies, copied) for text in found]
    print(
        f"{len(all_jobs)} sets of captures, {run_count} runs; {len(copied)} captures compressed "
        f"as {' and '.join(COMPRESSIONS)}"
    )
    report(problems)


if __name__ == "__main__":
    main()
