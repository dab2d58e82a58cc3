#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What weir costs, as a ratio to the floors, measured in one run.

Times on a shared machine say little; ratios of programs that ran in turns on the same file say
much. So each round runs floor_read, floor_pcap and `weir read -t 1 --format none` one after the
other on captures in a warm page cache, and what counts is user and system CPU of each, as the
kernel accounts for it. The first round only warms up.

usage: bench/run.py [--rounds N] [--only CAPTURE] [--captures FOLDER] [--json FILE] [--smoke]

The captures are made once and kept in FOLDER (a RAM disk is best; /dev/shm by default). With the
shared generator gen_small present beside the repository (../shared/perf, or $WEIR_SHARED/perf)
they are those of all weir's figures; else bench/generate makes captures of the same shape.

--smoke: tiny captures, one round; checks that everything runs and that all programs count the
same frames. It never judges a time.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("WEIR_BUILD_DIR", ROOT / "build/release"))
WEIR = os.environ.get("WEIR", str(BUILD / "weir"))
SHARED = pathlib.Path(os.environ.get("WEIR_SHARED", ROOT / "../shared"))

# name: (flows, packets of each, seed of gen_small). 15 million packets of 60 bytes.
CAPTURES = {"small-10k": (10_000, 1500, 1), "small-1M": (1_000_000, 15, 2)}
SMOKE_CAPTURES = {"smoke": (1000, 20, 1)}

RATIO_TO_PCAP_MAX = 2.0  # at 10,000 flows


def compiler():
    return shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")


def build_tools(folder):
    """{name: path} of the floors and the generator, compiled here where the build has none."""
    tools = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("generate", "floor_read", "floor_pcap"):
        path = folder / name
        source = ROOT / "bench" / f"{name}.cc"
        if not path.exists() or path.stat().st_mtime < source.stat().st_mtime:
            libraries = ["-lpcap"] if name == "floor_pcap" else []
            command = [compiler(), "-std=c++20", "-O3", "-march=x86-64-v2", source, "-o", path]
            command += libraries
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0 and not libraries:
                sys.exit(f"bench/run.py: {source}: {done.stderr}")
            if done.returncode != 0:
                print("no floor_pcap: it does not compile here (libpcap-dev?)", file=sys.stderr)
                continue
        tools[name] = path
    return tools


def shared_generator(folder):
    """gen_small, compiled, or None."""
    source = SHARED / "perf/gen_small.c"
    if not source.exists() or shutil.which("cc") is None:
        return None
    path = folder / "gen_small"
    if not path.exists():
        subprocess.run(["cc", "-O2", "-w", source, "-o", path], check=True)
    return path


def make_capture(tools, folder, name, shape):
    flows, packets, seed = map(str, shape)
    generator = shared_generator(tools["generate"].parent) if name != "smoke" else None
    maker = "generate" if generator is None else "gen_small"
    path = folder / f"{name}-{maker}.pcap"
    if path.exists():
        return path
    unfinished = path.with_suffix(".part")
    if generator is None:
        command = [tools["generate"], unfinished, flows, packets]
    else:
        command = [generator, unfinished, flows, packets, seed, "small"]
    subprocess.run(command, check=True, capture_output=True)
    unfinished.rename(path)
    return path


def measure(command):
    """(user and system CPU seconds, standard output) of one run."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        output = process.stdout.read()
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"bench/run.py: {command}: exit code {process.returncode}: {errors.decode()}")
    return usage.ru_utime + usage.ru_stime, output.decode()


def programs(tools, path, statistics_path):
    table = {}
    for name in ("floor_read", "floor_pcap"):
        if name in tools:
            table[name] = [tools[name], path]
    table["weir"] = [WEIR, "read", path, "-t", "1", "--format", "none", "--stats", statistics_path]
    return table


def frames_of(name, output, statistics_path):
    if name == "weir":
        return json.loads(statistics_path.read_text())["frames"]
    return int(re.match(r"\d+", output).group())


def bench(tools, path, rounds, statistics_path):
    """{program: [CPU seconds of each round]} and the number of frames, on which all agree."""
    commands = programs(tools, path, statistics_path)
    seconds = {name: [] for name in commands}
    frames = {}
    for round_number in range(rounds + 1):
        for name, command in commands.items():
            spent, output = measure(command)
            frames[name] = frames_of(name, output, statistics_path)
            if round_number > 0:
                seconds[name].append(spent)
    if len(set(frames.values())) != 1:
        sys.exit(f"bench/run.py: {path}: the programs count different frames: {frames}")
    return seconds, frames["weir"]


def show(capture, seconds, frames):
    """Prints the table of one capture and returns it for --json."""
    print(f"{capture}: {frames} frames, {len(seconds['weir'])} rounds, user + system CPU")
    headings = f"{'best s':>10}{'median s':>10}{'ns/frame':>10}{'weir is (best, median)':>26}"
    print(f"  {'program':<12}{headings}")
    rows = {}
    ours = seconds["weir"]
    for name, spent in seconds.items():
        row = {
            "best_seconds": min(spent),
            "median_seconds": statistics.median(spent),
            "best_ratio": min(ours) / max(min(spent), 1e-9),
            # Of the rounds' own ratios: neighbours in time had the same machine.
            "median_ratio": statistics.median(a / max(b, 1e-9) for a, b in zip(ours, spent)),
        }
        rows[name] = row
        print(
            f"  {name:<12}{row['best_seconds']:>10.3f}{row['median_seconds']:>10.3f}"
            f"{row['best_seconds'] / frames * 1e9:>10.1f}"
            f"{row['best_ratio']:>18.2f}×{row['median_ratio']:>6.2f}×"
        )
    return {"frames": frames, "rounds": len(ours), "programs": rows}


def judge(results):
    """The one requirement there is, in words."""
    rows = results.get("small-10k", {}).get("programs", {})
    if "floor_pcap" in rows:
        ratio = rows["floor_pcap"]["best_ratio"]
        verdict = "within" if ratio <= RATIO_TO_PCAP_MAX else "BEYOND"
        print(
            f"weir at 10,000 flows: {ratio:.2f}× libpcap's count-only loop, "
            f"{verdict} {RATIO_TO_PCAP_MAX}×"
        )


def main():
    parser = argparse.ArgumentParser(description="what weir costs, as a ratio to the floors")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--captures", type=pathlib.Path, default="/dev/shm/weir-bench")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--only", help="one capture of: " + ", ".join(CAPTURES))
    options = parser.parse_args()

    folder = BUILD / "bench" if options.smoke else options.captures
    folder.mkdir(parents=True, exist_ok=True)
    tools = build_tools(BUILD / "bench")
    shapes = SMOKE_CAPTURES if options.smoke else CAPTURES
    if options.only:
        shapes = {options.only: shapes[options.only]}
    results = {}
    for name, shape in shapes.items():
        path = make_capture(tools, folder, name, shape)
        rounds = 1 if options.smoke else options.rounds
        seconds, frames = bench(tools, path, rounds, BUILD / "bench/statistics.json")
        results[name] = show(name, seconds, frames)
    judge(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
