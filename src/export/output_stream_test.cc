// SPDX-License-Identifier: Apache-2.0
#include "export/output_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace weir {
namespace {

TEST(OutputStream, WritesEverythingInOrder) {
  std::string path = testing::TempDir() + "weir-out-XXXXXX";
  ::close(::mkstemp(path.data()));
  std::string error;
  const auto stream = OutputStream::create(path, error);
  ASSERT_NE(stream, nullptr) << error;
  std::string expected;
  for (int line = 0; line < 100'000; ++line) {
    const std::string text = std::to_string(line) + "\n";
    expected += text;
    stream->buffer() += text;
    ASSERT_TRUE(stream->commit());
  }
  EXPECT_TRUE(stream->close());
  EXPECT_EQ(stream->written_size(), expected.size());
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  EXPECT_EQ(content.str(), expected);
  std::filesystem::remove(path);
}

TEST(OutputStream, ReportsAFullDiskOnceAndDropsTheRest) {
  const int fd = ::open("/dev/full", O_WRONLY);
  OutputStream stream(fd, "/dev/full");
  for (int line = 0; line < 1'000'000; ++line) {
    stream.buffer() += "line\n";
    stream.commit();
  }
  EXPECT_FALSE(stream.close());
  EXPECT_EQ(stream.error(), "cannot write to /dev/full: no space left on device");
  EXPECT_EQ(stream.written_size(), 0u);
  ::close(fd);
}

TEST(OutputStream, ReportsAReaderThatWentAway) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  OutputStream stream(ends[1], "standard output");
  stream.buffer() = "line\n";
  EXPECT_FALSE(stream.flush());
  EXPECT_EQ(stream.error(), "cannot write to standard output: broken pipe");
  ::close(ends[1]);
}

TEST(OutputStream, WaitsForAFullNonBlockingPipe) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK), 0);
  const std::string sent(1'000'000, 'x');
  std::string received;
  std::thread reader([&] {
    ::fcntl(ends[0], F_SETFL, 0);
    char bytes[4096];
    for (ssize_t count; (count = ::read(ends[0], bytes, sizeof bytes)) > 0;) {
      received.append(bytes, static_cast<size_t>(count));
    }
  });
  EXPECT_EQ(write_fully(ends[1], sent.data(), sent.size()), 0);
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  EXPECT_EQ(received, sent);
}

TEST(OutputStream, NamesAFileItCannotCreate) {
  std::string error;
  EXPECT_EQ(OutputStream::create("/nonexistent-folder/out\n.json", error), nullptr);
  EXPECT_EQ(error, "cannot create /nonexistent-folder/out\\n.json: no such file or directory");
}

}  // namespace
}  // namespace weir
