// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <vector>

namespace weir {
namespace {

constexpr int64_t kSecondsNs = 1'000'000'000;
constexpr int64_t kStartNs = 1'700'000'000 * kSecondsNs;  // 2023-11-14T22:13:20Z

// A log that writes to an unlinked file, with a clock the test moves.
class LogFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/weir_log_test_XXXXXX";
    descriptor_ = mkstemp(path);
    ASSERT_GE(descriptor_, 0);
    unlink(path);
  }
  void TearDown() override { close(descriptor_); }

  LogOptions options(LogFormat format) {
    LogOptions result;
    result.level = LogLevel::kDebug;
    result.format = format;
    result.descriptor = descriptor_;
    result.burst = 1'000'000;
    result.now_ns = [this] { return now_ns_; };
    return result;
  }

  std::string written() const {
    std::string text(static_cast<size_t>(lseek(descriptor_, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(descriptor_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> result;
    std::string rest = written();
    while (!rest.empty()) {
      const size_t end = rest.find('\n');
      EXPECT_NE(end, std::string::npos) << "the last line has no end";
      result.push_back(rest.substr(0, end));
      rest.erase(0, end == std::string::npos ? end : end + 1);
    }
    return result;
  }

  int descriptor_ = -1;
  int64_t now_ns_ = kStartNs;
};

// A strict reader of one JSON string (RFC 8259 section 7): true when `text` at `position` is one,
// which is skipped.
bool skip_json_string(std::string_view text, size_t& position) {
  if (position >= text.size() || text[position] != '"') return false;
  for (++position; position < text.size(); ++position) {
    const unsigned char letter = static_cast<unsigned char>(text[position]);
    if (letter == '"') return ++position, true;
    if (letter < 0x20) return false;
    if (letter != '\\') continue;
    if (++position >= text.size()) return false;
    if (text[position] == 'u') {
      if (position + 4 >= text.size()) return false;
      for (int digit = 0; digit < 4; ++digit) {
        if (!isxdigit(static_cast<unsigned char>(text[++position]))) return false;
      }
    } else if (std::string_view("\"\\/bfnrt").find(text[position]) == std::string_view::npos) {
      return false;
    }
  }
  return false;
}

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const unsigned char first = static_cast<unsigned char>(text[i]);
    const size_t size = first < 0x80   ? 1
                        : first < 0xc2 ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                        : first < 0xf5 ? 4
                                       : 0;
    if (size == 0 || i + size > text.size()) return false;
    for (size_t k = 1; k < size; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    i += size;
  }
  return true;
}

// An object of strings, numbers and booleans, as the log writes it, with nothing after it.
bool is_strict_json_object(std::string_view text) {
  if (!is_utf8(text) || text.empty() || text[0] != '{') return false;
  size_t position = 1;
  while (true) {
    if (!skip_json_string(text, position)) return false;
    if (position >= text.size() || text[position++] != ':') return false;
    if (position >= text.size()) return false;
    if (text[position] == '"') {
      if (!skip_json_string(text, position)) return false;
    } else {
      const size_t end = text.find_first_of(",}", position);
      if (end == std::string_view::npos || end == position) return false;
      position = end;
    }
    if (position >= text.size()) return false;
    if (text[position] == '}') return position + 1 == text.size();
    if (text[position++] != ',') return false;
  }
}

TEST_F(LogFixture, WritesATextLine) {
  Log log(options(LogFormat::kText));
  log.write(LogLevel::kWarn, "capture", "file damaged",
            {{"file", "/tmp/x.pcap"}, {"byte", uint64_t{4096}}, {"left", -1}, {"kept", true}});
  EXPECT_EQ(written(),
            "2023-11-14T22:13:20.000000000Z warn capture: file damaged file=/tmp/x.pcap byte=4096 "
            "left=-1 kept=true\n");
}

TEST_F(LogFixture, WritesAJsonLine) {
  Log log(options(LogFormat::kJson));
  log.write(LogLevel::kError, "capture", "file damaged",
            {{"file", "a b"}, {"byte", uint64_t{4096}}, {"left", -1}, {"kept", false}});
  EXPECT_EQ(
      written(),
      "{\"time\":\"2023-11-14T22:13:20.000000000Z\",\"level\":\"error\",\"component\":\"capture\","
      "\"message\":\"file damaged\",\"file\":\"a b\",\"byte\":4096,\"left\":-1,\"kept\":false}\n");
}

TEST_F(LogFixture, DropsWhatIsBelowTheLevel) {
  LogOptions chosen = options(LogFormat::kText);
  chosen.level = LogLevel::kError;
  Log log(chosen);
  log.write(LogLevel::kWarn, "a", "not this");
  log.write(LogLevel::kError, "a", "this");
  log.write(LogLevel::kOff, "a", "off is no level of a message");
  EXPECT_EQ(lines().size(), 1u);
}

TEST_F(LogFixture, WritesNothingWhenOff) {
  LogOptions chosen = options(LogFormat::kText);
  chosen.level = LogLevel::kOff;
  Log log(chosen);
  log.write(LogLevel::kError, "a", "nothing");
  EXPECT_EQ(written(), "");
}

TEST_F(LogFixture, AValueCannotForgeALineOrAPair) {
  Log log(options(LogFormat::kText));
  log.write(LogLevel::kWarn, "a", "b", {{"name", "x\n2023 error forged: y admin=true"}});
  log.write(LogLevel::kWarn, "a", "b", {{"name", "x\" admin=\"true"}});
  log.write(LogLevel::kWarn, "a", "b", {{"name", ""}});
  const std::vector<std::string> result = lines();
  ASSERT_EQ(result.size(), 3u);
  EXPECT_TRUE(result[0].ends_with("name=\"x\\n2023 error forged: y admin=true\"")) << result[0];
  EXPECT_TRUE(result[1].ends_with("name=\"x\\\" admin=\\\"true\"")) << result[1];
  EXPECT_TRUE(result[2].ends_with("name=\"\"")) << result[2];
}

// Every byte alone, between letters, and in every place of the line that takes text.
TEST_F(LogFixture, EveryByteGivesStrictJsonOnOneLine) {
  Log log(options(LogFormat::kJson));
  for (int byte = 0; byte < 256; ++byte) {
    const std::string alone(1, static_cast<char>(byte));
    const std::string between = "a" + alone + "z";
    log.write(LogLevel::kWarn, alone, between, {{"value", alone}, {between, between}});
  }
  const std::vector<std::string> result = lines();
  ASSERT_EQ(result.size(), 256u);
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_TRUE(is_strict_json_object(result[static_cast<size_t>(byte)])) << byte;
  }
}

TEST_F(LogFixture, EveryByteGivesOneTextLineWithoutControls) {
  Log log(options(LogFormat::kText));
  for (int byte = 0; byte < 256; ++byte) {
    const std::string alone(1, static_cast<char>(byte));
    log.write(LogLevel::kWarn, alone, alone, {{alone, alone}});
  }
  const std::vector<std::string> result = lines();
  ASSERT_EQ(result.size(), 256u);
  for (const std::string& line : result) {
    EXPECT_TRUE(is_utf8(line));
    for (char letter : line) EXPECT_GE(static_cast<unsigned char>(letter), 0x20) << line;
  }
}

TEST_F(LogFixture, CutsLongValuesAtACharacter) {
  Log log(options(LogFormat::kText));
  std::string umlauts = "x";
  for (size_t i = 0; i < kLogValueSizeMax; ++i) umlauts += "ä";
  log.write(LogLevel::kWarn, "a", "b", {{"value", umlauts}});
  const std::string line = lines().at(0);
  EXPECT_LT(line.size(), kLogValueSizeMax + 80);
  EXPECT_TRUE(line.ends_with("ä…\"")) << line;
}

TEST_F(LogFixture, LimitsTheRateOfOneSiteAndSaysHowManyWereSuppressed) {
  LogOptions chosen = options(LogFormat::kText);
  chosen.burst = 3;
  chosen.interval_ns = 10 * kSecondsNs;
  Log log(chosen);
  const auto flood = [&](int count) {
    for (int i = 0; i < count; ++i) log.write(LogLevel::kInfo, "a", "flood");
  };
  flood(100);
  EXPECT_EQ(lines().size(), 3u);
  log.write(LogLevel::kInfo, "a", "another site is not affected");
  EXPECT_EQ(lines().size(), 4u);

  now_ns_ += 10 * kSecondsNs;
  flood(1);
  const std::vector<std::string> result = lines();
  ASSERT_EQ(result.size(), 6u);
  EXPECT_NE(result[4].find(
                "info a: similar lines were suppressed suppressed=97 site=src/base/log_test.cc:"),
            std::string::npos)
      << result[4];
  EXPECT_NE(result[5].find("flood"), std::string::npos);
}

TEST_F(LogFixture, FlushSaysWhatWasSuppressedOnce) {
  LogOptions chosen = options(LogFormat::kJson);
  chosen.burst = 1;
  Log log(chosen);
  for (int i = 0; i < 5; ++i) log.write(LogLevel::kInfo, "a", "flood");
  log.flush();
  log.flush();
  const std::vector<std::string> result = lines();
  ASSERT_EQ(result.size(), 2u);
  EXPECT_NE(result[1].find("\"suppressed\":4"), std::string::npos) << result[1];
}

TEST_F(LogFixture, AClockThatStepsBackDoesNotSilenceASite) {
  LogOptions chosen = options(LogFormat::kText);
  chosen.burst = 1;
  Log log(chosen);
  for (int i = 0; i < 3; ++i) {
    log.write(LogLevel::kInfo, "a", "b");
    now_ns_ -= 3600 * kSecondsNs;
  }
  EXPECT_EQ(lines().size(), 3u);
}

TEST_F(LogFixture, ThreadsDoNotMixLines) {
  Log log(options(LogFormat::kJson));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&log, thread] {
      for (int i = 0; i < 200; ++i) log.write(LogLevel::kInfo, "a", "b", {{"t", thread}, {"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<std::string> result = lines();
  EXPECT_EQ(result.size(), 800u);
  for (const std::string& line : result) EXPECT_TRUE(is_strict_json_object(line)) << line;
}

TEST(Log, CountsLinesThatCannotBeWritten) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  LogOptions options;
  options.descriptor = ends[1];
  {
    Log log(options);
    log.write(LogLevel::kError, "a", "nobody reads this");
    EXPECT_EQ(log.lost_line_count(), 1u);
  }
  close(ends[1]);
  Log log(options);  // The descriptor is closed now.
  log.write(LogLevel::kError, "a", "nor this");
  EXPECT_EQ(log.lost_line_count(), 1u);
}

TEST(Log, SurvivesAFullDisk) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) GTEST_SKIP() << "no /dev/full here";
  LogOptions options;
  options.descriptor = full;
  Log log(options);
  log.write(LogLevel::kError, "a", "b");
  EXPECT_EQ(log.lost_line_count(), 1u);
  close(full);
}

}  // namespace
}  // namespace weir
