# SPDX-License-Identifier: Apache-2.0
"""`weir bench` as a user meets it: what it prints, what it leaves behind, what it refuses.

Only with --quick, whose captures are tiny: nothing here judges a time.
"""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

WEIR = os.environ.get("WEIR") or os.environ.get("WEIR_BIN", "")
DONE, FAILURE, USAGE = 0, 1, 2

TIMED = ("small-10k", "small-1M", "imix", "flood", "collision", "scattered")
MEMORY = ("small-100k", "small6-100k", "small6-1M")
PROGRAMS = {"floor_read", "floor_pcap", "weir -t 1", "weir -t 2"}


def environment(**extra):
    """The caller's environment without what would change weir."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_") and k != "NO_COLOR"}
    variables.update(extra)
    return variables


class BenchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not WEIR:
            raise unittest.SkipTest("WEIR_BIN does not name the program")

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weir_bench_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def captures(self):
        return sorted(path.name for path in self.folder.iterdir())

    def run_bench(self, *arguments, code=DONE, **variables):
        result = subprocess.run([WEIR, "bench", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=600, env=environment(**variables), check=False)
        self.assertEqual(result.returncode, code, (arguments, result.stderr))
        return result.stdout, result.stderr

    def test_json_has_every_case_program_and_figure(self):
        out, err = self.run_bench("--quick", "--folder", str(self.folder), "--json", "-")
        self.assertEqual(err, "")
        report = json.loads(out)
        self.assertTrue(report["is_quick"])
        self.assertEqual(report["rounds"], 1)
        self.assertEqual(tuple(report["cases"]), TIMED + MEMORY)
        for name, case in report["cases"].items():
            self.assertEqual(case["flows_found"], case["flows"], name)
            self.assertEqual(case["limits_hit"], "", name)
            for program in case["programs"].values():
                self.assertGreater(program["resident_bytes_max"], 0)
        for name in TIMED:
            self.assertEqual(set(report["cases"][name]["programs"]), PROGRAMS)
            for program in report["cases"][name]["programs"].values():
                self.assertGreater(program["packets_per_second_best"], 0)
        self.assertEqual(report["cases"]["flood"]["legitimate_flows_unbroken"], 10)
        for key in ("core_percent_64_byte_10k_flows", "core_percent_imix", "growth_10k_1M", "two_threads_10k",
                    "ipv4_flow_bytes", "ipv6_flow_bytes", "resident_megabytes_10k", "flood_packet_ratio",
                    "flood_unbroken_percent", "collision_ratio"):
            self.assertIn("value", report["figures"][key])
        self.assertEqual(self.captures(), [])

    def test_table_and_json_file_and_captures_that_are_kept(self):
        path = self.folder / "figures.json"
        arguments = ("--quick", "--only", "small-10k", "--folder", str(self.folder), "--keep", "--json", str(path))
        out, err = self.run_bench(*arguments)
        self.assertEqual(err, "")
        for word in ("small-10k: 1500 packets", *PROGRAMS, "figures mean nothing"):
            self.assertIn(word, out)
        self.assertEqual(list(json.loads(path.read_text())["cases"]), ["small-10k"])
        self.assertEqual(self.captures(), ["figures.json", "small-10k-quick.pcap"])

        before = (self.folder / "small-10k-quick.pcap").stat().st_mtime_ns
        self.run_bench("--quick", "--only", "small-10k", "--folder", str(self.folder))
        self.assertEqual((self.folder / "small-10k-quick.pcap").stat().st_mtime_ns, before)

    def test_captures_go_to_a_new_folder_and_away_again(self):
        out, _ = self.run_bench("--quick", "--only", "imix", TMPDIR=str(self.folder))
        self.assertIn("imix", out)
        folder = out.split("captures in ")[1].split("\n")[0]
        self.assertTrue(pathlib.Path(folder).name.startswith("weir-bench-"), folder)
        self.assertFalse(os.path.exists(folder))

    def test_usage_errors_are_one_line_and_exit_2(self):
        for arguments in (["--only", "small"], ["--rounds", "0"], ["operand"], ["--step"], ["--step", "floor_read"],
                          ["--step", "make", "nothing", "x"]):
            out, err = self.run_bench(*arguments, code=USAGE)
            self.assertEqual(out, "")
            self.assertEqual(err.count("\n"), 1, err)

    def test_capture_that_is_another_is_refused(self):
        (self.folder / "small-10k-quick.pcap").write_bytes(b"no capture")
        out, err = self.run_bench("--quick", "--only", "small-10k", "--folder", str(self.folder), code=FAILURE)
        self.assertEqual(out, "")
        self.assertIn("small-10k-quick.pcap", err)
        self.run_bench("--step", "make", "imix-quick", str(self.folder / "small-10k-quick.pcap"))
        _, err = self.run_bench("--quick", "--only", "small-10k", "--folder", str(self.folder), code=FAILURE)
        self.assertIn("expected 1500 packets, floor_read found 15000", err)
        self.assertEqual(self.captures(), ["small-10k-quick.pcap"])

    def test_folder_that_is_not_there_is_one_line(self):
        _, err = self.run_bench("--quick", "--folder", str(self.folder / "none"), code=FAILURE)
        self.assertEqual(err, f"weir: {self.folder / 'none'}: no such file or directory\n")

    def test_a_signal_ends_it_and_leaves_nothing_behind(self):
        with subprocess.Popen([WEIR, "bench", "--quick", "--only", "small-1M", "--rounds", "1000", "--folder",
                               str(self.folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment()) as process:
            deadline = time.monotonic() + 60
            while self.captures() != ["small-1M-quick.pcap"] and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        self.assertIn(process.returncode, (DONE, FAILURE))
        self.assertIn(b"stopped by a signal after ", err)
        self.assertEqual(self.captures(), [])

    def test_floors_count_what_is_there(self):
        path = self.folder / "a.pcap"
        self.run_bench("--step", "make", "scattered-quick", str(path))
        expected = 122 * 15
        for floor in ("floor_read", "floor_pcap"):
            out, _ = self.run_bench("--step", floor, str(path))
            self.assertEqual(json.loads(out), {"packets": expected})
            self.run_bench("--step", floor, str(self.folder / "none"), code=FAILURE)
        path.write_bytes(path.read_bytes()[:-1])
        for floor in ("floor_read", "floor_pcap"):
            self.run_bench("--step", floor, str(path), code=FAILURE)

    def test_other_programs_are_measured(self):
        out, _ = self.run_bench("--step", "measure", "sh", "-c", "echo \"a 'word'\"; exit 3")
        run = json.loads(out)
        self.assertEqual((run["exit_code"], run["output"]), (3, "a 'word'\n"))
        self.assertGreater(run["wall_ns"], 0)
        self.assertGreater(run["resident_bytes_max"], 0)


if __name__ == "__main__":
    unittest.main()
