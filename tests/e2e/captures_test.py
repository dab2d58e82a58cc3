#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every shared capture that weir can read today is accounted for to the last frame.

For each: no crash and no hang, exit code 0 and not a word on stderr, every accounting identity 0,
and as many frames as capinfos counts. Three tables list the exceptions: what is no capture, what
is damaged, and what capinfos cannot count. An entry that is no longer needed fails the test.
"""

import json
import os
import re
import subprocess
import tempfile

from shared_captures import CAPTURES, all_captures, in_parallel, report, run_weir

# No capture: exit code 1 and one line that contains this.
NO_CAPTURES = {}

# Damaged: what comes before the damage is read, exit code 0, and one line contains this.
DAMAGED = {
    "ics/ITI/pcaps/MELSEC/melsoft_129_clean.pcap": "byte 331665: record cut short",
    "libpcap/tests/pcapng-invalid-vers-1.pcapng": "byte 0: pcapng version 0",
    "libpcap/tests/shb-option-too-long.pcapng": "byte 0: block length 52 at its start",
    "ndpi/fuzz-2021-10-13.pcap": "byte 237: record header cut short",
    "scapy/test/pcaps/bad_rsn_parsing_overrides_ssid.pcap": "byte 359: record header cut short",
    "suricata/bug-1450-05/tls_DER-incomplete-content.pcap": "byte 5035: record cut short",
    "suricata/smtp-to-comma/10.7.29.101_49898-178.63.41.150_25.pcap": "byte 3695: record length",
}

# What capinfos 4.0 refuses to open, with the frames weir counts, which are those of the records.
UNKNOWN_LINK_TYPE = "capinfos does not know the link type; weir counts its frames as ignored"
NOT_COUNTED = {
    "libpcap/tests/filter/brcm-tag.pcap": (15, UNKNOWN_LINK_TYPE),
    "libpcap/tests/filter/dsa.pcap": (8, UNKNOWN_LINK_TYPE),
    "libpcap/tests/linktype-reserved-field-not-zero.pcap": (0, "capinfos takes the bits above the "
    "link type for a part of it; there are no records"),
    "libpcap/tests/pcapng-invalid-vers-1.pcapng": (0, "damaged in its first block"),
    "libpcap/tests/shb-option-too-long.pcapng": (0, "damaged in its first block"),
    "tcpdump/tests/brcm-tag-prepend.pcap": (15, UNKNOWN_LINK_TYPE),
    "tcpdump/tests/brcm-tag.pcap": (23, UNKNOWN_LINK_TYPE),
    "tcpdump/tests/frf16_magic_ie-oobr.pcap": (1, UNKNOWN_LINK_TYPE),
    "tcpdump/tests/vtp_asan-2.pcap": (1, UNKNOWN_LINK_TYPE),
    "tcpdump/tests/vtp_asan-3.pcap": (1, UNKNOWN_LINK_TYPE),
    "tcpdump/tests/vtp_asan.pcap": (5, UNKNOWN_LINK_TYPE),
}  # fmt: skip

# The classes of verdicts that hold one count for each reason.
REASON_CLASSES = ("ignored", "errors", "shed")


def capinfos_counts(names):
    """{name: frames} of the files capinfos can read; a damaged file counts up to the damage."""
    listing = subprocess.run(
        ["capinfos", "-T", "-r", "-c", "-K", *names],
        cwd=CAPTURES,
        capture_output=True,
        text=True,
        check=False,
    )
    counts = {}
    for row in listing.stdout.splitlines():
        name, _, count = row.rpartition("\t")
        if count.isdigit():
            counts[name] = int(count)
    for count, name in re.findall(
        r'after reading (\d+) packets? from "([^"]+)"', listing.stderr.replace("\n", " ")
    ):
        counts[name] = int(count)
    return counts


def read(capture):
    """(finished process, what --stats wrote or None)."""
    descriptor, path = tempfile.mkstemp(suffix=".json")
    os.close(descriptor)
    try:
        done = run_weir("read", capture.name, "--format", "none", "--stats", path)
        with open(path, encoding="utf-8") as file:
            text = file.read()
    finally:
        os.unlink(path)
    return done, json.loads(text) if text else None


def total(counts):
    """Frames of a verdict class: a number, or one for each reason."""
    if isinstance(counts, dict):
        return sum(total(count) for count in counts.values())
    return counts


def problems_of(capture, frame_count, done, statistics):
    """What is wrong with one run, as sentences."""
    errors = done.stderr.decode(errors="replace")
    expected_code = 1 if capture.name in NO_CAPTURES else 0
    if done.returncode != expected_code:
        yield f"exit code {done.returncode}, expected {expected_code}: {errors}"
        return
    if done.stdout:
        yield f"--format none printed {done.stdout[:80]}"
    expected_text = NO_CAPTURES.get(capture.name) or DAMAGED.get(capture.name)
    if expected_text is None and errors:
        yield f"unexpected words: {errors}"
    if expected_text is not None and (errors.count("\n") != 1 or expected_text not in errors):
        yield f"expected one line with “{expected_text}”, got: {errors}"
    if capture.name in NO_CAPTURES:
        return
    if statistics is None:
        yield "no statistics"
        return
    broken = {name: value for name, value in statistics["imbalance"].items() if value != 0}
    if broken:
        yield f"imbalance {broken}"
    explained = statistics["decoded"] + sum(total(statistics[name]) for name in REASON_CLASSES)
    if explained != statistics["frames"]:
        yield f"{statistics['frames']} frames, but {explained} verdicts"
    if statistics["frames"] != frame_count:
        yield f"{statistics['frames']} frames, capinfos counts {frame_count}"


def main():
    captures = all_captures()
    readable = [capture for capture in captures if capture.name not in NO_CAPTURES]
    try:
        counts = capinfos_counts([capture.name for capture in readable])
        counted_by = "capinfos"
    except FileNotFoundError:
        counts = {c.name: c.packet_count for c in readable if c.packet_count is not None}
        counted_by = "the captures' index, there is no capinfos"
    problems = [f"{name}: capinfos counts it" for name in NOT_COUNTED if name in counts]
    compared_count = len(counts)
    counts.update({name: frames for name, (frames, _) in NOT_COUNTED.items()})

    frame_count = 0
    for capture, (done, statistics) in zip(captures, in_parallel(read, captures)):
        found = problems_of(capture, counts.get(capture.name), done, statistics)
        problems += [f"{capture.name}: {text}" for text in found]
        frame_count += statistics["frames"] if statistics else 0
    print(
        f"{len(readable)} captures, {frame_count} frames, {compared_count} captures compared with "
        f"{counted_by}; {len(NO_CAPTURES)} other files"
    )
    report(problems)


if __name__ == "__main__":
    main()
