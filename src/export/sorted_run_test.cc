// SPDX-License-Identifier: Apache-2.0
#include "export/sorted_run.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace weir {
namespace {

TEST(SortedRun, ReturnsWhatWasAppended) {
  std::string error;
  SortedRun run;
  ASSERT_TRUE(run.create(testing::TempDir(), error)) << error;
  for (int index = 0; index < 5000; ++index) {
    const std::string record(static_cast<size_t>(index) % 300, 'r');
    ASSERT_TRUE(run.append(std::to_string(index), record, error)) << error;
  }
  ASSERT_TRUE(
      run.append(std::string(kRunItemSizeMax, 'k'), std::string(kRunItemSizeMax, 'r'), error));
  ASSERT_TRUE(run.rewind(error));
  SortedRun moved = std::move(run);
  for (int index = 0; index < 5000; ++index) {
    ASSERT_TRUE(moved.next(error)) << error;
    ASSERT_EQ(moved.key(), std::to_string(index));
    ASSERT_EQ(moved.record().size(), static_cast<size_t>(index) % 300);
  }
  ASSERT_TRUE(moved.next(error));
  EXPECT_EQ(moved.key().size(), kRunItemSizeMax);
  EXPECT_EQ(moved.record().size(), kRunItemSizeMax);
  EXPECT_FALSE(moved.next(error));
  EXPECT_EQ(error, "") << "the end is not an error";
}

TEST(SortedRun, LeavesNoFileBehind) {
  std::string folder = testing::TempDir() + "weir-run-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::string error;
  SortedRun run;
  ASSERT_TRUE(run.create(folder, error)) << error;
  EXPECT_TRUE(run.append("key", "record", error));
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

TEST(SortedRun, ReportsAFullDiskAsOneLine) {
  std::string error;
  SortedRun run;
  run.adopt(::open("/dev/full", O_RDWR), "/somewhere");
  bool is_good = true;
  for (int index = 0; is_good && index < 10'000; ++index)
    is_good = run.append("key", "record", error);
  EXPECT_FALSE(is_good);
  EXPECT_EQ(error, "cannot write a temporary file in /somewhere: no space left on device");
}

TEST(SortedRun, ReportsAMissingFolder) {
  std::string error;
  SortedRun run;
  EXPECT_FALSE(run.create("/nonexistent-folder", error));
  EXPECT_EQ(error,
            "cannot create a temporary file in /nonexistent-folder: no such file or directory");
}

TEST(SortedRun, ReportsAFileThatWasCut) {
  std::string error;
  SortedRun run;
  std::string path = testing::TempDir() + "weir-cut-XXXXXX";
  const int fd = ::mkstemp(path.data());
  ::unlink(path.c_str());
  run.adopt(fd, "/somewhere");
  ASSERT_TRUE(run.append("key", "record", error));
  ASSERT_TRUE(run.rewind(error));
  ASSERT_EQ(::ftruncate(fd, 12), 0);
  EXPECT_FALSE(run.next(error));
  EXPECT_EQ(error, "cannot read a temporary file in /somewhere: it ends too early");
}

}  // namespace
}  // namespace weir
