// SPDX-License-Identifier: Apache-2.0
//
// The program as the shell sees it: exit codes, what goes to stdout and what to stderr. Reading
// captures is tested end to end (tests/e2e/test_cli.py).
#include "cli/commands.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cli/exit_code.h"
#include "cli/settings.h"
#include "dpi/packet_fields.h"
#include "dpi/services.h"
#include "flow/flow_fields.h"
#include "schema/field_docs.h"
#include "weir/catalog.h"

namespace weir {
namespace {

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome run(std::vector<const char*> arguments, std::vector<const char*> environment = {}) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int code = run_weir(arguments, environment);
  return {code, ::testing::internal::GetCapturedStdout(), ::testing::internal::GetCapturedStderr()};
}

void expect_usage_error(std::vector<const char*> arguments, const std::string& message) {
  const Outcome outcome = run(std::move(arguments));
  EXPECT_EQ(outcome.code, kExitUsage) << message;
  EXPECT_EQ(outcome.err, "weir: " + message + "\n");
  EXPECT_EQ(outcome.out, "");
}

TEST(Commands, WithoutArgumentsHelpIsPrinted) {
  for (const std::vector<const char*>& arguments :
       {std::vector<const char*>{}, {"-h"}, {"--help"}, {"help"}}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, kExitDone);
    EXPECT_EQ(outcome.err, "");
    for (const Command& command : commands()) {
      EXPECT_NE(outcome.out.find("weir " + std::string(command.name)), std::string::npos);
    }
  }
}

TEST(Commands, VersionSaysWhatThisIs) {
  for (const char* option : {"-V", "--version"}) {
    const Outcome outcome = run({option});
    EXPECT_EQ(outcome.code, kExitDone);
    EXPECT_TRUE(outcome.out.starts_with("weir " WEIR_VERSION "\n")) << outcome.out;
    for (const char* word : {"compiler: ", "CLI11 2.", "spdlog 1.", "toml++ 3.", "Apache-2.0"}) {
      EXPECT_NE(outcome.out.find(word), std::string::npos) << word;
    }
  }
}

TEST(Commands, UnknownCommandsGetASuggestion) {
  expect_usage_error({"raed"}, "raed: unknown command, did you mean read?");
  expect_usage_error({"protcols", "x"}, "protcols: unknown command, did you mean protocols?");
  expect_usage_error({"chek"}, "chek: unknown command, did you mean check?");
  expect_usage_error({"xyzzy"}, "xyzzy: unknown command");
  expect_usage_error({""}, ": unknown command");
  expect_usage_error({"a\nb"}, "a\\nb: unknown command");
  expect_usage_error({"--versoin"}, "--versoin: unknown option, did you mean --version?");
  expect_usage_error({"-x"}, "-x: unknown option");
}

TEST(Commands, EveryCommandHasHelpAndRefusesUnknownOptions) {
  for (const Command& command : commands()) {
    const Outcome help = run({command.name.data(), "--help"});
    EXPECT_EQ(help.code, kExitDone);
    EXPECT_TRUE(help.out.starts_with("Usage: weir " + std::string(command.name))) << help.out;
    EXPECT_NE(help.out.find("\nExamples\n"), std::string::npos) << command.name;
    EXPECT_EQ(help.err, "");
    expect_usage_error({command.name.data(), "--xyzzy"}, "--xyzzy: unknown option");
  }
}

TEST(Commands, CheckPrintsTheEffectiveConfiguration) {
  const Outcome outcome = run({"check", "--timeout.tcp", "90s"}, {"WEIR_THREADS=3"});
  EXPECT_EQ(outcome.code, kExitDone);
  EXPECT_EQ(outcome.err, "");
  EXPECT_NE(outcome.out.find("\ntcp = \"90s\"  # command line\n"), std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("\nthreads = 3  # WEIR_THREADS\n"), std::string::npos) << outcome.out;
  SettingLayers layers(uint64_t{64} << 30);
  std::string error;
  EXPECT_TRUE(layers.read_text("out", outcome.out, error)) << error;
}

TEST(Commands, CheckRefusesABadConfiguration) {
  const Outcome missing = run({"check", "-c", "/nonexistent.toml"});
  EXPECT_EQ(missing.code, kExitUsage);
  EXPECT_EQ(missing.err, "weir: /nonexistent.toml: no such file or directory\n");
  const Outcome by_variable = run({"check"}, {"WEIR_CONFIG=/nonexistent.toml"});
  EXPECT_EQ(by_variable.code, kExitUsage);
  const Outcome bad_variable = run({"check"}, {"WEIR_FLOW_ZONE=lan"});
  EXPECT_EQ(bad_variable.code, kExitUsage);
  EXPECT_EQ(bad_variable.out, "");
}

TEST(Commands, ProtocolsDocumentsLayersAndFields) {
  const Outcome list = run({"protocols"});
  EXPECT_EQ(list.code, kExitDone);
  EXPECT_NE(list.out.find("\n  sctp      Stream Control"), std::string::npos) << list.out;
  EXPECT_EQ(list.out.find("  none "), std::string::npos);

  const Outcome layer = run({"protocols", "icmpv6"});
  EXPECT_TRUE(layer.out.starts_with(
      "icmpv6: ICMP for IPv6 (RFC 4443)\nIts flows have the proto \"ipv6-icmp\".\n\nicmpv6: "))
      << layer.out;

  const Outcome flow = run({"protocols", "flow"});
  EXPECT_EQ(flow.code, kExitDone);
  for (const Field& field : flow_fields()) {
    EXPECT_NE(flow.out.find("\n  " + std::string(field.name) + " "), std::string::npos)
        << field.name;
    EXPECT_NE(flow.out.find(field.help), std::string::npos) << field.name;
  }
  EXPECT_NE(run({"protocols", "duration"}).out.find("  duration "), std::string::npos);
}

