// SPDX-License-Identifier: Apache-2.0
#include "dpi/services.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace weir {
namespace {

Catalog catalog_of(const std::vector<Service>& services) {
  CatalogBuilder builder;
  for (const Service& service : services) builder.add(service);
  return builder.freeze();
}

std::string_view service_of(const Catalog& catalog, std::string_view host) {
  return catalog.service_name(catalog.service_of(host));
}

TEST(BuiltInServices, AreManyAndWellFormed) {
  const std::vector<Service> services = built_in_services();
  EXPECT_GE(services.size(), 300u);
  std::set<std::string> categories;
  for (const ServiceCategory& category : service_categories()) {
    EXPECT_TRUE(is_service_name(category.name)) << category.name;
    EXPECT_TRUE(categories.emplace(category.name).second) << category.name;
  }
  std::set<std::string> names;
  for (const Service& service : services) {
    EXPECT_TRUE(is_service_name(service.name)) << service.name;
    EXPECT_TRUE(names.insert(service.name).second) << service.name << " is there twice";
    EXPECT_TRUE(categories.contains(service.category)) << service.name;
    EXPECT_FALSE(service.domains.empty()) << service.name;
    EXPECT_LE(service.domains.size(), kServiceDomainCountMax) << service.name;
  }
}

// A domain below another of the same service would say nothing new.
TEST(BuiltInServices, HaveEachDomainOnce) {
  std::map<std::string, std::string, std::less<>> owners;
  for (const Service& service : built_in_services()) {
    for (const std::string& domain : service.domains) {
      EXPECT_TRUE(is_service_domain(domain)) << domain;
      EXPECT_TRUE(owners.emplace(domain, service.name).second) << domain << " is there twice";
    }
  }
  for (const auto& [domain, owner] : owners) {
    std::string_view above = domain;
    for (size_t dot = above.find('.'); dot != std::string_view::npos; dot = above.find('.')) {
      above.remove_prefix(dot + 1);
      const auto found = owners.find(above);
      if (found == owners.end()) continue;
      EXPECT_NE(found->second, owner) << domain << " is below " << above;
      break;
    }
  }
}

TEST(BuiltInServices, ClaimNothingThatRegistriesSell) {
  constexpr std::array kSuffixes = {
      "co.uk",  "org.uk", "ac.uk",  "gov.uk", "nhs.uk", "com.au", "com.br", "gov.br", "co.jp",
      "or.jp",  "ne.jp",  "com.cn", "net.cn", "gov.cn", "co.in",  "gov.in", "co.kr",  "com.mx",
      "com.tr", "co.za",  "com.sg", "com.hk", "com.tw", "co.id",  "co.th",  "gouv.fr"};
  for (const Service& service : built_in_services()) {
    for (const std::string& domain : service.domains) {
      EXPECT_NE(domain.find('.'), std::string::npos) << domain;
      for (const char* suffix : kSuffixes) EXPECT_NE(domain, suffix) << service.name;
    }
  }
}

TEST(BuiltInServices, AreFoundByTheirHosts) {
  const Catalog catalog = catalog_of(built_in_services());
  EXPECT_EQ(service_of(catalog, "r3---sn-4g5e6nz7.googlevideo.com"), "youtube");
  EXPECT_EQ(service_of(catalog, "youtubei.googleapis.com"), "youtube");
  EXPECT_EQ(service_of(catalog, "storage.googleapis.com"), "google-services");
  EXPECT_EQ(service_of(catalog, "mail.google.com"), "gmail");
  EXPECT_EQ(service_of(catalog, "www.google.com"), "google");
  EXPECT_EQ(service_of(catalog, "au.download.windowsupdate.com"), "windows-update");
  EXPECT_EQ(service_of(catalog, "e123.dscb.akamaiedge.net"), "akamai");
  EXPECT_EQ(service_of(catalog, "alexa.amazon.com"), "amazon-alexa");
  EXPECT_EQ(service_of(catalog, "notyoutube.com"), "");
  EXPECT_EQ(service_of(catalog, "youtube.com.example.org"), "");
}

TEST(ServiceCategories, StandInTheirPage) {
  const char* const folder = std::getenv("WEIR_SOURCE_DIR");
  if (folder == nullptr) GTEST_SKIP() << "run by ctest, which says where the sources are";
  std::ifstream file(std::string(folder) + "/docs/formats/services.md");
  std::stringstream page;
  page << file.rdbuf();
  std::string rows;
  for (const ServiceCategory& category : service_categories()) {
    rows.append("| `").append(category.name).append("` | ").append(category.help).append(" |\n");
  }
  EXPECT_TRUE(page.str().ends_with("|---|---|\n" + rows));
}

TEST(ServiceDomain, IsOfLabelsWithinTheirLimits) {
  const std::string label(63, 'a');
  EXPECT_TRUE(is_service_domain("example.com"));
  EXPECT_TRUE(is_service_domain("lan"));
  EXPECT_TRUE(is_service_domain("_dmarc.xn--bcher-kva.example"));
  EXPECT_TRUE(is_service_domain(label + ".com"));
  EXPECT_TRUE(is_service_domain("a.b.c.d.e.f.g.h.i.j"));
  EXPECT_TRUE(is_service_domain(label + "." + label + "." + label + "." + label.substr(2)));
  EXPECT_FALSE(is_service_domain(label + "." + label + "." + label + "." + label.substr(1)));
  for (const std::string& domain :
       {std::string(), std::string("."), std::string(".com"), std::string("com."),
        std::string("a..b"), std::string("A.com"), std::string("*.com"),
        std::string("b\xc3\xbc.de"), std::string("a b"), std::string("a\0b", 3),
        std::string("a.b.c.d.e.f.g.h.i.j.k"), label + "a.com"}) {
    EXPECT_FALSE(is_service_domain(domain)) << domain;
  }
}

class ServiceFileTest : public testing::Test {
 protected:
  ServiceFileTest()
      : path_(testing::TempDir() + "weir_services_test." + std::to_string(getpid()) + ".txt") {}
  ~ServiceFileTest() override { std::filesystem::remove(path_); }

