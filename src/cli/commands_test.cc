// SPDX-License-Identifier: Apache-2.0
//
// The program as the shell sees it: exit codes, what goes to stdout and what to stderr. Reading
// captures is tested end to end (tests/e2e/test_cli.py).
#include "cli/commands.h"

#include <gtest/gtest.h>

#include "cli/exit_code.h"
#include "cli/settings.h"
#include "flow/flow_fields.h"
#include "schema/catalog.h"
#include "schema/field_docs.h"

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
  EXPECT_EQ(list.out.find("none"), std::string::npos);

  const Outcome layer = run({"protocols", "icmpv6"});
  EXPECT_EQ(layer.out,
            "icmpv6: ICMP for IPv6 (RFC 4443)\nIts flows have the proto \"ipv6-icmp\".\n");

  const Outcome flow = run({"protocols", "flow"});
  EXPECT_EQ(flow.code, kExitDone);
  for (const Field& field : flow_fields()) {
    EXPECT_NE(flow.out.find("\n  " + std::string(field.name) + " "), std::string::npos)
        << field.name;
    EXPECT_NE(flow.out.find(field.help), std::string::npos) << field.name;
  }
  EXPECT_NE(run({"protocols", "duration"}).out.find("  duration "), std::string::npos);
}

TEST(Commands, ProtocolsPrintsTheDocumentOfTheFields) {
  const Outcome outcome = run({"protocols", "flow", "--markdown"});
  EXPECT_EQ(outcome.code, kExitDone);
  EXPECT_EQ(outcome.out, fields_markdown(flow_catalog()));
  EXPECT_EQ(run({"protocols", "--markdown"}).code, kExitUsage);
}

TEST(Commands, ProtocolsSuggestsANearName) {
  expect_usage_error({"protocols", "tpc"}, "\"tpc\": unknown protocol or field, did you mean tcp?");
  expect_usage_error({"protocols", "flwo"},
                     "\"flwo\": unknown protocol or field, did you mean flow?");
  expect_usage_error({"protocols", ""}, "\"\": unknown protocol or field");
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
