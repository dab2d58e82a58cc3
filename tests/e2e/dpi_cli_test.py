# SPDX-License-Identifier: Apache-2.0
"""What flows carry, as a user asks for it: --filter, --fields, --events, --services, --no-dpi, --no-guess.

Runs the program named by WEIR on the sample capture and on the goldens. Standard library only.
"""
import csv
import io
import itertools
import json
import os
import pathlib
import re
import shlex
import unittest

import cli_test
from cli_test import DONE, USAGE

ROOT = pathlib.Path(os.environ.get("WEIR_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
SAMPLE = str(ROOT / "examples/sample.pcap")
GOLDEN = ROOT / "tests/golden"


class DpiCliTest(cli_test.CliTest):
    def flows(self, *arguments, capture=SAMPLE):
        out, _ = self.expect(DONE, "read", capture, "--format", "json", *arguments)
        return [json.loads(line) for line in out.splitlines()]

    def messages(self, protocols, *arguments, capture=SAMPLE):
        out, _ = self.expect(DONE, "read", capture, "--events", protocols, *arguments)
        return [json.loads(line) for line in out.splitlines()]

    def refuses(self, expected, *arguments):
        """Exit code 2, nothing printed, and one line that says this."""
        out, err = self.expect(USAGE, "read", SAMPLE, *arguments)
        self.assertEqual((out, err), ("", f"weir: {expected}\n"))


class TestFilter(DpiCliTest):
    def test_chooses_flows(self):
        everything = self.flows()
        for expression, is_chosen in (
                ("app == dns", lambda flow: flow["app"] == "dns"),
                ("app == dns and dst_port == 53", lambda flow: flow["app"] == "dns" and flow["dst_port"] == 53),
                ("tls.sni", lambda flow: "tls" in flow),
                ('tls.sni contains "example"', lambda flow: "tls" in flow),
                ("not app == unknown", lambda flow: flow["app"] != "unknown"),
                ("bytes > 1K", lambda flow: flow["src_bytes"] + flow["dst_bytes"] > 1024),
                ("dns.answers.ttl == 300", lambda flow: "answers" in flow.get("dns", {})),
        ):
            expected = [flow["id"] for flow in everything if is_chosen(flow)]
            self.assertTrue(expected, expression)
            self.assertEqual([flow["id"] for flow in self.flows("--filter", expression)], expected, expression)

    def test_counts_and_limits_what_it_chose(self):
        out, _ = self.expect(DONE, "read", SAMPLE, "--filter", "app == dns", "--limit", "2")
        self.assertIn("… and 1 more", out)
        self.assertIn("\nflows      3 flows", out)
        self.assertEqual(len(self.flows("--filter", "app == dns", "--limit", "2")), 2)
        self.assertEqual(self.flows("--filter", "app == ssh"), [])

    def test_header_fields_are_kept_when_they_are_asked_for(self):
        self.assertTrue(self.flows("--filter", "ip.ttl == 64"))
        self.assertEqual(self.flows("--filter", "ip.ttl == 63"), [])

    def test_a_mistake_has_its_column_and_what_was_meant(self):
        for expression, expected in (
                ("scr_ip == 10.0.0.1", 'column 1: unknown field "scr_ip", did you mean src_ip?'),
                ("app == tlss", 'column 8: app: unknown protocol "tlss", did you mean tls?'),
                ("final and tls.sny", 'column 11: unknown field "tls.sny", did you mean tls.sni?'),
                ("final and (final", 'column 11: "(" without its ")"'),
        ):
            self.refuses(f"--filter: {expected}", "--filter", expression)
        out, err = self.expect(USAGE, "read", "/nonexistent", "--filter", "(")
        self.assertEqual(out, "")
        self.assert_one_line(err, "weir: ")


class TestFields(DpiCliTest):
    FIELDS = "src_ip,app,tls.sni,dns.resolved_ip,dns.answers,ip.ttl"

    def test_json_has_these_and_no_others(self):
        flows = self.flows("--fields", self.FIELDS)
        self.assertEqual({key for flow in flows for key in flow}, {"src_ip", "app", "tls", "dns", "ip"})
        by_app = {flow["app"]: flow for flow in flows}
        self.assertEqual(by_app["tls"]["tls"], {"sni": "www.example.com"})
        self.assertEqual(by_app["tls"]["ip"], {"ttl": 64})
        answered = next(flow["dns"] for flow in flows if "resolved_ip" in flow.get("dns", {}))
        self.assertEqual(set(answered), {"resolved_ip", "answers"})
        self.assertIsInstance(answered["resolved_ip"], list)
        self.assertIn("ttl", answered["answers"][0])

    def test_csv_has_a_cell_for_each(self):
        out, _ = self.expect(DONE, "read", SAMPLE, "--format", "csv", "--fields", self.FIELDS)
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual(list(rows[0]), self.FIELDS.split(","))
        flows = self.flows("--fields", self.FIELDS)
        self.assertEqual(len(rows), len(flows))
        for row, flow in zip(rows, flows):
            self.assertEqual(row["tls.sni"], flow.get("tls", {}).get("sni", ""))
            self.assertEqual(row["dns.resolved_ip"], " ".join(flow.get("dns", {}).get("resolved_ip", [])))
            self.assertEqual(row["ip.ttl"], str(flow.get("ip", {}).get("ttl", "")))
            answers = flow.get("dns", {}).get("answers")
            self.assertEqual(json.loads(row["dns.answers"]) if row["dns.answers"] else None, answers)

    def test_blanks_around_names_do_not_count(self):
        out, _ = self.expect(DONE, "read", SAMPLE, "--format", "csv", "--fields", " src_ip , tls.sni")
        self.assertTrue(out.startswith("src_ip,tls.sni\n"), out)

    def test_unknown_names_and_formats_are_errors(self):
        self.refuses('--fields: unknown field "tls.sny", did you mean tls.sni?',
                     "--format", "csv", "--fields", "src_ip,tls.sny")
        self.refuses('--fields: unknown field "", weir protocols lists them', "--format", "csv", "--fields", "src_ip,")
        self.refuses('--fields: "dns.answers.ttl" is part of dns.answers, which can be asked for',
                     "--format", "csv", "--fields", "dns.answers.ttl")
        self.refuses("--fields: expected --format json or csv", "--fields", "src_ip")


class TestEvents(DpiCliTest):
    def test_have_order_sender_and_content(self):
        messages = self.messages("dns,http,modbus")
        self.assertEqual({message["event"] for message in messages}, {"dns", "http", "modbus"})
        times = [message["time"] for message in messages]
        self.assertEqual(times, sorted(times))
        flows = {flow["id"]: flow for flow in self.flows()}
        for message in messages:
            flow = flows[message["flow_id"]]
            self.assertEqual(message["event"], flow["app"])
            self.assertIn(message["event"], message)
            for key in ("proto", "src_ip", "src_port", "dst_ip", "dst_port"):
                self.assertEqual(message[key], flow[key])
        queries = [message["sender"] for message in messages if message.get("dns", {}).get("type") == ["query"]]
        self.assertEqual(set(queries), {"src"})

    def test_are_the_same_for_any_threads_and_batches(self):
        captures = [SAMPLE, *(str(GOLDEN / f"{name}.pcap") for name in ("dns", "http", "modbus", "tls", "socks"))]
        for capture in captures:
            for what in (["--events", "dns,http,modbus,tls"], ["--format", "json"],
                         ["--format", "json", "--fields", "id,ip.ttl,tcp.seq,udp.length,eth.src"]):
                outputs = set()
                for threads, batch_size in itertools.product(("1", "2", "4"), ("1", "7", "1024")):
                    out, _ = self.expect(DONE, "read", capture, *what, "-t", threads, "--batch-size", batch_size)
                    outputs.add(out)
                self.assertEqual(len(outputs), 1, (capture, what))
                self.assertNotIn("", outputs if what[0] == "--format" else [])

    def test_are_filtered_limited_and_written(self):
        everything = self.messages("dns")
        responses = self.messages("dns", "--filter", "dns.type == response and src_ip in 192.0.2.0/24")
        self.assertEqual(responses, [message for message in everything if message["dns"]["type"] == ["response"]])
        self.assertEqual(self.messages("dns", "--limit", "2"), everything[:2])
        out, err = self.expect(DONE, "read", SAMPLE, "--events", "dns", "-w", self.path("out"))
        self.assertEqual((out, err), ("", ""))
        with open(self.path("out"), encoding="utf-8") as file:
            self.assertEqual([json.loads(line) for line in file], everything)
        chosen = self.messages("dns", "--fields", "dns.query")
        self.assertEqual([message["dns"] for message in chosen],
                         [{"query": message["dns"]["query"]} for message in everything])

    def test_are_not_limited_as_a_table_is(self):
        captures = [str(GOLDEN / f"{name}.pcap") for name in ("dns", "dns_tcp", "dhcp", "modbus", "icmp")]
        self.assertGreater(len(self.messages("dns,dhcp,modbus,icmp", *captures)), 50)

    def test_come_with_a_summary_and_statistics(self):
        out, err = self.expect(DONE, "read", SAMPLE, "--events", "dns", "--summary", "--stats", self.path("run.json"))
        self.assertTrue(all(json.loads(line)["event"] == "dns" for line in out.splitlines()))
        self.assertIn("\napps ", err)
        with open(self.path("run.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["apps"]["dns"]["flows"], 3)

    def test_what_cannot_be_is_an_error(self):
        self.refuses('--events: expected names of protocols, got "tsl", did you mean tls?', "--events", "tsl")
        self.refuses('--events: expected names of protocols, got "eth"', "--events", "dns,eth")
        self.refuses('--events: expected --format json, got "csv"', "--events", "dns", "--format", "csv")
        self.refuses("--events: cannot be combined with --sort", "--events", "dns", "--sort", "bytes")
        self.refuses('--filter: "src_bytes": no message of --events has it', "--events", "dns", "--filter", "bytes > 1")
        self.refuses('--fields: "tls.sni": no message of --events has it', "--events", "dns", "--fields", "tls.sni")


class TestServices(DpiCliTest):
    def test_a_file_wins_over_what_is_built_in(self):
        path = self.write("services.txt", b"# ours\nwiki internal www.example.com\n")
        services = {flow.get("service") for flow in self.flows("--services", path, "--filter", "tls.sni")}
        self.assertEqual(services, {"wiki"})
        self.assertEqual({flow.get("service") for flow in self.flows("--filter", "tls.sni")}, {None})
        self.assertTrue(self.flows("--services", path, "--filter", "service == wiki"))
        self.refuses('--filter: column 12: service: unknown service "wikki", did you mean wiki?',
                     "--services", path, "--filter", "service == wikki")
        out, _ = self.expect(DONE, "read", SAMPLE, "--services", path)
        self.assertRegex(out, r"\nservices +wiki \d+ flows ")

    def test_errors_name_file_and_line(self):
        path = self.write("services.txt", b"wiki internal wiki.example.com\nerp internal *.example.com\n")
        self.refuses(f'{path}:2: expected a domain such as "example.com", got "*.example.com"', "--services", path)
        out, err = self.expect(USAGE, "read", SAMPLE, "--services", self.path("none"))
        self.assertEqual(out, "")
        self.assert_one_line(err, f"weir: {self.path('none')}: ")


class TestWithout(DpiCliTest):
    def test_no_dpi_looks_into_nothing(self):
        flows = self.flows("--no-dpi")
        self.assertEqual({flow["app"] for flow in flows}, {"unknown"})
        self.assertFalse({"tls", "dns", "app_method", "service"} & {key for flow in flows for key in flow})
        self.assertEqual([(flow["id"], flow["src_bytes"], flow["state"]) for flow in flows],
                         [(flow["id"], flow["src_bytes"], flow["state"]) for flow in self.flows()])
        for option, value in (("--fields", "tls.sni"), ("--filter", "tls.sni")):
            self.refuses(f'{option}: "tls.sni": cannot be combined with --no-dpi',
                         "--no-dpi", "--format", "json", option, value)
        self.refuses("--events: cannot be combined with --no-dpi", "--no-dpi", "--events", "dns")

    def test_a_guess_is_marked_and_can_be_left_out(self):
        # Port 53, but no DNS: the letter x, 20 times and more.
        guessed = self.flows(capture=self.sample)
        self.assertEqual({(flow["app"], flow["app_confidence"], flow["app_method"]) for flow in guessed},
                         {("dns", "guess", "port")})
        self.assertFalse([flow for flow in guessed if "dns" in flow])
        for how in (["--no-guess"], ["-c", self.write("weir.toml", b"[dpi]\nguess = false\n")]):
            flows = self.flows(*how, capture=self.sample)
            self.assertEqual({(flow["app"], flow.get("app_method")) for flow in flows}, {("unknown", None)})
        self.assertEqual(self.flows("--filter", "app_confidence != guess", capture=self.sample), [])


class TestHelp(DpiCliTest):
    def test_examples_of_the_help_run(self):
        out, _ = self.expect(DONE, "read", "--help")
        lines = re.findall(r"^  weir (read .*(?:--filter|--fields|--events).*)$", out, re.M)
        self.assertGreater(len(lines), 2)
        for line in lines:
            arguments = [SAMPLE if word.endswith(".pcap") else word for word in shlex.split(line)]
            self.expect(DONE, *arguments)


if __name__ == "__main__":
    unittest.main()
