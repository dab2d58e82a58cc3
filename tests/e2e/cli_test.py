# SPDX-License-Identifier: Apache-2.0
"""The command line as a user meets it: exit codes, stdout and stderr, files, pipes, signals, terminals.

Runs the program named by WEIR on captures it writes itself. Standard library only.
"""
import csv
import gzip
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import time
import unittest

WEIR = os.environ.get("WEIR") or os.environ.get("WEIR_BIN", "")
DONE, FAILURE, USAGE = 0, 1, 2
FLOW_COUNT = 200  # UDP exchanges in the sample capture


def checksum_free_ipv4(protocol, payload, source, destination):
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, source, destination)
    return header + payload


def udp_frame(client, server, from_client=True, size=20):
    source, destination = (client, server) if from_client else (server, client)
    payload = struct.pack("!HHHH", source[1], destination[1], 8 + size, 0) + b"x" * size
    packet = checksum_free_ipv4(17, payload, bytes(source[0]), bytes(destination[0]))
    return b"\x02\0\0\0\0\2" + b"\x02\0\0\0\0\1" + b"\x08\0" + packet


def record(frame, seconds):
    return struct.pack("<IIII", int(seconds), int(seconds % 1 * 1e6), len(frame), len(frame)) + frame


PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def sample_capture(flow_count=FLOW_COUNT):
    """Request and reply of `flow_count` flows; flow k's request is 20 + k bytes long."""
    records = []
    for k in range(flow_count):
        client = ((10, 0, k // 250, k % 250 + 1), 40000 + k % 20000)
        server = ((192, 0, 2, 1), 53)
        records.append(record(udp_frame(client, server, size=20 + k % 1000), 1000 + k * 0.001))
        records.append(record(udp_frame(client, server, from_client=False), 1000.0005 + k * 0.001))
    return PCAP_HEADER + b"".join(records)


def environment(**extra):
    """The caller's environment without what would change weir."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_") and k != "NO_COLOR"}
    variables.update(extra)
    return variables


class CliTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not WEIR:
            raise unittest.SkipTest("WEIR_BIN does not name the program")
        cls.sample_bytes = sample_capture()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="weir_cli_")
        self.addCleanup(self.folder.cleanup)
        self.sample = self.write("sample.pcap", self.sample_bytes)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def run_weir(self, *arguments, stdin=b"", **variables):
        return subprocess.run([WEIR, *arguments], input=stdin, capture_output=True, timeout=60,
                              env=environment(**variables), check=False)

    def expect(self, code, *arguments, stdin=b"", **variables):
        result = self.run_weir(*arguments, stdin=stdin, **variables)
        self.assertEqual(result.returncode, code, (arguments, result.stderr))
        return result.stdout.decode(), result.stderr.decode()

    def assert_one_line(self, text, beginning="weir: "):
        self.assertEqual(text.count("\n"), 1, text)
        self.assertTrue(text.startswith(beginning), text)


class TestWithoutCapture(CliTest):
    def test_no_arguments_print_help(self):
        out, err = self.expect(DONE)
        self.assertIn("weir read", out)
        self.assertEqual(err, "")

    def test_version(self):
        for option in ("-V", "--version"):
            out, err = self.expect(DONE, option)
            self.assertRegex(out, r"^weir \d+\.\d+\.\d+\n")
            self.assertEqual(err, "")

    def test_usage_errors_are_one_line_and_exit_2(self):
        for arguments in (["raed"], ["--xyzzy"], ["read"], ["read", "--xyzzy", "x"], ["read", "x", "--format", "xml"],
                          ["read", "x", "--limit", "many"], ["protocols", "tpc"], ["check", "-c", "/nonexistent"]):
            out, err = self.expect(USAGE, *arguments)
            self.assertEqual(out, "")
            self.assert_one_line(err)

    def test_configuration_errors_name_the_place(self):
        config = self.write("weir.toml", b"# mine\n[flow.timeout]\n  tcp = \"soon\"\n")
        expected = f'weir: {config}:3:9: flow.timeout.tcp: expected a duration such as "5m", got "soon"\n'
        for command in (["check"], ["read", self.sample]):
            out, err = self.expect(USAGE, *command, "-c", config)
            self.assertEqual((out, err), ("", expected))

    def test_environment_errors_exit_2(self):
        out, err = self.expect(USAGE, "read", self.sample, WEIR_FLOW_ZONE="lan")
        self.assertEqual(out, "")
        self.assert_one_line(err, "weir: WEIR_FLOW_ZONE: ")

    def test_check_prints_a_configuration_it_accepts(self):
        out, _ = self.expect(DONE, "check", "--zone", "vlan", WEIR_FLOW_MAX="77")
        again, _ = self.expect(DONE, "check", "-c", self.write("weir.toml", out.encode()))
        self.assertIn('zone = "vlan"', again)
        self.assertIn("max = 77", again)

    def test_full_disk_is_a_failure(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        for arguments in (["check"], ["read", self.sample], ["read", self.sample, "--format", "json"]):
            with open("/dev/full", "wb") as full:
                result = subprocess.run([WEIR, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=60,
                                        env=environment(), check=False)
            self.assertEqual(result.returncode, FAILURE, arguments)
            self.assertIn(b"no space left on device", result.stderr)


class TestInputs(CliTest):
    def test_a_missing_file_is_a_failure_and_the_others_are_read(self):
        out, err = self.expect(FAILURE, "read", self.path("none.pcap"), self.sample, "--format", "json")
        self.assertEqual(len(out.splitlines()), FLOW_COUNT)
        self.assert_one_line(err)
        self.assertIn("none.pcap: no such file or directory", err)

    def test_what_is_no_capture_is_a_failure(self):
        text = self.write("text.pcap", b"this is not a capture file, really not\n")
        empty = self.write("empty.pcap", b"")
        for path in (text, empty, "/dev/null"):
            out, err = self.expect(FAILURE, "read", path, "--format", "json")
            self.assertEqual(out, "")
            self.assert_one_line(err)
            self.assertIn(path, err)

    def test_a_folder_stands_for_its_captures_and_says_what_it_skipped(self):
        self.write("text.pcap", b"this is not a capture file, really not\n")
        out, err = self.expect(DONE, "read", self.folder.name, "--format", "json")
        self.assertEqual(len(out.splitlines()), FLOW_COUNT)
        self.assertIn(f"weir: note: {self.folder.name}: 1 taken, 1 skipped\n", err)
        self.assertIn("text.pcap: not a pcap", err)
        _, err = self.expect(DONE, "read", self.folder.name, "--format", "json", "--quiet")
        self.assertEqual(err, "")

    def test_a_folder_without_captures_is_a_failure(self):
        folder = self.path("nothing")
        os.mkdir(folder)
        out, err = self.expect(FAILURE, "read", folder, "--format", "json")
        self.assertEqual(out, "")
        self.assertIn("no capture in this folder", err)

    def test_compressed_captures_are_read_as_they_are(self):
        plain, _ = self.expect(DONE, "read", self.sample, "--format", "csv")
        with open(self.sample, "rb") as sample:
            path = self.write("sample.pcap.gz", gzip.compress(sample.read()))
        out, err = self.expect(DONE, "read", path, "--format", "csv")
        self.assertEqual(out.replace(path, self.sample), plain)
        self.assertEqual(err, "")

    def test_an_unreadable_file_is_a_failure(self):
        os.chmod(self.folder.name, 0o755)
        os.chmod(self.sample, 0)
        nobody = {"user": 65534} if os.geteuid() == 0 else {}  # Root can read everything.
        try:
            result = subprocess.run([WEIR, "read", self.sample], capture_output=True, timeout=60, env=environment(),
                                    check=False, **nobody)
        except PermissionError as problem:
            self.skipTest(f"nobody cannot run the program: {problem}")
        self.assertEqual(result.returncode, FAILURE)
        self.assertIn(b"permission denied", result.stderr)

    def test_a_truncated_capture_is_a_warning(self):
        cut = self.write("cut.pcap", self.sample_bytes[:-5])
        out, err = self.expect(DONE, "read", cut, "--format", "json")
        self.assertEqual(len(out.splitlines()), FLOW_COUNT)
        self.assert_one_line(err, f"weir: warning: {cut}: byte ")

    def test_a_truncated_capture_is_a_failure_with_strict(self):
        cut = self.write("cut.pcap", self.sample_bytes[:-5])
        out, err = self.expect(FAILURE, "read", cut, "--format", "json", "--strict")
        self.assertEqual(len(out.splitlines()), FLOW_COUNT)
        self.assertIn("byte", err)
        self.expect(FAILURE, "read", cut, "--format", "none", WEIR_READ_STRICT="true")

    def test_every_file_gets_its_own_warning(self):
        paths = [self.write(f"cut{i}.pcap", self.sample_bytes[:-5]) for i in range(3)]
        _, err = self.expect(DONE, "read", *paths, "--format", "none")
        self.assertEqual(len(err.splitlines()), 3)

    def test_standard_input(self):
        out, err = self.expect(DONE, "read", "-", "--format", "json", stdin=self.sample_bytes)
        self.assertEqual(len(out.splitlines()), FLOW_COUNT)
        self.assertEqual(err, "")

    def test_empty_standard_input_is_a_failure(self):
        _, err = self.expect(FAILURE, "read", "-", "--format", "json")
        self.assert_one_line(err)

    def test_file_names_cannot_write_to_the_terminal(self):
        path = self.write("a\n\x1b[31m.pcap", b"garbage that is long enough to be read")
        _, err = self.expect(FAILURE, "read", path)
        self.assert_one_line(err)
        self.assertNotIn("\x1b", err)


class TestOutput(CliTest):
    def test_json_is_one_object_per_flow_in_order(self):
        out, err = self.expect(DONE, "read", self.sample, "--format", "json")
        flows = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(len(flows), FLOW_COUNT)
        self.assertEqual(err, "")
        order = [(flow["first_seen"], flow["id"]) for flow in flows]
        self.assertEqual(order, sorted(order))
        self.assertEqual({flow["proto"] for flow in flows}, {"udp"})
        self.assertEqual(flows[3]["src_bytes"], 14 + 20 + 8 + 23)

    def test_csv_has_a_header_and_a_line_per_flow(self):
        out, _ = self.expect(DONE, "read", self.sample, "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual(len(rows), FLOW_COUNT)
        self.assertEqual(rows[0]["src_ip"], "10.0.0.1")

    def test_table_is_the_top_by_bytes_and_a_summary(self):
        out, err = self.expect(DONE, "read", self.sample)
        self.assertEqual(err, "")
        self.assertIn("150 more", out)
        first = next(line for line in out.splitlines() if "192.0.2.1:53" in line)
        self.assertIn("10.0.0.200:", first)
        self.assertNotIn("\x1b", out)

    def test_table_limit_0_shows_all(self):
        out, _ = self.expect(DONE, "read", self.sample, "--limit", "0")
        self.assertEqual(sum("192.0.2.1:53" in line for line in out.splitlines()), FLOW_COUNT)
        self.assertNotIn(" more", out)

    def test_limit_and_sort(self):
        out, _ = self.expect(DONE, "read", self.sample, "--format", "json", "--sort", "-src_bytes", "--limit", "3")
        sizes = [json.loads(line)["src_bytes"] for line in out.splitlines()]
        self.assertEqual(sizes, [42 + 20 + k for k in (199, 198, 197)])
        out, _ = self.expect(DONE, "read", self.sample, "--format", "json", "--sort", "src_bytes", "--limit", "3")
        self.assertEqual([json.loads(line)["src_bytes"] for line in out.splitlines()], [62, 63, 64])

    def test_none_prints_nothing(self):
        self.assertEqual(self.expect(DONE, "read", self.sample, "--format", "none"), ("", ""))

    def test_summary_alone(self):
        out, err = self.expect(DONE, "read", self.sample, "--summary")
        self.assertIn("udp", out)
        self.assertNotIn("192.0.2.1:53", out)
        self.assertEqual(err, "")

    def test_summary_beside_json_goes_to_stderr(self):
        out, err = self.expect(DONE, "read", self.sample, "--format", "json", "--summary")
        self.assertEqual(len(out.splitlines()), FLOW_COUNT)
        self.assertIn("udp", err)

    def test_unordered_has_the_same_flows(self):
        ordered, _ = self.expect(DONE, "read", self.sample, "--format", "json")
        unordered, _ = self.expect(DONE, "read", self.sample, "--format", "json", "--unordered")
        self.assertEqual(sorted(ordered.splitlines()), sorted(unordered.splitlines()))

    def test_threads_and_batches_change_nothing(self):
        expected, _ = self.expect(DONE, "read", self.sample, "--format", "json")
        for extra in (["-t", "4"], ["--batch-size", "1"], ["--batch-size", "7", "-t", "2"],
                      ["--sweep", "always"], ["--sweep", "never"]):
            out, _ = self.expect(DONE, "read", self.sample, "--format", "json", *extra)
            self.assertEqual(out, expected, extra)

    def test_output_file(self):
        target = self.path("out.json")
        out, err = self.expect(DONE, "read", self.sample, "--format", "json", "-w", target)
        self.assertEqual((out, err), ("", ""))
        with open(target, encoding="utf-8") as file:
            self.assertEqual(len(file.readlines()), FLOW_COUNT)

    def test_output_is_not_touched_when_no_input_can_be_opened(self):
        target = self.write("out.json", b"precious")
        self.expect(FAILURE, "read", self.path("none.pcap"), "--format", "json", "-w", target)
        with open(target, "rb") as file:
            self.assertEqual(file.read(), b"precious")
        fresh = self.path("fresh.json")
        self.expect(FAILURE, "read", self.path("none.pcap"), "-w", fresh)
        self.assertFalse(os.path.exists(fresh))

    def test_an_input_is_never_overwritten(self):
        link = self.path("link.pcap")
        os.symlink(self.sample, link)
        hard = self.path("hard.pcap")
        os.link(self.sample, hard)
        for target in (self.sample, link, hard):
            for option in ("-w", "--stats"):
                _, err = self.expect(USAGE, "read", self.sample, option, target)
                self.assert_one_line(err)
        _, err = self.expect(USAGE, "read", self.sample, "-w", self.path("x"), "--stats", self.path("x"))
        self.assert_one_line(err)
        with open(self.sample, "rb") as file:
            self.assertEqual(file.read(), self.sample_bytes)

    def test_output_that_cannot_be_created(self):
        _, err = self.expect(FAILURE, "read", self.sample, "-w", self.path("no/such/folder"))
        self.assert_one_line(err)
        self.assertIn("no such file or directory", err)

    def test_stats(self):
        target = self.path("stats.json")
        self.expect(DONE, "read", self.sample, "--format", "none", "--stats", target)
        with open(target, encoding="utf-8") as file:
            stats = json.load(file)
        for key in ("frames", "wire_bytes", "imbalance", "limits_hit", "flows"):
            self.assertIn(key, stats)
        self.assertEqual(stats["frames"], 2 * FLOW_COUNT)
        self.assertTrue(all(value == 0 for value in stats["imbalance"].values()), stats["imbalance"])
        self.assertFalse(stats["limits_hit"])

    def test_stats_to_stdout(self):
        out, _ = self.expect(DONE, "read", self.sample, "--format", "none", "--stats", "-")
        self.assertEqual(json.loads(out)["frames"], 2 * FLOW_COUNT)

    def test_limits_are_said(self):
        out, err = self.expect(DONE, "read", self.sample, "--format", "json", "--flow-max", "10")
        self.assertIn('"end_reason":"resources"', out.replace(" ", ""))
        self.assert_one_line(err)
        self.assertIn("flow_count", err)
        refusing = ("--flow-max", "10", "--eviction", "none")
        out, err = self.expect(DONE, "read", self.sample, "--format", "json", *refusing)
        self.assertLess(len(out.splitlines()), FLOW_COUNT)
        self.assert_one_line(err)
        self.assertIn("flow_count", err)

    def test_memory_by_pool_and_failures(self):
        for threads in ("1", "3"):
            out, _ = self.expect(DONE, "read", self.sample, "-t", threads, "--format", "none", "--memory-limit", "64M",
                                 "--stats", "-")
            stats = json.loads(out)
            flows = stats["memory"]["flows"]
            self.assertEqual(flows["limit"], 48 << 20)
            self.assertTrue(0 < flows["peak"] <= flows["limit"], flows)
            self.assertEqual(flows["refused"], 0)
            self.assertTrue(all(value == 0 for value in stats["failures"].values()), stats["failures"])

    def test_idle_flows_are_logged(self):
        timeouts = ("--timeout.tcp", "0", "--timeout.udp", "0", "--timeout.icmp", "0", "--timeout.other", "0",
                    "--timeout.linger", "0")
        _, err = self.expect(DONE, "read", self.sample, "--format", "none", "--log-level", "info", *timeouts)
        lines = [line for line in err.splitlines() if "idle flows" in line]
        self.assertTrue(lines, err)
        for line in lines:
            removed, before, after = map(int, re.search(r"removed (\d+) idle flows \((\d+) → (\d+)\)", line).groups())
            self.assertEqual(before - removed, after)

    def test_quiet_and_verbose(self):
        cut = self.write("cut.pcap", self.sample_bytes[:-5])
        self.assertEqual(self.expect(DONE, "read", cut, "--format", "none", "-q"), ("", ""))
        _, err = self.expect(DONE, "read", self.sample, "--format", "none", "-v")
        self.assertIn("info", err)
        _, err = self.expect(DONE, "read", self.sample, "--format", "none", "-v", "--log-format", "json")
        for line in err.splitlines():
            self.assertEqual(json.loads(line)["level"], "info")

    def test_interim_records(self):
        client, server = ((10, 0, 0, 1), 40000), ((192, 0, 2, 1), 53)
        records = [record(udp_frame(client, server), 1000 + 20 * k) for k in range(10)]
        path = self.write("long.pcap", PCAP_HEADER + b"".join(records))
        out, _ = self.expect(DONE, "read", path, "--format", "json")
        self.assertEqual([json.loads(line)["final"] for line in out.splitlines()], [True])
        out, _ = self.expect(DONE, "read", path, "--format", "json", "--interim")
        flows = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([flow["final"] for flow in flows], [False, False, False, True])
        self.assertEqual(sum(flow["delta"]["src_packets"] for flow in flows[:-1]), 9)


class TestProcess(CliTest):
    def big_sample(self):
        return self.write("big.pcap", sample_capture(20000))

    def test_a_reader_that_goes_away_is_fine(self):
        big = self.big_sample()
        for extra in (["--format", "json"], ["--format", "json", "--unordered"], ["--format", "csv"],
                      ["--limit", "0"]):
            process = subprocess.Popen([WEIR, "read", big, *extra], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       env=environment())
            process.stdout.readline()
            process.stdout.close()
            self.assertEqual(process.wait(timeout=60), DONE, extra)
            self.assertEqual(process.stderr.read(), b"", extra)
            process.stderr.close()

    def test_closed_standard_descriptors(self):
        for redirection, code in (("2>&-", DONE), ("<&-", DONE), ("1>&-", FAILURE), ("2>&- 1>&- <&-", FAILURE)):
            command = f'exec "$0" read "$1" --format json {redirection}'
            result = subprocess.run(["sh", "-c", command, WEIR, self.sample], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL, timeout=60, env=environment(), check=False)
            self.assertEqual(result.returncode, code, redirection)
        with open(self.sample, "rb") as file:
            self.assertEqual(file.read(), self.sample_bytes)

    def start_on_pipe(self, *arguments):
        """weir reading standard input that stays open, once it has all of the sample."""
        process = subprocess.Popen([WEIR, "read", "-", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=environment())
        process.stdin.write(self.sample_bytes)
        process.stdin.flush()
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        return process

    def test_a_signal_drains_and_prints(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start_on_pipe("--format", "json")
            process.send_signal(number)
            # Not communicate(): it would close standard input and so end the capture itself.
            out = process.stdout.read()
            self.assertEqual(process.wait(timeout=20), DONE)
            self.assertEqual(len(out.splitlines()), FLOW_COUNT)
            self.assertIn(b"stopped", process.stderr.read())
            for stream in (process.stdin, process.stdout, process.stderr):
                stream.close()

    def test_a_second_signal_forces(self):
        # Blocked for good on an output nobody reads, after the first signal.
        process = subprocess.Popen([WEIR, "read", self.big_sample(), "--format", "json"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=environment())
        deadline = time.time() + 20
        while not select.select([process.stdout], [], [], 0.1)[0] and time.time() < deadline:
            pass
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=10), FAILURE)
        process.stdout.close()
        process.stderr.close()

    def run_on_terminal(self, *arguments, **variables):
        """Everything weir shows on a terminal that is its stdout and stderr."""
        parent, child = pty.openpty()
        process = subprocess.Popen([WEIR, *arguments], stdin=subprocess.DEVNULL, stdout=child, stderr=child,
                                   env=environment(TERM="xterm", **variables))
        os.close(child)
        shown = b""
        while True:
            try:
                piece = os.read(parent, 65536)
            except OSError:  # Linux says EIO when the last writer is gone.
                break
            if not piece:
                break
            shown += piece
        os.close(parent)
        self.assertEqual(process.wait(timeout=60), DONE)
        return shown.decode()

    def test_colour_only_on_a_terminal_that_wants_it(self):
        self.assertIn("\x1b[", self.run_on_terminal("read", self.sample))
        self.assertNotIn("\x1b[", self.run_on_terminal("read", self.sample, NO_COLOR="1"))
        self.assertIn("\x1b[1m", self.run_on_terminal("read", "--help"))
        self.assertNotIn("\x1b[", self.run_on_terminal("read", self.sample, "--format", "json"))

    def test_progress_appears_after_a_second_and_is_erased(self):
        parent, child = pty.openpty()
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        process = subprocess.Popen([WEIR, "read", fifo, "--format", "none"], stdin=subprocess.DEVNULL, stdout=child,
                                   stderr=child, env=environment(TERM="xterm"))
        os.close(child)
        with open(fifo, "wb") as writer:
            writer.write(self.sample_bytes)
            writer.flush()
            time.sleep(1.2)
            one_more = record(udp_frame(((10, 9, 9, 9), 1), ((192, 0, 2, 1), 53)), 1010)
            for _ in range(600):
                writer.write(one_more)
            writer.flush()
        shown = b""
        while True:
            try:
                shown += os.read(parent, 65536)
            except OSError:
                break
        os.close(parent)
        self.assertEqual(process.wait(timeout=20), DONE)
        self.assertIn(b"kB", shown)
        self.assertTrue(shown.endswith(b"\r\x1b[K"), shown)


if __name__ == "__main__":
    unittest.main()
