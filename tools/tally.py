#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the test cases of one ctest run, those inside each GoogleTest program one by one.

usage: tools/tally.py CTEST_JUNIT_FILE GTEST_XML_FOLDER

Prints a line for each case that failed or was skipped, then "PASSED FAILED SKIPPED". The test
unit.NAME is the program NAME_test and left its cases in GTEST_XML_FOLDER/NAME_test.xml; one that
died before it could counts as one failure. Any other test counts once; one that is skipped says why
in a line "SKIP: reason".
"""

import pathlib
import re
import sys
import xml.etree.ElementTree


def program_cases(path):
    """(name, result, reason) for each case of a GoogleTest program."""
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None:
            yield name, "failed", ""
        elif case.get("result") == "skipped":
            reason = case.find("skipped")
            text = "" if reason is None else reason.get("message") or reason.text or ""
            yield name, "skipped", text.strip().split("\n")[-1]
        elif case.get("result") == "completed":
            yield name, "passed", ""


def cases(junit, folder):
    for test in xml.etree.ElementTree.parse(junit).iter("testcase"):
        name = test.get("name")
        found = []
        program = folder / (name.removeprefix("unit.") + "_test.xml")
        if name.startswith("unit.") and program.exists():
            found = list(program_cases(program))
        yield from found
        if test.find("skipped") is not None:
            reason = re.search(r"^SKIP:? *(.*)", test.findtext("system-out") or "", re.M)
            yield name, "skipped", reason.group(1) if reason else "no reason given"
        elif test.find("failure") is not None or test.get("status") in ("fail", "notrun"):
            if not any(result == "failed" for _name, result, _reason in found):
                yield name, "failed", "the program failed outside its cases"
        elif not found:
            yield name, "passed", ""


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name, result, reason in cases(sys.argv[1], pathlib.Path(sys.argv[2])):
        counts[result] += 1
        if result != "passed":
            print(f"{result}: {name}{': ' if reason else ''}{reason}")
    print(*counts.values())


if __name__ == "__main__":
    main()
