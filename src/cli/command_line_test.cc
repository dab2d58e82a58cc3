// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <gtest/gtest.h>

#include "cli/exit_code.h"

namespace weir {
namespace {

// A command with one option of each kind.
class CommandLineFixture : public ::testing::Test {
 protected:
  CommandLineFixture() {
    line_.name = "weir test";
    line_.synopsis = "FILE… [options]";
    line_.description = "Does what the test wants.";
    line_.operand_name = "FILE";
    line_.operand_count_max = 3;
    line_.operands = &files_;
    line_.options = {
        text_option("Output", "-w,--output", "OUT", "Where results go.", output_),
        text_option("Output", "--sort", "FIELD", "Order.", sort_),
        count_option("Output", "--limit", "Most flows.", 1, 10, limit_),
        switch_option("Output", "-q,--quiet", "Say less.", is_quiet_),
        switch_option("", "--secret", "Not listed.", is_secret_),
    };
    add_setting_options(line_, layers_, config_);
  }

  // The exit code, -1 when the command is to run. Messages end up in message_.
  int parse(std::vector<std::string> arguments) {
    ::testing::internal::CaptureStderr();
    const std::optional<int> code = parse_command_line(line_, arguments);
    message_ = ::testing::internal::GetCapturedStderr();
    return code.value_or(-1);
  }

