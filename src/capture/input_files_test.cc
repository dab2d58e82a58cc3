// SPDX-License-Identifier: Apache-2.0
#include "capture/input_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/capture_writer.h"
#include "tests/support/compress.h"

namespace weir {
namespace {

using test::Bytes;
using test::Codec;
using test::PcapngWriter;
using test::PcapWriter;

class InputFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir_inputs_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    pcap_ = PcapWriter(std::endian::little).bytes();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string write(const std::string& name, const Bytes& bytes) {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream out(path(name), std::ios::binary);
    for (const uint8_t byte : bytes) out.put(static_cast<char>(byte));
    return path(name);
  }
  InputFiles expand(const std::vector<std::string>& paths) {
    InputFiles files;
    std::string error;
    EXPECT_TRUE(expand_inputs(paths, files, error)) << error;
    return files;
  }
  std::vector<std::string> paths(const std::vector<std::string>& names) const {
    std::vector<std::string> result;
    for (const std::string& name : names) result.push_back(path(name));
    return result;
  }

  std::string folder_;
  Bytes pcap_;
};

TEST_F(InputFilesTest, ArgumentsThatAreNoFoldersStayAsTheyAre) {
  const std::string fifo = path("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const std::vector<std::string> given = {path("missing"),      "-", fifo,
                                          write("text", {'x'}), "-", path("missing")};
  const InputFiles files = expand(given);
  EXPECT_EQ(files.files, given);
  EXPECT_TRUE(files.folders.empty());
}

TEST_F(InputFilesTest, FolderStandsForItsCapturesInOrderOfTheirBytes) {
  PcapngWriter pcapng(std::endian::big);
  pcapng.section();
  write("d/b.txt", pcapng.bytes());
  write("d/a/z.pcap", pcap_);
  write("d/a/inner/y", test::compress(Codec::kXz, pcap_));
  write("d/a.gz", test::compress(Codec::kGzip, pcap_));
  write("d/B", pcap_);
  write("d/\xff", pcap_);
  write("first", pcap_);
  const InputFiles files = expand({path("first"), path("d"), path("first")});
  EXPECT_EQ(files.files, paths({"first", "d/B", "d/a/inner/y", "d/a/z.pcap", "d/a.gz", "d/b.txt",
                                "d/\xff", "first"}));
  ASSERT_EQ(files.folders.size(), 1u);
  EXPECT_EQ(files.folders[0].path, path("d"));
  EXPECT_EQ(files.folders[0].taken_count, 6u);
  EXPECT_TRUE(files.folders[0].skipped.empty());
  EXPECT_EQ(expand({path("d/")}).files.at(0), path("d/B"));
}

TEST_F(InputFilesTest, WhatIsSkippedHasAReason) {
  write("d/.hidden", pcap_);
  write("d/.git/x", pcap_);
  write("d/empty", {});
  write("d/notes.txt", {'h', 'e', 'l', 'l', 'o'});
  write("d/notes.gz", test::compress(Codec::kGzip, {'h', 'e', 'l', 'l', 'o'}));
  write("d/twice.gz", test::compress(Codec::kGzip, test::compress(Codec::kZstd, pcap_)));
  Bytes cut = test::compress(Codec::kGzip, pcap_);
  cut.resize(12);
  write("d/cut.gz", cut);
  ASSERT_EQ(mkfifo(path("d/fifo").c_str(), 0600), 0);
  std::filesystem::create_symlink("nowhere", path("d/link"));
  const InputFiles files = expand({path("d")});
  EXPECT_TRUE(files.files.empty());
  ASSERT_EQ(files.folders.size(), 1u);
  const std::vector<SkippedPath> expected = {
      {path("d/.git"), "is hidden"},
      {path("d/.hidden"), "is hidden"},
      {path("d/cut.gz"), "compressed byte 12: gzip: cut short"},
      {path("d/empty"), "is empty, not a capture file"},
      {path("d/fifo"), "is not a regular file"},
      {path("d/link"), "no such file or directory"},
      {path("d/notes.gz"),
       "not a pcap, pcapng or snoop capture: inside gzip, it begins with 68 65 6c 6c"},
      {path("d/notes.txt"), "not a pcap, pcapng or snoop capture: it begins with 68 65 6c 6c"},
      {path("d/twice.gz"), "not a capture: compressed with zstd inside gzip; decompress it first"}};
  ASSERT_EQ(files.folders[0].skipped.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(files.folders[0].skipped[i].path, expected[i].path);
    EXPECT_EQ(files.folders[0].skipped[i].reason, expected[i].reason);
  }
}

// A capture that is damaged behind its first bytes is taken: reading it says where.
TEST_F(InputFilesTest, DamagedCaptureIsTaken) {
  Bytes header = pcap_;
  header.resize(10);
  write("d/cut.pcap", header);
  EXPECT_EQ(expand({path("d")}).files, paths({"d/cut.pcap"}));
}

TEST_F(InputFilesTest, LinksAreFollowedAndLoopsAreNot) {
  write("other/x.pcap", pcap_);
  write("d/a.pcap", pcap_);
  std::filesystem::create_directory_symlink("..", path("d/b"));
  std::filesystem::create_directory_symlink(path("other"), path("d/c"));
  std::filesystem::create_symlink("a.pcap", path("d/z"));
  const InputFiles files = expand({path("d")});
  // b is the folder above: it leads to d again, which is not read twice, and to other.
  EXPECT_EQ(files.files, paths({"d/a.pcap", "d/b/other/x.pcap", "d/z"}));
  ASSERT_EQ(files.folders[0].skipped.size(), 2u);
  EXPECT_EQ(files.folders[0].skipped[0],
            (SkippedPath{path("d/b/d"), "is a folder that was read already"}));
  EXPECT_EQ(files.folders[0].skipped[1],
            (SkippedPath{path("d/c"), "is a folder that was read already"}));
}

TEST_F(InputFilesTest, DepthIsBounded) {
  std::string name = "d";
  for (size_t i = 1; i < kFolderDepthMax; ++i) name += "/d";
  write(name + "/in.pcap", pcap_);
  write(name + "/d/out.pcap", pcap_);
  const InputFiles files = expand({path("d")});
  EXPECT_EQ(files.files, paths({name + "/in.pcap"}));
  ASSERT_EQ(files.folders[0].skipped.size(), 1u);
  EXPECT_EQ(files.folders[0].skipped[0],
            (SkippedPath{path(name + "/d"), "is more than 16 folders deep"}));
}

TEST_F(InputFilesTest, UnreadableFolderIsSkipped) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser may read everything";
  write("d/x.pcap", pcap_);
  std::filesystem::permissions(path("d"), std::filesystem::perms::none);
  const InputFiles files = expand({path("d")});
  std::filesystem::permissions(path("d"), std::filesystem::perms::owner_all);
  EXPECT_TRUE(files.files.empty());
  EXPECT_EQ(files.folders[0].skipped.at(0), (SkippedPath{path("d"), "permission denied"}));
}

TEST_F(InputFilesTest, TooManyFilesAreAnError) {
  std::vector<std::string> given(kInputFileCountMax, "x");
  EXPECT_EQ(expand(given).files.size(), kInputFileCountMax);
  given.push_back("y");
  InputFiles files;
  std::string error;
  EXPECT_FALSE(expand_inputs(given, files, error));
  EXPECT_EQ(error, "y: more than 65535 files in one call; read them in several");
}

}  // namespace
}  // namespace weir
