// SPDX-License-Identifier: Apache-2.0
//
// docs/formats/filter.md says only what is true: its examples are filters, its errors the errors.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "filter/filter.h"
#include "tests/support/filter_catalog.h"

namespace weir {
namespace {

std::vector<std::string> lines_of_page() {
  std::vector<std::string> lines;
  const char* folder = std::getenv("WEIR_SOURCE_DIR");
  if (folder == nullptr) return lines;
  std::ifstream page(std::string(folder) + "/docs/formats/filter.md");
  for (std::string line; std::getline(page, line);) lines.push_back(line);
  return lines;
}

std::string error_of(std::string_view text) {
  FilterError error;
  if (parse_filter(text, test::filter_test_catalog(), {.reference_ns = 0}, error)) return "none";
  return std::to_string(error.column) + ": " + error.message;
}

TEST(FilterPage, ExamplesAreFilters) {
  const std::vector<std::string> lines = lines_of_page();
  if (lines.empty()) GTEST_SKIP() << "WEIR_SOURCE_DIR is not set (ctest sets it)";
  size_t example_count = 0;
  bool is_example = false;
  for (const std::string& line : lines) {
    if (line.starts_with("```")) {
      is_example = line == "```filter";
    } else if (is_example) {
      EXPECT_EQ(error_of(line), "none") << line;
      ++example_count;
    }
  }
  EXPECT_GT(example_count, 10u);
}

TEST(FilterPage, ErrorsAreTheErrors) {
  const std::vector<std::string> lines = lines_of_page();
  if (lines.empty()) GTEST_SKIP() << "WEIR_SOURCE_DIR is not set (ctest sets it)";
  const auto heading = std::ranges::find(lines, "| Expression | Error |");
  ASSERT_NE(heading, lines.end());
  size_t row_count = 0;
  for (auto line = heading + 2; line != lines.end() && line->starts_with("| `"); ++line) {
    const size_t end = line->find("` | ");
    ASSERT_NE(end, std::string::npos);
    const std::string expected = line->substr(end + 4, line->size() - end - 6);
    EXPECT_EQ(error_of(line->substr(3, end - 3)), expected);
    ++row_count;
  }
  EXPECT_GE(row_count, 4u);
}

}  // namespace
}  // namespace weir