  CommandLine line_;
  std::vector<std::string> files_;
  std::string output_, sort_, config_;
  std::optional<uint64_t> limit_;
  bool is_quiet_ = false;
  bool is_secret_ = false;
  SettingLayers layers_{uint64_t{64} << 30};
  std::string message_;
};

TEST_F(CommandLineFixture, TakesOptionsAndOperandsInAnyOrder) {
  EXPECT_EQ(parse({"a.pcap", "-w", "out", "b.pcap", "--limit=3", "-q", "-c", "weir.toml", "-t4"}),
            -1);
  EXPECT_EQ(files_, (std::vector<std::string>{"a.pcap", "b.pcap"}));
  EXPECT_EQ(output_, "out");
  EXPECT_EQ(limit_, 3u);
  EXPECT_TRUE(is_quiet_);
  EXPECT_EQ(config_, "weir.toml");
  EXPECT_EQ(layers_.effective().thread_count, 4u);
}

TEST_F(CommandLineFixture, AValueMayBeginWithADash) {
  EXPECT_EQ(parse({"--sort", "-bytes", "-w", "-", "-"}), -1);
  EXPECT_EQ(sort_, "-bytes");
  EXPECT_EQ(output_, "-");
  EXPECT_EQ(files_, std::vector<std::string>{"-"});
}

TEST_F(CommandLineFixture, AfterTwoDashesEverythingIsAnOperand) {
  EXPECT_EQ(parse({"-q", "--", "-w", "--limit"}), -1);
  EXPECT_EQ(files_, (std::vector<std::string>{"-w", "--limit"}));
}

TEST_F(CommandLineFixture, OperandsMayBeAnything) {
  EXPECT_EQ(parse({"a=b", "{x}", "[y]"}), -1);
  EXPECT_EQ(files_, (std::vector<std::string>{"a=b", "{x}", "[y]"}));
}

TEST_F(CommandLineFixture, TheLastOfSeveralCounts) {
  EXPECT_EQ(parse({"-w", "x", "-w", "y", "-q", "-q"}), -1);
  EXPECT_EQ(output_, "y");
}

TEST_F(CommandLineFixture, TakesSettingsByFlag) {
  EXPECT_EQ(parse({"--timeout.tcp", "90s", "--timeout.udp_new=1s", "--zone", "vlan", "--strict"}),
            -1);
  const Settings settings = layers_.effective();
  EXPECT_EQ(settings.timeouts.idle_ns[0][0], 90 * kSecondNs);
  EXPECT_EQ(settings.timeouts.idle_ns[1][0], kSecondNs);
  EXPECT_EQ(settings.zone, ZoneKind::kVlan);
  EXPECT_TRUE(settings.is_strict);
}

struct BadLine {
  std::vector<std::string> arguments;
  const char* message;
};

TEST_F(CommandLineFixture, SaysExactlyWhatIsWrong) {
  const BadLine bad_lines[] = {
      {{"--ouptut", "x"}, "weir: --ouptut: unknown option, did you mean --output?\n"},
      {{"--timeout.tpc=5m"}, "weir: --timeout.tpc: unknown option, did you mean --timeout.tcp?\n"},
      {{"--xyzzy"}, "weir: --xyzzy: unknown option\n"},
      {{"-x"}, "weir: -x: unknown option\n"},
      {{"--sort"}, "weir: --sort: expected a value, got none\n"},
      {{"--sort="}, "weir: --sort: expected a value, got none\n"},
      {{"-w", ""}, "weir: --output: expected OUT, got an empty text\n"},
      {{"--quiet=3"}, "weir: --quiet: expected no value, got \"3\"\n"},
      {{"--limit", "0"}, "weir: --limit: expected an integer from 1 to 10, got \"0\"\n"},
      {{"--limit", "-1"}, "weir: --limit: expected an integer from 1 to 10, got \"-1\"\n"},
      {{"--limit", "1x"}, "weir: --limit: expected an integer from 1 to 10, got \"1x\"\n"},
      {{"--timeout.tcp", "soon"},
       "weir: --timeout.tcp: expected a duration such as \"5m\", got \"soon\"\n"},
      {{"--threads", "0"}, "weir: --threads: expected an integer from 1 to 64, got \"0\"\n"},
      {{"-t", "65"}, "weir: --threads: expected an integer from 1 to 64, got \"65\"\n"},
      {{"a", "b", "c", "d"}, "weir: \"d\": expected at most 3 FILE, got 4\n"},
      {{"--\033[31m"}, "weir: --\\u001b[31m: unknown option\n"},
  };
  for (const BadLine& bad : bad_lines) {
    EXPECT_EQ(parse(bad.arguments), kExitUsage) << bad.message;
    EXPECT_EQ(message_, bad.message);
  }
}

TEST_F(CommandLineFixture, SaysWhatIsMissing) {
  line_.operand_count_min = 1;
  EXPECT_EQ(parse({}), kExitUsage);
  EXPECT_EQ(message_, "weir: expected FILE, see weir test --help\n");
}

TEST_F(CommandLineFixture, HelpListsWhatIsToBeListed) {
  const std::string help = help_text(line_, 80, false);
  EXPECT_TRUE(help.starts_with("Usage: weir test FILE… [options]\n\nDoes what")) << help;
  EXPECT_NE(help.find("\nOutput\n  -w, --output OUT            Where results go.\n"),
            std::string::npos)
      << help;
  EXPECT_NE(help.find("      --limit N"), std::string::npos) << help;
  EXPECT_NE(help.find("-h, --help"), std::string::npos) << help;
  EXPECT_EQ(help.find("--secret"), std::string::npos) << help;
  EXPECT_EQ(help.find('\033'), std::string::npos);
  EXPECT_NE(help_text(line_, 80, true).find("\033[1mOutput\033[0m"), std::string::npos);
}

TEST_F(CommandLineFixture, HelpFitsTheTerminal) {
  for (const size_t columns : {size_t{60}, size_t{80}, size_t{100}}) {
    const std::string help = help_text(line_, columns, false);
    size_t begin = 0;
    for (size_t end = help.find('\n'); end != std::string::npos; end = help.find('\n', begin)) {
      EXPECT_LE(end - begin, columns + 4) << help.substr(begin, end - begin);
      begin = end + 1;
    }
  }
}

TEST_F(CommandLineFixture, HelpIsPrintedWhateverElseIsMissing) {
  line_.operand_count_min = 1;
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(parse({"-h"}), kExitDone);
  EXPECT_TRUE(::testing::internal::GetCapturedStdout().starts_with("Usage: weir test"));
  EXPECT_EQ(message_, "");
}

}  // namespace
}  // namespace weir
