// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocols/text_lines.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace weir {
namespace {

std::vector<uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}
std::string string_of(WireText text) {
  return {text.begin(), text.end()};
}

TEST(TextLines, LinesArePiecesAtAnyCut) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    std::vector<std::string> expected;
    for (size_t line = 0; line < 20; ++line) {
      const std::string content(random() % 30, 'a');
      expected.push_back(content.substr(0, 16));
      text += content + (random() % 2 == 0 ? "\r\n" : "\n");
      // A '\r' where a line is cut is not its end yet.
      if (content.size() >= 15) expected.back() = content.substr(0, 16);
    }
    std::vector<std::string> found;
    LineSearch search{};
    std::vector<uint8_t> waiting;
    for (size_t at = 0; at < text.size();) {
      const size_t size = std::min<size_t>(1 + random() % 9, text.size() - at);
      waiting.insert(waiting.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                     text.begin() + static_cast<std::ptrdiff_t>(at + size));
      at += size;
      WireText rest = waiting;
      WireText line;
      while (search.take_line(rest, 18, line)) found.push_back(string_of(line).substr(0, 16));
      waiting = std::vector<uint8_t>(rest.begin(), rest.end());
    }
    EXPECT_EQ(found, expected);
  }
}

TEST(TextLines, RepliesAreThreeDigits) {
  const auto reply = [](std::string_view line) {
    static std::vector<uint8_t> bytes;
    bytes = bytes_of(line);
    return read_reply_line(bytes);
  };
  EXPECT_EQ(reply("220 hello").code, 220);
  EXPECT_TRUE(reply("220 hello").is_last);
  EXPECT_FALSE(reply("220-hello").is_last);
  EXPECT_EQ(string_of(reply("220-hello").text), "hello");
  EXPECT_EQ(reply("250").code, 250);
  for (const char* line : {"", "22", "2200 x", "22a x", "099 x", "700 x", "220:x"})
    EXPECT_EQ(reply(line).code, 0) << line;
}

}  // namespace
}  // namespace weir
