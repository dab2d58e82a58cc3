#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""weir beside the programs people use for the same: on the same files, in turns, in one run.

`weir bench` measures weir against floors; this adds the peers that Debian packages (bench/peers.py
has their command lines) and a capture of real traffic. A peer that is not installed is left out
with a line:

  apt-get install --no-install-recommends tcpdump softflowd nfdump libndpi-bin argus-server tshark

Times on a shared machine say little; ratios of programs that ran in turns on the same file say
much. What counts is user and system CPU and the peak of memory of each process, as the kernel
accounts for them. Every file is read once before it counts. A program that takes longer than
--slow seconds runs in one round only; one that takes longer than --timeout is stopped.

usage: bench/run.py [--rounds N] [--only CAPTURE] [--programs A,B] [--captures FOLDER] [--json FILE]
                    [--slow SECONDS] [--timeout SECONDS] [--smoke]

Captures are made once and kept in FOLDER (a RAM disk is best; /dev/shm/weir-bench by default);
those that are there are used. mix.pcap is real traffic: it is made when the generator gen_mix and the
captures it merges are beside the repository (../shared, or $WEIR_SHARED).

--smoke: tiny captures, one round: checks that everything runs, and that the floors and weir count
the same packets. It never judges a time.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

import peers

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("WEIR_BUILD_DIR", ROOT / "build/release"))
WEIR = os.environ.get("WEIR", str(BUILD / "weir"))
SHARED = pathlib.Path(os.environ.get("WEIR_SHARED", ROOT / "../shared")).resolve()

CAPTURES = ("small-10k", "small-1M", "imix", "mix")
SMOKE_CAPTURES = ("small-10k-quick", "imix-quick")
SMOKE_TIMEOUT_S = 30
# gen_mix: bytes to write, longest duration of a file, seconds between repetitions, longest packet.
MIX_ARGUMENTS = ("1300000000", "300", "20", "1518")
MEMORY_RESERVE = 2 << 30  # bytes that no peer may take

OURS = "weir -t 1"
# What is asked of weir: CPU of "weir -t 1" over that of another program, at most.
REQUIREMENTS = {
    ("small-10k", "floor_pcap"): 0.6, ("small-1M", "floor_pcap"): 1.1, ("mix", "floor_pcap"): 0.9,
    ("small-10k", "softflowd"): 1 / 10, ("small-1M", "softflowd"): 1 / 40,
    ("small-10k", "ndpiReader"): 1 / 10, ("small-1M", "ndpiReader"): 1 / 80,
}


def step(*words):
    return [WEIR, "bench", "--step", *map(str, words)]


def weir_read(capture, threads):
    return [WEIR, "read", str(capture), "-q", "-t", str(threads), "--format", "none", "--stats", "-"]


def own_programs(capture):
    """{name: command} of those that must count every packet."""
    return {"floor_read": step("floor_read", capture), "floor_pcap": step("floor_pcap", capture),
            OURS: weir_read(capture, 1), "weir -t 2": weir_read(capture, 2)}


def packets_counted(name, output):
    answer = json.loads(output)
    return answer["frames" if name.startswith("weir") else "packets"]


# --- Captures ---


def make_mix(path):
    """False when what it takes is not there."""
    source, captures = SHARED / "perf/gen_mix.c", SHARED / "captures"
    if not source.exists() or not captures.is_dir() or shutil.which("cc") is None:
        return False
    generator = BUILD / "bench/gen_mix"
    generator.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cc", "-O2", "-w", source, "-o", generator, "-lpcap"], check=True)
    files = sorted(str(file) for file in captures.rglob("*.pcap*") if file.is_file())
    subprocess.run([generator, path, *MIX_ARGUMENTS], input="\n".join(files) + "\n", text=True, capture_output=True,
                   check=True)
    return True


