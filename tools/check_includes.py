#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the includes (and the link lists) to the layers: a folder of src/ uses only folders before
it.

The one list of folders is the add_subdirectory lines of src/CMakeLists.txt; there is none here.
include/weir/ lies below all of them: it includes nothing but itself and the standard library.
examples/ see include/weir/ only.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def layers(root):
    """The folders of src/ in order, from src/CMakeLists.txt."""
    text = (root / "src" / "CMakeLists.txt").read_text()
    folders = re.findall(r"^add_subdirectory\(([a-z_]+)\)", text, re.M)
    if not folders:
        sys.exit("src/CMakeLists.txt: no add_subdirectory(…) line to take the layers from")
    return folders


def quoted_includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include "([^"]+)"', line)
        if match:
            yield number, match.group(1)


def check_include(where, target, order, problems):
    """One quoted include; `where` is the folder of src/ it stands in, "include" or "examples"."""
    folder = target.split("/")[0]
    if "/" not in target or ".." in target:
        problems.append(f'include "{target}" by its folder, as in "net/packet.h"')
    elif folder in ("weir", "tests"):
        if folder == "tests" and where in ("include", "examples"):
            problems.append(f"{where}/ must not include {target}")
    elif where in ("include", "examples"):
        problems.append(f"{where}/ includes only weir/… and the standard library, not {target}")
    elif folder not in order:
        problems.append(f"{folder} is not a folder of src/CMakeLists.txt")
    elif where in order and order.index(folder) > order.index(where):
        problems.append(f"{where}/ must not include {target}: it comes first in src/CMakeLists.txt")


def check_sources(root, order):
    for base in ("src", "include", "examples"):
        for path in sorted((root / base).rglob("*")):
            if path.suffix not in (".h", ".cc", ".inc"):
                continue
            parts = path.relative_to(root).parts
            where = parts[1] if base == "src" and len(parts) > 2 else base
            if base == "src" and len(parts) > 2 and where not in order:
                yield f"{path.relative_to(root)}:1: {where} is not listed in src/CMakeLists.txt"
                continue
            for number, target in quoted_includes(path):
                problems = []
                is_test = path.suffix == ".h" or path.stem.endswith(("_test", "_fuzz"))
                if target.startswith("tests/") and not is_test:
                    problems.append("only tests, and headers for tests, may include tests/…")
                check_include(where, target, order, problems)
                for problem in problems:
                    yield f"{path.relative_to(root)}:{number}: {problem}"


def check_links(root, order):
    """weir_folder(x … LINKS weir_y): y must come before x."""
    for folder in order:
        lists = root / "src" / folder / "CMakeLists.txt"
        if not lists.exists():
            continue
        text = lists.read_text()
        for match in re.finditer(r"weir_folder\((\w+)(.*?)\)", text, re.S):
            number = text.count("\n", 0, match.start()) + 1
            for target in re.findall(r"\bweir_(\w+)", match.group(2)):
                if target in order and order.index(target) >= order.index(folder):
                    place = f"src/{folder}/CMakeLists.txt:{number}"
                    yield f"{place}: {folder} must not link weir_{target}"


def self_test():
    order = ["base", "net", "flow"]
    expected = [
        ("net", "base/assert.h", 0), ("net", "weir/frame.h", 0), ("net", "net/packet.h", 0),
        ("net", "flow/flow_table.h", 1), ("net", "packet.h", 1), ("net", "../flow/x.h", 1),
        ("include", "net/packet.h", 1), ("examples", "flow/flow_table.h", 1),
        ("flow", "utils/x.h", 1)]
    for where, target, count in expected:
        problems = []
        check_include(where, target, order, problems)
        assert len(problems) == count, (where, target, problems)


def main():
    self_test()
    order = layers(ROOT)
    problems = list(check_sources(ROOT, order)) + list(check_links(ROOT, order))
    for problem in problems:
        print(problem)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
