// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench/capture_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace weir {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kTooMuch = uint64_t{1} << 60;

class CaptureFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "weir_folder_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    place_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(place_); }

  static void write(const std::string& path) { std::ofstream(path) << "x"; }

  std::string place_;
  std::string error_;
};

TEST_F(CaptureFolderTest, NewFolderAndItsCapturesGoAway) {
  std::string path;
  {
    CaptureFolder folder;
    ASSERT_TRUE(folder.create({place_}, 100, error_)) << error_;
    path = folder.path();
    write(folder.path_of("a.pcap"));
    folder.add("a.pcap");
    EXPECT_TRUE(std::filesystem::exists(path + "/a.pcap"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(CaptureFolderTest, KeptOnesStay) {
  std::string path;
  {
    CaptureFolder folder;
    ASSERT_TRUE(folder.create({place_}, 100, error_)) << error_;
    path = folder.path();
    write(folder.path_of("a.pcap"));
    folder.add("a.pcap");
    folder.keep();
  }
  EXPECT_TRUE(std::filesystem::exists(path + "/a.pcap"));
}

TEST_F(CaptureFolderTest, OnlyWhatWasMadeLeavesAFolderOfTheUser) {
  write(place_ + "/mine.pcap");
  {
    CaptureFolder folder;
    ASSERT_TRUE(folder.use(place_, 100, error_)) << error_;
    write(folder.path_of("made.pcap"));
    folder.add("made.pcap");
  }
  EXPECT_TRUE(std::filesystem::exists(place_ + "/mine.pcap"));
  EXPECT_FALSE(std::filesystem::exists(place_ + "/made.pcap"));
}

TEST_F(CaptureFolderTest, TakesTheFirstPlaceThatIsThere) {
  CaptureFolder folder;
  ASSERT_TRUE(folder.create({"/nonexistent", place_}, 100, error_)) << error_;
  EXPECT_TRUE(folder.path().starts_with(place_ + "/weir-bench-"));
}

TEST_F(CaptureFolderTest, OneLineSaysWhereThereIsHowMuchRoom) {
  CaptureFolder folder;
  EXPECT_FALSE(folder.create({"/nonexistent", place_}, kTooMuch, error_));
  EXPECT_THAT(error_, HasSubstr("/nonexistent has no such file or directory, "));
  EXPECT_THAT(error_, HasSubstr(place_ + " has room for "));
  EXPECT_THAT(error_, HasSubstr("--folder"));
  EXPECT_EQ(error_.find('\n'), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(place_));

  error_.clear();
  EXPECT_FALSE(folder.use(place_, kTooMuch, error_));
  EXPECT_THAT(error_, HasSubstr(place_ + ": expected room for "));
  EXPECT_FALSE(folder.use("/nonexistent", 1, error_));
  EXPECT_EQ(error_, "/nonexistent: no such file or directory");
}

}  // namespace
}  // namespace weir
