// SPDX-License-Identifier: Apache-2.0
//
// The configuration as a user gets it wrong (every message, exactly) and right (precedence,
// defaults).
#include "cli/settings.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>

#include "pipeline/engine.h"

namespace weir {
namespace {

using namespace std::string_literals;

constexpr uint64_t kMachine = uint64_t{64}
                              << 30;  // a machine whose quarter is more than the default limit

const SettingRow& row_of(std::string_view key) {
  for (const SettingRow& row : setting_rows()) {
    if (row.key == key) return row;
  }
  ADD_FAILURE() << "no setting " << key;
  return setting_rows()[0];
}

struct BadConfig {
  std::string text;
  const char* error;
};

const BadConfig kBadConfigs[] = {
    {"threads é = 1"s, "weir.toml:1:9: error while parsing key-value pair: expected '=', saw 'é'"},
    {"threads = é"s, "weir.toml:1:11: error while parsing value: could not determine value type"},
    {"[é]"s,
     "weir.toml:1:2: error while parsing key: expected bare key starting character or string "
     "delimiter, saw 'é'"},
    {"[@x]"s,
     "weir.toml:1:2: error while parsing key: expected bare key starting character or string "
     "delimiter, saw '@'"},
    {"[\033low]"s, "weir.toml:1:2: expected text, got the control character 1b"},
    {"threads = 1 # \177"s, "weir.toml:1:15: expected text, got the control character 7f"},
    {"\357\273\277threads = 1"s,
     "weir.toml:1:1: expected UTF-8 without a byte order mark, got one"},
    {"\377\376t"s, "weir.toml:1:1: expected UTF-8 without a byte order mark, got one"},
    {"threads = 1\nlog\000"s, "weir.toml:2:4: expected text, got the control character 00"},
    {"threads = \"\377\""s, "weir.toml:1:11: encountered invalid utf-8 sequence"},
    {"thr\255s = 1"s, "weir.toml:1:3: encountered invalid utf-8 sequence"},
    {"# \303(\n"s, "weir.toml:1:2: encountered invalid utf-8 sequence"},
    {"a = {a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a="s,
     "weir.toml:1:53: error while parsing value: exceeded maximum nested value depth of 16"},
    {"threads"s, "weir.toml:1:8: error while parsing key-value pair: encountered end-of-file"},
    {"threads ="s, "weir.toml:1:10: error while parsing key-value pair: encountered end-of-file"},
    {"threads = = 1"s, "weir.toml:1:11: error while parsing value: could not determine value type"},
    {"threads = 1 2"s,
     "weir.toml:1:13: error while parsing key-value pair: expected a comment or whitespace, saw "
     "'2'"},
    {"[flow"s, "weir.toml:1:6: error while parsing table header: encountered end-of-file"},
    {"[flow]]"s,
     "weir.toml:1:7: error while parsing table header: expected a comment or whitespace, saw ']'"},
    {"[flow]\n[flow]"s,
     "weir.toml:2:1: error while parsing table header: cannot redefine existing table 'flow'"},
    {"threads = 1\nthreads = 2"s,
     "weir.toml:2:11: error while parsing key-value pair: cannot redefine existing integer "
     "'threads'"},
    {"flow.zone = \"none\"\n[flow]\nmax = 3"s,
     "weir.toml:2:1: error while parsing table header: cannot redefine existing table 'flow'"},
    {"[flow]\nmax = 1\n[flow.max]\nx = 1"s,
     "weir.toml:3:1: error while parsing table header: cannot redefine existing integer 'flow.max' "
     "as table"},
    {"threads = \"1"s, "weir.toml:1:13: error while parsing string: encountered end-of-file"},
    {"threads = 'a\nb'"s,
     "weir.toml:1:13: error while parsing literal string: control characters other than TAB "
     "(U+0009) are explicitly prohibited"},
    {"threads = 1e"s,
     "weir.toml:1:13: error while parsing floating-point: encountered end-of-file"},
    {"threads = 0x"s,
     "weir.toml:1:13: error while parsing hexadecimal integer: encountered end-of-file"},
    {"threads = 99999999999999999999"s,
     "weir.toml:1:31: error while parsing decimal integer: '99999999999999999999' is not "
     "representable in 64 bits"},
    {"flow = 3"s, "weir.toml:1:8: flow: expected a table, got 3"},
    {"flow = []"s, "weir.toml:1:8: flow: expected a table, got an array"},
    {"[[flow]]\nmax=1"s, "weir.toml:1:1: flow: expected a table, got an array"},
    {"flow.timeout = \"5m\""s, "weir.toml:1:16: flow.timeout: expected a table, got \"5m\""},
    {"flow.timeout.tcp = \"soon\""s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got \"soon\""},
    {"# head\n\n[flow.timeout]\n  tcp = \"soon\""s,
     "weir.toml:4:9: flow.timeout.tcp: expected a duration such as \"5m\", got \"soon\""},
    {"flow.timeout.tcp = 300"s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got 300"},
    {"flow.timeout.tcp = -1"s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got -1"},
    {"flow.timeout.tcp = \"-5m\""s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got \"-5m\""},
    {"flow.timeout.tcp = \"5\""s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got \"5\""},
    {"flow.timeout.tcp = \"\""s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got \"\""},
    {"flow.timeout.tcp = \"5 m\""s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got \"5 m\""},
    {"flow.timeout.tcp = \"5min\""s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got \"5min\""},
    {"flow.timeout.tcp = \"1.5m\""s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got \"1.5m\""},
    {"flow.timeout.tcp = \"61m\""s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration from \"0\" to \"1h\", got \"61m\""},
    {"flow.timeout.tcp = \"2h\""s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration from \"0\" to \"1h\", got \"2h\""},
    {"flow.timeout.tcp = \"99999999999999999999s\""s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got "
     "\"99999999999999999999s\""},
    {"flow.timeout.tcp = \"9223372036854775807h\""s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got "
     "\"9223372036854775807h\""},
    {"flow.timeout.tcp = true"s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got true"},
    {"flow.timeout.tcp = 5.0"s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got a floating-point "
     "number"},
    {"flow.timeout.tcp = 2024-01-01"s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got a date or time"},
    {"flow.timeout.tcp = 10:00:00"s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got a date or time"},
    {"flow.timeout.tcp = [\"5m\"]"s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got an array"},
    {"flow.timeout.tcp = {a = 1}"s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got a table"},
    {"[flow.timeout.tcp]"s,
     "weir.toml:1:1: flow.timeout.tcp: expected a duration such as \"5m\", got a table"},
    {"flow.timeout.tcp = \"5m\\n\""s,
     "weir.toml:1:20: flow.timeout.tcp: expected a duration such as \"5m\", got \"5m\\n\""},
    {"flow.timeout.tpc = \"5m\""s,
     "weir.toml:1:14: flow.timeout.tpc: unknown key, did you mean flow.timeout.tcp?"},
    {"flow.timeout.tcp_newer = \"5m\""s,
     "weir.toml:1:14: flow.timeout.tcp_newer: unknown key, did you mean flow.timeout.tcp_new?"},
    {"flow.timeout.quic = \"5m\""s,
     "weir.toml:1:14: flow.timeout.quic: unknown key, did you mean flow.timeout.udp?"},
    {"flow.timeout.active = \"25h\""s,
     "weir.toml:1:23: flow.timeout.active: expected a duration from \"0\" to \"24h\", got \"25h\""},
    {"flow.timeouts.tcp = \"5m\""s,
     "weir.toml:1:6: flow.timeouts: unknown key, did you mean flow.timeout?"},
    {"zone = \"vlan\""s, "weir.toml:1:1: zone: unknown key, did you mean flow.zone?"},
    {"timeout.tcp = \"5m\""s,
     "weir.toml:1:1: timeout: unknown key, did you mean flow.fragment.timeout?"},
    {"[Flow]\nzone = \"vlan\""s, "weir.toml:1:2: Flow: unknown key, did you mean flow?"},
    {"\"\" = 1"s, "weir.toml:1:1: \"\": unknown key"},
    {"\"flow.zone\" = \"none\""s, "weir.toml:1:1: \"flow.zone\": unknown key"},
    {"\"a\\nb\" = 1"s, "weir.toml:1:1: a\\nb: unknown key"},
    {"[unknown]"s, "weir.toml:1:2: unknown: unknown key"},
    {"unknown.flow.zone = 1"s, "weir.toml:1:1: unknown: unknown key"},
    {"memory.limit = \"much\""s,
     "weir.toml:1:16: memory.limit: expected a size such as \"256M\", got \"much\""},
    {"memory.limit = 1"s,
     "weir.toml:1:16: memory.limit: expected a size from \"16M\" to \"16T\", got 1"},
    {"memory.limit = \"15M\""s,
     "weir.toml:1:16: memory.limit: expected a size from \"16M\" to \"16T\", got \"15M\""},
    {"memory.limit = \"17T\""s,
     "weir.toml:1:16: memory.limit: expected a size from \"16M\" to \"16T\", got \"17T\""},
    {"memory.limit = \"1GB\""s,
     "weir.toml:1:16: memory.limit: expected a size such as \"256M\", got \"1GB\""},
    {"memory.limit = \"-1G\""s,
     "weir.toml:1:16: memory.limit: expected a size such as \"256M\", got \"-1G\""},
    {"memory.limit = 0.5"s,
     "weir.toml:1:16: memory.limit: expected a size such as \"256M\", got a floating-point number"},
    {"memory.limt = \"1G\""s,
     "weir.toml:1:8: memory.limt: unknown key, did you mean memory.limit?"},
    {"threads = 0"s, "weir.toml:1:11: threads: expected an integer from 1 to 64, got 0"},
    {"threads = 65"s, "weir.toml:1:11: threads: expected an integer from 1 to 64, got 65"},
    {"threads = -1"s, "weir.toml:1:11: threads: expected an integer from 1 to 64, got -1"},
    {"threads = \"4\""s, "weir.toml:1:11: threads: expected an integer from 1 to 64, got \"4\""},
    {"threads = 4.0"s,
     "weir.toml:1:11: threads: expected an integer from 1 to 64, got a floating-point number"},
    {"threads = true"s, "weir.toml:1:11: threads: expected an integer from 1 to 64, got true"},
    {"threads = [1, 2]"s,
     "weir.toml:1:11: threads: expected an integer from 1 to 64, got an array"},
    {"thread = 4"s, "weir.toml:1:1: thread: unknown key, did you mean threads?"},
    {"threads = 1_000_000"s,
     "weir.toml:1:11: threads: expected an integer from 1 to 64, got 1000000"},
    {"flow.zone = \"lan\""s,
     "weir.toml:1:13: flow.zone: expected \"none\", \"vlan\", \"vni\" or \"interface\", got "
     "\"lan\""},
    {"flow.zone = 1"s,
     "weir.toml:1:13: flow.zone: expected \"none\", \"vlan\", \"vni\" or \"interface\", got 1"},
    {"flow.zone = \"VLAN\""s,
     "weir.toml:1:13: flow.zone: expected \"none\", \"vlan\", \"vni\" or \"interface\", got "
     "\"VLAN\""},
    {"flow.zone = \"\""s,
     "weir.toml:1:13: flow.zone: expected \"none\", \"vlan\", \"vni\" or \"interface\", got \"\""},
    {"flow.zone = \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""s,
     "weir.toml:1:13: flow.zone: expected \"none\", \"vlan\", \"vni\" or \"interface\", got "
     "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\""},
    {"flow.max = 0"s, "weir.toml:1:12: flow.max: expected an integer from 1 to 100000000, got 0"},
    {"flow.max = 100000001"s,
     "weir.toml:1:12: flow.max: expected an integer from 1 to 100000000, got 100000001"},
    {"flow.max = \"1\""s,
     "weir.toml:1:12: flow.max: expected an integer from 1 to 100000000, got \"1\""},
    {"flow.fragment.max = 0"s,
     "weir.toml:1:21: flow.fragment.max: expected an integer from 1 to 16777216, got 0"},
    {"flow.fragment.timeout = \"1d\""s,
     "weir.toml:1:25: flow.fragment.timeout: expected a duration such as \"5m\", got \"1d\""},
    {"read.strict = 1"s, "weir.toml:1:15: read.strict: expected true or false, got 1"},
    {"read.strict = \"true\""s,
     "weir.toml:1:15: read.strict: expected true or false, got \"true\""},
    {"read.strict = yes"s,
     "weir.toml:1:15: error while parsing value: could not determine value type"},
    {"log.level = \"loud\""s,
     "weir.toml:1:13: log.level: expected \"debug\", \"info\", \"warn\", \"error\" or \"off\", got "
     "\"loud\""},
    {"log.level = 3"s,
     "weir.toml:1:13: log.level: expected \"debug\", \"info\", \"warn\", \"error\" or \"off\", got "
     "3"},
    {"log.format = \"xml\""s,
     "weir.toml:1:14: log.format: expected \"text\" or \"json\", got \"xml\""},
    {"log.file = \"x\""s, "weir.toml:1:5: log.file: unknown key"},
};

TEST(Settings, SaysExactlyWhatIsWrongWithAFile) {
  for (const BadConfig& bad : kBadConfigs) {
    SettingLayers layers(kMachine);
    std::string error;
    EXPECT_FALSE(layers.read_text("weir.toml", bad.text, error)) << bad.text;
    EXPECT_EQ(error, bad.error) << bad.text;
  }
}

TEST(Settings, EveryMessageIsOneLineOfText) {
  for (const BadConfig& bad : kBadConfigs) {
    for (const char letter : std::string_view(bad.error)) {
      EXPECT_GE(static_cast<unsigned char>(letter), 0x20) << bad.error;
    }
  }
}

// Nesting is what makes a recursive parser overflow its stack; it must be refused before.
TEST(Settings, RefusesDeepNesting) {
  std::string arrays = "a = ";
  std::string lines = "a = ";
  std::string tables = "a = ";
  std::string dotted = "a";
  std::string mixed = "a = ";
  for (int i = 0; i < 10'000; ++i) {
    arrays += '[';
    lines += "[\n";
    tables += "{a = ";
    dotted += ".a";
    mixed += "[{a.a.a.a.a.a.a.a = \n";
  }
  dotted += " = 1";
  for (const std::string& text : {arrays, lines, tables, dotted, mixed}) {
    SettingLayers layers(kMachine);
    std::string error;
    EXPECT_FALSE(layers.read_text("weir.toml", text, error));
    EXPECT_TRUE(error.starts_with("weir.toml:")) << error;
    EXPECT_LT(error.size(), 200u) << error;
  }
}

TEST(Settings, RefusesALargeFile) {
  SettingLayers layers(kMachine);
  std::string error;
  const std::string comment(kConfigSizeMax, '#');
  EXPECT_TRUE(layers.read_text("weir.toml", comment, error)) << error;
  EXPECT_FALSE(layers.read_text("weir.toml", comment + "#", error));
  EXPECT_EQ(error, "weir.toml: expected at most 1048576 bytes of configuration, got more");
}

TEST(Settings, EscapesTheNameOfTheFile) {
  SettingLayers layers(kMachine);
  std::string error;
  EXPECT_FALSE(layers.read_text("a\n\033[31mb", "x", error));
  EXPECT_EQ(error.find('\n'), std::string::npos);
  EXPECT_EQ(error.find('\033'), std::string::npos);
}

TEST(Settings, SaysWhyAFileCannotBeRead) {
  SettingLayers layers(kMachine);
  std::string error;
  EXPECT_FALSE(layers.read_file("/nonexistent/weir.toml", error));
  EXPECT_EQ(error, "/nonexistent/weir.toml: no such file or directory");
  EXPECT_FALSE(layers.read_file("/tmp", error));
  EXPECT_EQ(error, "/tmp: is a directory");
}

TEST(Settings, ReportsTheFirstProblemOfAFileWithSeveral) {
  SettingLayers layers(kMachine);
  std::string error;
  EXPECT_FALSE(layers.read_text("weir.toml", "zzz = 1\nthreads = 0\n[flow]\nbad = 1\n", error));
  EXPECT_EQ(error, "weir.toml:1:1: zzz: unknown key");
}

struct BadVariable {
  const char* assignment;
  const char* error;
};

TEST(Settings, SaysExactlyWhatIsWrongWithTheEnvironment) {
  const BadVariable bad_variables[] = {
      {"WEIR_FLOW_TIMEOUT_TCP=soon",
       "WEIR_FLOW_TIMEOUT_TCP: expected a duration such as \"5m\", got \"soon\""},
      {"WEIR_FLOW_TIMEOUT_TCP=",
       "WEIR_FLOW_TIMEOUT_TCP: expected a duration such as \"5m\", got \"\""},
      {"WEIR_FLOW_TIMEOUT_TPC=5m",
       "WEIR_FLOW_TIMEOUT_TPC: unknown setting, did you mean WEIR_FLOW_TIMEOUT_TCP?"},
      {"WEIR_THREADS=many", "WEIR_THREADS: expected an integer from 1 to 64, got \"many\""},
      {"WEIR_READ_STRICT=maybe", "WEIR_READ_STRICT: expected true or false, got \"maybe\""},
      {"WEIR_LOG_LEVEL=loud",
       "WEIR_LOG_LEVEL: expected \"debug\", \"info\", \"warn\", \"error\" or \"off\", got "
       "\"loud\""},
  };
  for (const BadVariable& bad : bad_variables) {
    SettingLayers layers(kMachine);
    std::string error;
    EXPECT_FALSE(layers.read_environment({{bad.assignment}}, error));
    EXPECT_EQ(error, bad.error);
  }
}

TEST(Settings, SkipsVariablesOfOthers) {
  SettingLayers layers(kMachine);
  std::string error;
  const char* const variables[] = {"PATH=/bin", "WEIR_BUILD_DIR=x", "WEIR_THREADS", "=", ""};
  EXPECT_TRUE(layers.read_environment(variables, error)) << error;
  EXPECT_EQ(layers.effective().thread_count, 1u);
}

TEST(Settings, DefaultsAreThoseOfTheCode) {
  const Settings settings = SettingLayers(kMachine).effective();
  const Timeouts timeouts;
  EXPECT_EQ(settings.timeouts.idle_ns, timeouts.idle_ns);
  EXPECT_EQ(settings.timeouts.active_ns, timeouts.active_ns);
  const EngineOptions engine;
  EXPECT_EQ(settings.thread_count, engine.thread_count);
  EXPECT_EQ(settings.zone, engine.decode.zone);
  EXPECT_EQ(settings.fragment_count_max, engine.fragments.entry_count_max);
  EXPECT_EQ(settings.fragment_timeout_ns, engine.fragments.timeout_ns);
  EXPECT_EQ(row_of("threads").max, int64_t{kThreadCountMax});
}

TEST(Settings, MemoryLimitIsAGigabyteOrAQuarterOfTheMachine) {
  EXPECT_EQ(SettingLayers(kMachine).effective().memory_limit, uint64_t{1} << 30);
  EXPECT_EQ(SettingLayers(uint64_t{2} << 30).effective().memory_limit, uint64_t{512} << 20);
  EXPECT_EQ(SettingLayers(1 << 20).effective().memory_limit, uint64_t{16} << 20);
}

TEST(Settings, FlowCountFollowsTheMemoryLimit) {
  SettingLayers layers(kMachine);
  std::string error;
  ASSERT_TRUE(layers.set_flag(row_of("memory.limit"), "64M", error)) << error;
  EXPECT_EQ(layers.effective().flow_count_max, (48u << 20) / kFlowMemorySize);
  ASSERT_TRUE(layers.set_flag(row_of("memory.limit"), "16T", error)) << error;
  EXPECT_EQ(layers.effective().flow_count_max, 100'000'000u);
  ASSERT_TRUE(layers.set_flag(row_of("flow.max"), "7", error)) << error;
  EXPECT_EQ(layers.effective().flow_count_max, 7u);
}

TEST(Settings, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  const char* const variables[] = {"WEIR_FLOW_TIMEOUT_UDP=20s", "WEIR_FLOW_TIMEOUT_ICMP=21s"};
  SettingLayers layers(kMachine);
  std::string error;
  ASSERT_TRUE(layers.set_flag(row_of("flow.timeout.icmp"), "31s", error)) << error;
  ASSERT_TRUE(layers.read_environment(variables, error)) << error;
  ASSERT_TRUE(layers.read_text("weir.toml",
                               "[flow.timeout]\ntcp = '10s'\nudp = '11s'\nicmp = '12s'\n", error))
      << error;
  const Timeouts timeouts = layers.effective().timeouts;
  const auto new_timeout = [&](FlowFamily family) {
    return timeouts.idle_ns[static_cast<size_t>(family)][0] / kSecondNs;
  };
  EXPECT_EQ(new_timeout(FlowFamily::kTcp), 10);
  EXPECT_EQ(new_timeout(FlowFamily::kUdp), 20);
  EXPECT_EQ(new_timeout(FlowFamily::kIcmp), 31);
  EXPECT_EQ(new_timeout(FlowFamily::kOther), 60);
}

TEST(Settings, AStateFollowsItsFamilyUnlessItIsSet) {
  SettingLayers layers(kMachine);
  std::string error;
  ASSERT_TRUE(layers.read_text("weir.toml", "flow.timeout.tcp_new = '7s'", error)) << error;
  ASSERT_TRUE(layers.set_flag(row_of("flow.timeout.tcp"), "90s", error)) << error;
  const auto tcp = layers.effective().timeouts.idle_ns[static_cast<size_t>(FlowFamily::kTcp)];
  EXPECT_EQ(tcp[static_cast<size_t>(FlowState::kNew)], 7 * kSecondNs);
  EXPECT_EQ(tcp[static_cast<size_t>(FlowState::kEstablished)], 90 * kSecondNs);
  EXPECT_EQ(tcp[static_cast<size_t>(FlowState::kClosing)], 90 * kSecondNs);
  EXPECT_EQ(tcp[static_cast<size_t>(FlowState::kClosed)], 10 * kSecondNs);
}

TEST(Settings, UnderstandsEveryUnit) {
  const std::pair<const char*, int64_t> durations[] = {{"0", 0},
                                                       {"5ns", 5},
                                                       {"6us", 6'000},
                                                       {"250ms", 250'000'000},
                                                       {"90s", 90 * kSecondNs},
                                                       {"60m", 3600 * kSecondNs},
                                                       {"1h", 3600 * kSecondNs},
                                                       {"007s", 7 * kSecondNs}};
  std::string error;
  int64_t value = 0;
  for (const auto& [text, expected] : durations) {
    EXPECT_TRUE(parse_setting(row_of("flow.timeout.tcp"), text, value, error)) << text << error;
    EXPECT_EQ(value, expected) << text;
  }
  const std::pair<const char*, int64_t> sizes[] = {{"16777216", 16 << 20},
                                                   {"16384K", 16 << 20},
                                                   {"16M", 16 << 20},
                                                   {"1G", 1 << 30},
                                                   {"1T", int64_t{1} << 40}};
  for (const auto& [text, expected] : sizes) {
    EXPECT_TRUE(parse_setting(row_of("memory.limit"), text, value, error)) << text << error;
    EXPECT_EQ(value, expected) << text;
  }
}

// What is printed can be read again and says the same; every row is in it.
TEST(Settings, TheEffectiveConfigurationIsAConfiguration) {
  SettingLayers first(kMachine);
  std::string error;
  ASSERT_TRUE(first.read_text("a\nb.toml",
                              "threads = 3\n[flow]\nzone = 'vlan'\n[flow.timeout]\ntcp = '1500ms'\n"
                              "tcp_new = 0\n[memory]\nlimit = 99999999\n[read]\nstrict = true\n",
                              error))
      << error;
  const std::string printed = first.to_toml();
  SettingLayers second(kMachine);
  ASSERT_TRUE(second.read_text("b.toml", printed, error)) << error << "\n" << printed;
  for (const SettingRow& row : setting_rows()) {
    const std::string name(row.key.substr(row.key.rfind('.') + 1));
    EXPECT_NE(printed.find(name + " = "), std::string::npos) << row.key;
  }
  const Settings x = first.effective();
  const Settings y = second.effective();
  EXPECT_EQ(x.memory_limit, y.memory_limit);
  EXPECT_EQ(x.thread_count, y.thread_count);
  EXPECT_EQ(x.zone, y.zone);
  EXPECT_EQ(x.flow_count_max, y.flow_count_max);
  EXPECT_EQ(x.timeouts.idle_ns, y.timeouts.idle_ns);
  EXPECT_EQ(x.is_strict, y.is_strict);
  EXPECT_NE(printed.find("zone = \"vlan\"  # a\\nb.toml"), std::string::npos) << printed;
  EXPECT_NE(printed.find("# tcp_active = \"1500ms\"  # follows flow.timeout.tcp"),
            std::string::npos);
}

TEST(Settings, TheTableIsConsistent) {
  std::set<std::string> names;
  for (const SettingRow& row : setting_rows()) {
    EXPECT_TRUE(names.insert(std::string(row.key)).second) << row.key;
    EXPECT_TRUE(names.insert(environment_name(row)).second) << row.key;
    EXPECT_TRUE(row.flag.empty() || names.insert(std::string(row.flag)).second) << row.flag;
    EXPECT_TRUE(row.help.ends_with('.')) << row.key;
    int64_t value = 0;
    std::string error;
    EXPECT_TRUE(row.preset.empty() || parse_setting(row, row.preset, value, error)) << row.key;
    if (!row.follows.empty()) {
      EXPECT_LT(&row_of(row.follows), &row) << row.key;
    }
  }
}

}  // namespace
}  // namespace weir