TEST(Commands, ProtocolsDocumentsProtocolsAndTheirAttributes) {
  const Catalog& catalog = flow_catalog();
  const Outcome list = run({"protocols"});
  for (const Protocol* protocol : catalog.protocols()) {
    const std::string name(protocol->name);
    EXPECT_NE(list.out.find("\n  " + name + " "), std::string::npos) << name;
    const Outcome page = run({"protocols", name.c_str()});
    EXPECT_EQ(page.code, kExitDone);
    EXPECT_NE(page.out.find(name + ": " + std::string(protocol->help)), std::string::npos) << name;
    for (const Attribute& row : protocol->attributes) {
      EXPECT_NE(page.out.find("\n  " + std::string(row.name) + " "), std::string::npos) << row.name;
      EXPECT_NE(page.out.find(row.help), std::string::npos) << row.name;
    }
  }
  EXPECT_EQ(run({"protocols", "all"}).out, list.out);
  EXPECT_EQ(run({"protocols", "tls.sni"}).out,
            "  tls.sni  string  Host name the client asks for (server_name).\n");
  EXPECT_NE(run({"protocols", "dns.answers"}).out.find("\n  dns.answers.ttl "), std::string::npos)
      << "an object's members are with it";
  EXPECT_NE(run({"protocols", "ftp-data"}).out.find("another protocol announces it"),
            std::string::npos);
  EXPECT_EQ(run({"protocols", "ip"}).out.find("another protocol"), std::string::npos);
}

TEST(Commands, ProtocolsKnowsServices) {
  EXPECT_TRUE(run({"protocols", "youtube"}).out.starts_with("youtube: a service, video\n"));
  const std::string list = run({"protocols", "services"}).out;
  for (const ServiceCategory& category : service_categories()) {
    EXPECT_NE(list.find("\n  " + std::string(category.name) + " "), std::string::npos)
        << category.name;
  }
}

TEST(Commands, ProtocolsPrintsTheDocuments) {
  const Outcome outcome = run({"protocols", "flow", "--markdown"});
  EXPECT_EQ(outcome.code, kExitDone);
  EXPECT_EQ(outcome.out, fields_markdown(flow_catalog()));
  EXPECT_EQ(outcome.out.find("tls.sni"), std::string::npos)
      << "attributes have a page of their own";
  EXPECT_EQ(run({"protocols", "all", "--markdown"}).out,
            protocols_markdown(flow_catalog(), packet_protocols()));
  expect_usage_error({"protocols", "tls", "--markdown"},
                     "--markdown: expected NAME to be \"flow\" or \"all\", got \"tls\"");
  EXPECT_EQ(run({"protocols", "--markdown"}).code, kExitUsage);
}

// docs/formats/protocols.md is what the program prints.
TEST(Commands, ProtocolsAreDocumented) {
  const char* source_folder = std::getenv("WEIR_SOURCE_DIR");
  if (source_folder == nullptr) GTEST_SKIP() << "WEIR_SOURCE_DIR is not set (ctest sets it)";
  const std::string path = std::string(source_folder) + "/docs/formats/protocols.md";
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  EXPECT_TRUE(content.str() == run({"protocols", "all", "--markdown"}).out)
      << path << " is stale; run: weir protocols all --markdown > " << path;
}

TEST(Commands, ProtocolsSuggestsANearName) {
  expect_usage_error({"protocols", "tpc"},
                     "\"tpc\": unknown protocol, field or service, did you mean tcp?");
  expect_usage_error({"protocols", "flwo"},
                     "\"flwo\": unknown protocol, field or service, did you mean flow?");
  expect_usage_error({"protocols", "tls.sny"},
                     "\"tls.sny\": unknown protocol, field or service, did you mean tls.sni?");
  expect_usage_error({"protocols", "yotube"},
                     "\"yotube\": unknown protocol, field or service, did you mean youtube?");
  expect_usage_error({"protocols", ""}, "\"\": unknown protocol, field or service");
  expect_usage_error({"protocols", "a", "b"}, "\"b\": expected at most 1 NAME, got 2");
}

TEST(Commands, ReadRefusesWhatItCannotMean) {
  expect_usage_error({"read"}, "expected FILE, see weir read --help");
  expect_usage_error({"read", "x", "--format", "jsno"},
                     "--format: expected table, json, csv, none, got \"jsno\", did you mean json?");
  expect_usage_error({"read", "x", "--sort", "duratoin"},
                     "--sort: unknown field \"duratoin\"; did you mean \"duration\"?");
  expect_usage_error({"read", "x", "--sort", ""}, "--sort: expected FIELD, got an empty text");
  expect_usage_error({"read", "x", "--limit", "-1"},
                     "--limit: expected an integer from 0 on, got \"-1\"");
  expect_usage_error({"read", "x", "--sort", "duration", "--unordered"},
                     "--unordered: cannot be combined with --sort");
  expect_usage_error({"read", "x", "-q", "-v"}, "--quiet: cannot be combined with --verbose");
  expect_usage_error({"read", "-", "-"}, "\"-\": expected standard input once, got it more often");
  expect_usage_error({"read", "x", "--batch-size", "0"},
                     "--batch-size: expected an integer from 1 to 1024, got \"0\"");
  expect_usage_error({"read", "x", "--sweep", "now"},
                     "--sweep: expected \"auto\", \"never\" or \"always\", got \"now\"");
  expect_usage_error({"read", "x", "--timeout.tcp", "2h"},
                     "--timeout.tcp: expected a duration from \"0\" to \"1h\", got \"2h\"");
}

}  // namespace
}  // namespace weir