  bool read(std::string_view text) {
    std::ofstream(path_, std::ios::binary) << text;
    error_.clear();
    return read_services(path_, services_, error_);
  }
  void expect_error(std::string_view text, std::string_view message) {
    services_ = {{"video-one", "video", {"one.example"}}};
    EXPECT_FALSE(read(text));
    EXPECT_EQ(error_, path_ + std::string(message));
    ASSERT_EQ(services_.size(), 1u);
    EXPECT_EQ(services_[0].domains, std::vector<std::string>{"one.example"});
  }

  const std::string path_;
  std::vector<Service> services_;
  std::string error_;
};

TEST_F(ServiceFileTest, ReadsLinesOfNameCategoryAndDomains) {
  ASSERT_TRUE(
      read("# ours\n"
           "\n"
           "  wiki\tinternal  wiki.example Wiki.Example.ORG # two\r\n"
           "erp internal erp.example"))
      << error_;
  ASSERT_EQ(services_.size(), 2u);
  EXPECT_EQ(services_[0].name, "wiki");
  EXPECT_EQ(services_[0].category, "internal");
  EXPECT_EQ(services_[0].domains, (std::vector<std::string>{"wiki.example", "wiki.example.org"}));
  EXPECT_EQ(services_[1].domains, std::vector<std::string>{"erp.example"});
}

TEST_F(ServiceFileTest, AnEmptyFileHasNoServices) {
  EXPECT_TRUE(read(""));
  EXPECT_TRUE(read("\n\n"));
  EXPECT_TRUE(read("# nothing"));
  EXPECT_TRUE(services_.empty());
}

TEST_F(ServiceFileTest, WinsOverWhatIsThere) {
  services_ = built_in_services();
  const size_t count = services_.size();
  ASSERT_TRUE(
      read("mail-of-ours internal gmail.com\n"
           "youtube social tube.example youtube.com\n"))
      << error_;
  EXPECT_EQ(services_.size(), count + 1);
  const Catalog catalog = catalog_of(services_);
  EXPECT_EQ(service_of(catalog, "imap.gmail.com"), "mail-of-ours");
  EXPECT_EQ(service_of(catalog, "mail.google.com"), "gmail");
  EXPECT_EQ(service_of(catalog, "www.tube.example"), "youtube");
  EXPECT_EQ(service_of(catalog, "www.youtube.com"), "youtube");
  EXPECT_EQ(service_of(catalog, "i.ytimg.com"), "youtube");
  EXPECT_EQ(catalog.services()[catalog.service_of("youtube.com") - 1u].category, "social");
}

TEST_F(ServiceFileTest, SaysWhatIsWrongAndWhere) {
  expect_error("# x\nTwo video two.example\n",
               ":2: expected a name of lower-case letters, digits and dashes, at most 32, "
               "got \"Two\"");
  expect_error("two vidoe two.example\n",
               ":1: expected a category such as \"video\" (docs/formats/services.md), "
               "got \"vidoe\"");
  expect_error("two\n",
               ":1: expected a category such as \"video\" (docs/formats/services.md), got nothing");
  expect_error("two video\n", ":1: expected one or more domains behind the category, got nothing");
  expect_error("two video *.example\n",
               ":1: expected a domain such as \"example.com\", got \"*.example\"");
  expect_error("two video a.example\n\ntwo video b.example\n",
               ":3: expected \"two\" once, it is in line 1 already");
  expect_error("video-one video a.example\nvideo-one video b.example\n",
               ":2: expected \"video-one\" once, it is in line 1 already");
  expect_error("two video a.example\nthree video A.example\n",
               ":2: expected \"a.example\" once, it is in line 1 already");
  expect_error("two video \x1b[31m.example\n",
               ":1: expected a domain such as \"example.com\", got \"\\u001b[31m.example\"");
}

TEST_F(ServiceFileTest, KeepsItsLimits) {
  std::string line = "two video";
  for (size_t index = 0; index < kServiceDomainCountMax; ++index) {
    line += " a" + std::to_string(index) + ".example";
  }
  EXPECT_TRUE(read(line + "\n")) << error_;
  expect_error(line + " b.example\n",
               ":1: expected at most 64 domains in a line, got \"b.example\"");
  expect_error(std::string(kServiceLineSizeMax + 1, ' '),
               ":1: expected at most 20,000 bytes in a line, got \"more\"");
  services_.clear();
  EXPECT_TRUE(read(std::string(kServiceLineSizeMax, ' '))) << error_;
  EXPECT_TRUE(read(std::string(kServiceLineSizeMax, ' ') + "\n")) << error_;
  std::string text;
  for (size_t index = 0; index < kServiceCountMax; ++index) {
    text += "s" + std::to_string(index) + " other s" + std::to_string(index) + ".example\n";
  }
  EXPECT_TRUE(read(text)) << error_;
  EXPECT_EQ(services_.size(), kServiceCountMax);
  expect_error(text, ":10000: expected at most 10,000 services, got \"s9999\"");
  expect_error(std::string(kServiceLineCountMax + 1, '\n'),
               ":100001: expected at most 100,000 lines, got \"more\"");
}

TEST_F(ServiceFileTest, SaysWhenThereIsNoFile) {
  EXPECT_FALSE(read_services(path_, services_, error_));
  EXPECT_EQ(error_, path_ + ": cannot be read: No such file or directory");
  EXPECT_FALSE(read_services(testing::TempDir(), services_, error_));
  EXPECT_EQ(error_, testing::TempDir() + ": cannot be read: Is a directory");
}

}  // namespace
}  // namespace weir
