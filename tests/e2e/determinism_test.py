#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The output is the same bytes for any number of shards, any batch size, and any sweep.

Sweeping never, after every packet, or as usual may only find earlier what a look-up would find;
which shard a flow is in and where a batch ends are nobody's business. Over all shared captures:
every combination for some of them, a few that cover every value in the others, and again with all
files of a folder read in one call, where they share one table and one clock. A folder as argument
and --no-decapsulate are run like that too. Flows come with their attributes; the messages of all
protocols and the header fields of flows are compared as well. A compressed copy gives what the
capture itself gives, but for its name.
"""

import gzip
import hashlib
import itertools
import lzma
import pathlib
import re
import tempfile

from shared_captures import CAPTURES, all_captures, in_parallel, report, run_weir

THREADS = ("1", "2", "4")
SWEEPS = ("never", "always", "auto")
BATCH_SIZES = ("1", "7", "1024")
COMBINATIONS = list(itertools.product(THREADS, SWEEPS, BATCH_SIZES))

# The first is what the others are compared with. Every value of every axis is in it, and the two
# extremes of sweeping meet on one shard, where nothing else differs.
COVERING = [
    ("1", "never", "1024"),
    ("1", "always", "1024"),
    ("2", "auto", "7"),
    ("4", "always", "1"),
    ("4", "never", "7"),
]
FULL_EVERY = 20  # every 20th capture runs all combinations
FOLDER = "zeek/tunnels"  # captures of many kinds of tunnels
COMPRESSED_EVERY = 50  # every 50th capture is compressed too
COMPRESSIONS = {".gz": gzip.compress, ".xz": lzma.compress}

FLOWS = ("--format", "json", "--interim")
MESSAGES_EVERY = 2  # every other capture is asked for messages too
HEADERS_EVERY = 5  # every 5th capture is asked for header fields too


def protocol_pages():
    """(name, page) of each protocol and header, as the program knows them."""
    page = run_weir("protocols", "all", "--markdown").stdout.decode()
    for name in re.findall(r"^### (.*)$", page, re.M):
        yield name, run_weir("protocols", name).stdout.decode()


def messages():
    """The messages of all protocols that have any."""
    names = [name for name, page in protocol_pages() if f"--events {name}\n" in page]
    assert len(names) > 10, names
    return ("--events", ",".join(names))


def header_fields():
    """Flows with all fields of their headers."""
    names = []
    for name, page in protocol_pages():
        if "\nOver " not in page and "--events" not in page:
            names += re.findall(rf"^  ({name}\.\w+) ", page, re.M)
    assert "ip.ttl" in names and len(names) > 50, names
    return ("--format", "json", "--interim", "--fields", "id,sequence," + ",".join(names))


def run(names, combination, what=FLOWS):
    threads, sweep, batch_size = combination
    return run_weir(
        "read", *names, *what, "-t", threads, "--sweep", sweep, "--batch-size", batch_size,
    )  # fmt: skip


def differences(job):
    """What is wrong with one set of files under several combinations, as sentences."""
    title, names, combinations, what = job
    problems = []
    reference = None
    for combination in combinations:
        done = run(names, combination, what)
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
    events, headers = messages(), header_fields()
    folders = {}
    for number, capture in enumerate(captures):
        combinations = COMBINATIONS if number % FULL_EVERY == 0 else COVERING
        yield capture.name, [capture.name], combinations, FLOWS
        if number % MESSAGES_EVERY == 0:
            yield f"messages of {capture.name}", [capture.name], combinations, events
        if number % HEADERS_EVERY == 0:
            yield f"headers of {capture.name}", [capture.name], COVERING, headers
        folders.setdefault(capture.name.split("/")[0], []).append(capture.name)
    for folder, names in sorted(folders.items()):
        combinations = COMBINATIONS if folder in ("zeek", "ics") else COVERING
        yield f"all of {folder}", names, combinations, FLOWS
        yield f"messages of all of {folder}", names, COVERING, events
    backwards = [capture.name for capture in reversed(captures)]
    yield "all captures, the last one first", backwards, COVERING, FLOWS
    yield f"the folder {FOLDER}", [FOLDER], COMBINATIONS, FLOWS
    yield f"the folder {FOLDER}, from outside", [FOLDER, "--no-decapsulate"], COMBINATIONS, FLOWS


def main():
    all_jobs = list(jobs())
    problems = [text for found in in_parallel(differences, all_jobs) for text in found]
    run_count = sum(len(combinations) for _, _, combinations, _ in all_jobs)
    copied = [capture.name for capture in all_captures() if capture.is_readable][::COMPRESSED_EVERY]
    problems += [text for found in in_parallel(differences_of_copies, copied) for text in found]
    print(
        f"{len(all_jobs)} sets of captures, {run_count} runs; {len(copied)} captures compressed "
        f"as {' and '.join(COMPRESSIONS)}"
    )
    report(problems)


if __name__ == "__main__":
    main()
