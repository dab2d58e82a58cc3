// SPDX-License-Identifier: Apache-2.0
#include "schema/catalog.h"

#include <gtest/gtest.h>

#include "schema/field_docs.h"

namespace weir {
namespace {

void get_nothing(const FlowRecord&, const RecordNames&, Value&) {}

Field row(std::string_view name) {
  return {name,           FieldType::kU64,   Unit::kBytes, "heading",
          "Help | text.", {"1", "", "", ""}, get_nothing};
}

Catalog example() {
  const std::array rows = {row("first_seen"), row("src_ip"), row("dst_ip"), row("state")};
  const std::array more = {row("tls.sni")};
  return CatalogBuilder().add(rows).add(more).freeze();
}

TEST(Catalog, KeepsTheOrderOfTheRows) {
  const Catalog catalog = example();
  ASSERT_EQ(catalog.fields().size(), 5u);
  EXPECT_EQ(catalog.fields()[0].name, "first_seen");
  EXPECT_EQ(catalog.fields()[4].name, "tls.sni");
}

TEST(Catalog, FindsByWholeNameOnly) {
  const Catalog catalog = example();
  ASSERT_NE(catalog.find("src_ip"), nullptr);
  EXPECT_EQ(catalog.find("src_ip")->name, "src_ip");
  EXPECT_EQ(catalog.find("src"), nullptr);
  EXPECT_EQ(catalog.find(""), nullptr);
  EXPECT_EQ(catalog.find("SRC_IP"), nullptr);
}

TEST(Catalog, SuggestsTheNearestName) {
  const Catalog catalog = example();
  EXPECT_EQ(catalog.nearest("scr_ip"), "src_ip");
  EXPECT_EQ(catalog.nearest("dst_ipp"), "dst_ip");
  EXPECT_EQ(catalog.nearest("firstseen"), "first_seen");
  EXPECT_EQ(catalog.nearest("stat"), "state");
  EXPECT_EQ(catalog.nearest("tls_sni"), "tls.sni");
  EXPECT_EQ(catalog.nearest("zebra"), "") << "nothing is near";
  EXPECT_EQ(catalog.nearest(""), "");
  EXPECT_EQ(catalog.nearest(std::string(10'000, 'x')), "");
}

TEST(CatalogDeathTest, RefusesDoubleAndMalformedNames) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::array twice = {row("src_ip"), row("src_ip")};
  EXPECT_DEATH(CatalogBuilder().add(twice), "does not hold");
  for (const char* name : {"", "Src", "_a", "a_", "a..b", "1a", "a b"}) {
    const std::array rows = {row(name)};
    EXPECT_DEATH(CatalogBuilder().add(rows), "is_well_formed") << name;
  }
}

TEST(FieldDocs, WriteOneRowPerField) {
  const std::string page = fields_markdown(example());
  EXPECT_NE(page.find("| `tls.sni` | uint64 | bytes | Help \\| text. | 1 |  |  |  |\n"),
            std::string::npos);
}

}  // namespace
}  // namespace weir
