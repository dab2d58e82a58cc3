#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What weir finds in the captures of tests/golden is what NAME.json beside each says it has to find.

usage: golden_test.py [--write NAME…]

An entry of NAME.json is a flow: its two ends, what it carries and how weir knows, its path and its
attributes, in the order the flows began. Nothing else: no count, time or id, and no guess by port, for
those move when something unrelated is added. --write makes NAME.json of what weir finds now; whoever
does that compares every line with what another tool says of the capture, and says so in the commit.

The result is the same with several threads, with batches of one frame and with a sweep after every
packet. The attributes are the same in CSV, one cell each, none of which a spreadsheet takes for a
formula. Every protocol of dpi/protocols.inc is the app, or in the path, of a flow of some golden.
"""

import csv
import io
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get("WEIR_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
WEIR = os.environ.get("WEIR", str(ROOT / "build/release/weir"))
GOLDEN = ROOT / "tests/golden"
DPI = ROOT / "src/dpi"

EXIT_SKIPPED = 77
SECONDS_MAX = 60

# What of a flow is compared, besides its attributes. The MAC addresses are the ends of flows that have
# no others.
ENDS = ("src_ip", "src_port", "dst_ip", "dst_port", "proto")
LINK_ENDS = ("src_mac", "dst_mac", "proto")
FINDINGS = ("app", "app_confidence", "app_method", "service", "path")
UNCERTAIN = (None, "guess")
NOT_ATTRIBUTES = ("delta",)  # objects of the record itself

VARIANTS = (("-t", "2"), ("--batch-size", "1"), ("-t", "4", "--batch-size", "7"), ("--sweep", "always"))
FORMULA_STARTS = tuple("=+-@\t\r\n")


def run_weir(*arguments):
    """Runs the program; its standard output as bytes. Whatever it complains of ends the test."""
    done = subprocess.run(
        [WEIR, *arguments], cwd=GOLDEN, capture_output=True, timeout=SECONDS_MAX, check=False
    )
    if done.returncode != 0 or done.stderr:
        words = done.stderr.decode(errors="replace")
        sys.exit(f"FAILED: weir {' '.join(arguments)}: exit code {done.returncode}: {words}")
    return done.stdout


def records_of(capture, *options):
    lines = run_weir("read", capture.name, "--format", "json", *options).decode().splitlines()
    records = [json.loads(line) for line in lines]
    return sorted(records, key=lambda record: (record["first_seen"], record["id"]))


def attributes_of(record):
    """{protocol: {name: value …}}."""
    return {
        key: value
        for key, value in record.items()
        if isinstance(value, dict) and key not in NOT_ATTRIBUTES
    }


def facts_of(record):
    ends = ENDS if "src_ip" in record else LINK_ENDS
    facts = {key: record[key] for key in ends if key in record}
    for key in FINDINGS:
        is_guess = key.startswith("app") and record.get("app_confidence") in UNCERTAIN
        if key in record and not is_guess:
            facts[key] = record[key]
    facts.update(sorted(attributes_of(record).items()))
    return facts


def differences(name, expected, found):
    """What differs between two lists of flows, as sentences."""
    if len(expected) != len(found):
        yield f"{name}: {len(found)} flows, expected {len(expected)}"
    for number, (one, other) in enumerate(zip(expected, found)):
        where = f"{name}: flow {number}"
        for key in sorted(one.keys() | other.keys()):
            if isinstance(one.get(key), dict) and isinstance(other.get(key), dict):
                for member in sorted(one[key].keys() | other[key].keys()):
                    if one[key].get(member) != other[key].get(member):
                        yield (
                            f"{where}: {key}.{member} is {other[key].get(member)!r}, "
                            f"expected {one[key].get(member)!r}"
                        )
            elif one.get(key) != other.get(key):
                yield f"{where}: {key} is {other.get(key)!r}, expected {one.get(key)!r}"


def csv_problems(capture, records):
    """The attributes as columns: as many rows, a cell for each, and no cell that is a formula."""
    names = sorted(
        {
            f"{protocol}.{name}"
            for record in records
            for protocol, attributes in attributes_of(record).items()
            for name in attributes
        }
    )
    if not names or "--fields" not in run_weir("read", "--help").decode():
        return
    text = run_weir("read", capture.name, "--format", "csv", "--fields", ",".join(names)).decode()
    rows = list(csv.reader(io.StringIO(text)))
    if len(rows) != len(records) + 1:
        yield f"{capture.name}: {len(rows) - 1} CSV rows, expected {len(records)}"
    for row in rows:
        if len(row) != len(names):
            yield f"{capture.name}: a CSV row of {len(row)} cells, expected {len(names)}: {row}"
        for cell in row:
            if cell.startswith(FORMULA_STARTS):
                yield f"{capture.name}: a CSV cell a spreadsheet takes for a formula: {cell!r}"


def problems_of(capture):
    """(what is wrong with one golden, as sentences; the words of its flows' apps and paths)."""
    problems = []
    expected_file = capture.with_suffix(".json")
    records = records_of(capture)
    found = [facts_of(record) for record in records]
    if expected_file.exists():
        problems += differences(capture.name, json.loads(expected_file.read_text()), found)
    else:
        problems.append(f"{capture.name}: no {expected_file.name}; golden_test.py --write makes it")
    for options in VARIANTS:
        if records_of(capture, *options) != records:
            problems.append(f"{capture.name}: {' '.join(options)} gives another result")
    problems += csv_problems(capture, records)
    words = {word for facts in found for word in (facts.get("app"), *facts["path"].split("."))}
    return problems, words


def protocol_names():
    """The names in dpi/protocols.inc's definitions, from the files that define them."""
    names = {}
    for path in sorted(DPI.rglob("*.cc")):
        for definition, name in re.findall(
            r'const Protocol (k\w+)\s*=?\s*\{\s*\.name = "([^"]+)"', path.read_text()
        ):
            names[definition] = name
    listed = re.findall(r"^PROTOCOL\((k\w+)\)", (DPI / "protocols.inc").read_text(), re.MULTILINE)
    return {names[definition] for definition in listed}


def write(names):
    for name in names:
        capture = GOLDEN / f"{pathlib.Path(name).stem}.pcap"
        facts = [facts_of(record) for record in records_of(capture)]
        text = json.dumps(facts, indent=1, ensure_ascii=False)
        capture.with_suffix(".json").write_text(text + "\n")
        print(f"{capture.stem}.json: {len(facts)} flows")


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--write"] and len(arguments) > 1:
        write(arguments[1:])
        return
    if arguments:
        sys.exit(__doc__)
    captures = sorted(GOLDEN.glob("*.pcap"))
    problems = []
    seen = set()
    for capture in captures:
        found, words = problems_of(capture)
        problems += found
        seen |= words
    for path in sorted(GOLDEN.glob("*.json")):
        if not path.with_suffix(".pcap").exists():
            problems.append(f"{path.name}: of no capture")
    for name in sorted(protocol_names() - seen):
        problems.append(f"{name}: no golden has a flow of it")
    if not captures and not problems:
        print("SKIP: no goldens and no protocols yet")
        sys.exit(EXIT_SKIPPED)
    print(f"{len(captures)} goldens, {len(protocol_names())} protocols")
    for problem in problems:
        print(f"FAILED: {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
