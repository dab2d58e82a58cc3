// SPDX-License-Identifier: Apache-2.0
#include "weir/catalog.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

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

Catalog with_services() {
  return CatalogBuilder()
      .add(Service{"google", "search", {"google.com", "g.co"}})
      .add(Service{"gmail", "mail", {"mail.google.com"}})
      .add(Service{"lan", "other", {"lan"}})
      .add(Service{"deep", "other", {"a.b.c.d.example"}})
      .freeze();
}

std::string_view service_of(const Catalog& catalog, std::string_view host) {
  return catalog.service_name(catalog.service_of(host));
}

TEST(Service, IsThatOfTheLongestDomain) {
  const Catalog catalog = with_services();
  EXPECT_EQ(service_of(catalog, "google.com"), "google");
  EXPECT_EQ(service_of(catalog, "www.google.com"), "google");
  EXPECT_EQ(service_of(catalog, "mail.google.com"), "gmail");
  EXPECT_EQ(service_of(catalog, "imap.mail.google.com"), "gmail");
  EXPECT_EQ(service_of(catalog, "a.b.c.d.example"), "deep");
  EXPECT_EQ(service_of(catalog, "x.a.b.c.d.example"), "deep");
  EXPECT_EQ(service_of(catalog, "b.c.d.example"), "");
}

TEST(Service, BeginsAtTheBorderOfALabel) {
  const Catalog catalog = with_services();
  EXPECT_EQ(service_of(catalog, "notgoogle.com"), "");
  EXPECT_EQ(service_of(catalog, "xmail.google.com"), "google");
  EXPECT_EQ(service_of(catalog, "xa.b.c.d.example"), "");
  EXPECT_EQ(service_of(catalog, "wlan"), "");
  EXPECT_EQ(service_of(catalog, "printer.lan"), "lan");
  EXPECT_EQ(service_of(catalog, "google.com.example.org"), "");
  EXPECT_EQ(service_of(catalog, "com"), "");
}

TEST(Service, HasNoCaseAndMayEndInADot) {
  const Catalog catalog = with_services();
  EXPECT_EQ(service_of(catalog, "WWW.Google.COM"), "google");
  EXPECT_EQ(service_of(catalog, "www.google.com."), "google");
  EXPECT_EQ(service_of(catalog, "www.google.com.."), "");
}

TEST(Service, IsFoundInAnyNameThatIsNotTooLong) {
  const Catalog catalog = with_services();
  const std::string end = ".mail.google.com";
  std::string labels;
  for (int label = 0; label < 100; ++label) labels += label == 0 ? "x" : ".x";
  EXPECT_EQ(service_of(catalog, labels + end), "gmail") << "labels in front hide nothing";
  EXPECT_EQ(service_of(catalog, std::string(255 - end.size(), 'x') + end), "gmail");
  EXPECT_EQ(service_of(catalog, std::string(255 - end.size(), 'x') + end + "."), "gmail");
  EXPECT_EQ(service_of(catalog, std::string(256 - end.size(), 'x') + end), "");
  EXPECT_EQ(service_of(catalog, std::string(100'000, '.')), "");
}

TEST(Service, IsNoneOfNamesThatAreNone) {
  const Catalog catalog = with_services();
  for (const std::string& host :
       {std::string(), std::string("."), std::string(".."), std::string("\0google.com", 11),
        std::string("google\0com", 10)}) {
    EXPECT_EQ(service_of(catalog, host), "");
  }
  EXPECT_EQ(service_of(catalog, ".google.com"), "google");
  EXPECT_EQ(service_of(catalog, "a..google.com"), "google");
  EXPECT_EQ(service_of(catalog, "\xff\xfe.google.com"), "google");
  EXPECT_EQ(CatalogBuilder().freeze().service_of("google.com"), kNoService);
}

TEST(Service, OfADomainThatTwoClaimIsTheLastOne) {
  const Catalog catalog = CatalogBuilder()
                              .add(Service{"first", "other", {"one.example", "two.example"}})
                              .add(Service{"second", "other", {"two.example"}})
                              .freeze();
  EXPECT_EQ(service_of(catalog, "one.example"), "first");
  EXPECT_EQ(service_of(catalog, "two.example"), "second");
}

// The model tries every beginning of a label of every name, of an alphabet so small that most names
// end in several domains.
TEST(Service, AgreesWithANaiveModel) {
  constexpr uint64_t kSeed = 20261120;
  std::mt19937_64 random(kSeed);
  const auto random_name = [&](size_t label_count_max) {
    std::string name;
    const size_t label_count = 1 + random() % label_count_max;
    for (size_t label = 0; label < label_count; ++label) {
      if (label > 0) name.push_back('.');
      const size_t size = 1 + random() % 2;
      for (size_t index = 0; index < size; ++index) {
        name.push_back(static_cast<char>('a' + random() % 2));
      }
    }
    return name;
  };
  for (int round = 0; round < 50; ++round) {
    std::map<std::string, uint16_t> model;
    CatalogBuilder builder;
    const size_t service_count = random() % 40;
    for (size_t service = 1; service <= service_count; ++service) {
      const std::string domain = random_name(4);
      model[domain] = static_cast<uint16_t>(service);
      builder.add(Service{"x", "other", {domain}});
    }
    const Catalog catalog = builder.freeze();
    for (int packet = 0; packet < 500; ++packet) {
      const std::string host = random_name(7);
      uint16_t expected = kNoService;
      for (size_t begin = host.size(); begin-- > 0;) {
        if (begin > 0 && host[begin - 1] != '.') continue;
        const auto found = model.find(host.substr(begin));
        if (found != model.end()) expected = found->second;
      }
      ASSERT_EQ(catalog.service_of(host), expected) << host << " seed " << kSeed;
    }
  }
}

TEST(FieldDocs, WriteOneRowPerField) {
  const std::string page = fields_markdown(example());
  EXPECT_NE(page.find("| `tls.sni` | uint64 | bytes | Help \\| text. | 1 |  |  |  |\n"),
            std::string::npos);
}

}  // namespace
}  // namespace weir