def make_capture(name, folder):
    """Its path, or None."""
    path = folder / f"{name}.pcap"
    if path.exists():
        return path
    unfinished = path.with_suffix(".part")
    if name == "mix":
        if not make_mix(unfinished):
            print("mix: left out: its generator and captures are not beside the repository", file=sys.stderr)
            return None
    else:
        subprocess.run(step("make", name, unfinished), check=True)
    unfinished.rename(path)
    return path


# --- Running ---


def available_memory():
    with open("/proc/meminfo", encoding="ascii") as lines:
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    return sizes["MemAvailable"]


def limit_memory():
    """A peer that wants more than there is fails by itself, before the machine does."""
    size = max(available_memory() - MEMORY_RESERVE, MEMORY_RESERVE)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def measure(command, timeout, is_peer):
    """What weir's own step of measuring says of a run, and why it failed, or None.

    Not measured from here: a child's peak of memory starts with that of whoever started it.
    """
    with subprocess.Popen(step("measure", *command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, preexec_fn=limit_memory if is_peer else None) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except BaseException as reason:
            process.terminate()  # it ends what it measures, too
            process.communicate()
            if isinstance(reason, subprocess.TimeoutExpired):
                return None, f"stopped after {timeout:g} s"
            raise
    if process.returncode != 0:
        return None, errors.decode(errors="replace").strip() or f"exit code {process.returncode}"
    run = json.loads(output)
    if run["exit_code"] != 0:
        last = errors.decode(errors="replace").strip().split("\n")[-1]
        return run, f"exit code {run['exit_code']}: {last}"
    return run, None


class Program:
    """One program on one capture: its runs so far."""

    def __init__(self, name, command, peer=None):
        self.name = name
        self.command = command
        self.peer = peer
        self.seconds = {}  # by round
        self.resident_bytes_max = 0
        self.problem = None
        self.is_slow = False

    def run(self, round_number, options):
        """Runs it once more, unless it failed or is too slow for that. Returns its output."""
        if self.problem or self.is_slow:
            return None
        run, self.problem = measure(self.command, options.timeout, self.peer is not None)
        if self.problem:
            return None
        cpu = (run["user_ns"] + run["system_ns"]) / 1e9
        self.seconds[round_number] = cpu
        self.resident_bytes_max = max(self.resident_bytes_max, run["resident_bytes_max"])
        self.is_slow = run["wall_ns"] / 1e9 > options.slow
        return run["output"]


def programs_for(capture, folder, options, installed):
    programs = [Program(name, command) for name, command in own_programs(capture).items()]
    for peer in installed:
        programs.append(Program(peer.name, peers.command(peer, capture, folder), peer))
    if options.programs:
        programs = [one for one in programs if one.name in options.programs or one.name in own_programs(capture)]
    return programs


def bench(capture, options, installed):
    """The programs, run, and the number of packets, on which floors and weir agree."""
    counts = {}
    with tempfile.TemporaryDirectory(prefix="weir-peers-", dir=capture.parent) as folder:
        programs = programs_for(capture, folder, options, installed)
        measure(step("floor_read", capture), options.timeout, False)  # the file is in memory now
        for round_number in range(options.rounds):
            for program in programs:
                output = program.run(round_number, options)
                if program.problem and program.peer is None:
                    sys.exit(f"bench/run.py: {program.name}: {program.problem}")
                if output is not None and program.peer is None:
                    counts[program.name] = packets_counted(program.name, output)
                for file in pathlib.Path(folder).iterdir():
                    file.unlink()
    if len(set(counts.values())) != 1:
        sys.exit(f"bench/run.py: {capture}: the programs count different packets: {counts}")
    return programs, counts[OURS]


# --- Reporting ---


def ratio_of(ours, other):
    """CPU of ours over the other's: of the bests, and the median of the rounds both ran in."""
    own = [round(ratio, 5) for ratio in (ours.seconds[number] / max(other.seconds[number], 1e-9)
                                         for number in other.seconds)]
    return min(ours.seconds.values()) / max(min(other.seconds.values()), 1e-9), statistics.median(own)


def ratio_text(ratio):
    """0.52×, or 1/34 where that says more."""
    return f"{ratio:.2f}×" if ratio > 0.2 else f"1/{1 / max(ratio, 1e-9):.0f}"


def show(name, programs, packets):
    """Prints the table of one capture and returns it for --json."""
    ours = next(program for program in programs if program.name == OURS)
    print(f"\n{name}: {packets} packets, user + system CPU")
    print(f"  {'program':<12}{'runs':>6}{'best s':>10}{'ns/packet':>12}{'weir -t 1 takes (median)':>28}{'max RSS':>12}")
    rows = {}
    for program in programs:
        row = {"command": program.command, "outcome": program.problem or "done"}
        rows[program.name] = row
        if not program.seconds:
            print(f"  {program.name:<12}  {program.problem}")
            continue
        best, (ratio, median) = min(program.seconds.values()), ratio_of(ours, program)
        row.update(cpu_seconds=list(program.seconds.values()), packet_cpu_ns_best=best / packets * 1e9,
                   resident_bytes_max=program.resident_bytes_max, weir_ratio_best=ratio, weir_ratio_median=median)
        if program.peer:
            row["does"] = program.peer.does
        shown = f"{ratio_text(ratio)} ({ratio_text(median)})"
        print(f"  {program.name:<12}{len(program.seconds):>6}{best:>10.3f}{best / packets * 1e9:>12.1f}{shown:>28}"
              f"{program.resident_bytes_max / 1e6:>9.1f} MB" + (f"  {program.problem}" if program.problem else ""))
    return {"packets": packets, "programs": rows}


def judge(results):
    """The requirements there are, in words."""
    print()
    for (capture, name), most in REQUIREMENTS.items():
        row = results.get(capture, {}).get("programs", {}).get(name, {})
        if "weir_ratio_best" in row:
            ratio = row["weir_ratio_best"]
            verdict = "within" if ratio <= most else "BEYOND"
            print(f"{capture}: weir takes {ratio_text(ratio)} of {name}, {verdict} {ratio_text(most)}")


def installed_peers(options):
    """Those there are; says which are not."""
    there = []
    for peer in peers.PEERS:
        if options.programs and peer.name not in options.programs:
            continue
        if peers.find(peer.name):
            there.append(peer)
        else:
            print(f"{peer.name}: left out: not installed (Debian: {peer.package})", file=sys.stderr)
    return there


def parse_options():
    parser = argparse.ArgumentParser(description="weir beside its peers, on the same captures, in turns")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--captures", type=pathlib.Path, default="/dev/shm/weir-bench")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--slow", type=float, default=20, help="seconds beyond which a program runs once")
    parser.add_argument("--timeout", type=float, default=900, help="seconds after which a program is stopped")
    parser.add_argument("--programs", help="only these peers, separated by commas; \"none\" for none")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--only", choices=CAPTURES, help="one capture")
    options = parser.parse_args()
    options.programs = options.programs.split(",") if options.programs else None
    if options.smoke:
        options.rounds, options.timeout = 1, SMOKE_TIMEOUT_S
    return options


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # through every finally, as Ctrl-C does
    sys.stdout.reconfigure(line_buffering=True)
    options = parse_options()
    names = SMOKE_CAPTURES if options.smoke else CAPTURES
    if options.only:
        names = (options.only,)
    folder = BUILD / "bench" if options.smoke else options.captures
    folder.mkdir(parents=True, exist_ok=True)
    installed = installed_peers(options)
    versions = {peer.name: peers.version(peer) for peer in installed}
    print(subprocess.run([WEIR, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
          + "".join(f", {name} {version}" for name, version in versions.items()))

    results = {}
    for name in names:
        path = make_capture(name, folder)
        if path is not None:
            results[name] = show(name, *bench(path, options, installed))
    if not options.smoke:
        judge(results)
    if options.json:
        options.json.write_text(json.dumps({"versions": versions, "captures": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
