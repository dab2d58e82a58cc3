// SPDX-License-Identifier: Apache-2.0
//
// weir_protocol_seeds FOLDER: makes the seeds of the fuzz target protocols (tests/corpus/protocols) of
// tests/golden, one file for each thing a golden shows: the begin of the first flow of each path. What
// the folder holds already stays, but for files of the same name.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "dpi/golden_flows.h"

namespace {

constexpr size_t kSeedSizeMax = 2048;
constexpr size_t kSeedsPerGoldenMax = 4;

// The first pieces, as many as fit.
weir::test::PayloadFlow begin_of(const weir::test::PayloadFlow& flow) {
  weir::test::PayloadFlow begin = flow;
  begin.pieces.clear();
  size_t size = 0;
  for (const weir::test::Piece& piece : flow.pieces) {
    size += piece.bytes.size();
    if (size > kSeedSizeMax && !begin.pieces.empty()) break;
    begin.pieces.push_back(piece);
  }
  return begin;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 2) {
    std::fprintf(stderr,
                 "usage: weir_protocol_seeds FOLDER   (WEIR_SOURCE_DIR names the sources)\n");
    return 2;
  }
  const std::filesystem::path folder = std::span(arguments, 2)[1];
  weir::test::PayloadPlayer player;
  size_t total_size = 0;
  for (const weir::test::Golden& golden : weir::test::goldens()) {
    std::set<std::string> paths;
    for (const weir::test::PayloadFlow& whole : golden.flows) {
      const weir::test::PayloadFlow flow = begin_of(whole);
      const std::string path = player.play(flow).path;
      if (path.empty() || paths.size() == kSeedsPerGoldenMax || !paths.insert(path).second)
        continue;
      weir::test::PayloadBytes bytes = {static_cast<uint8_t>(weir::test::Room::kEnough)};
      weir::test::append_script(bytes, weir::kUnknownApp, flow);
      const std::string name = golden.name + "-" + std::to_string(paths.size());
      std::ofstream file(folder / name, std::ios::binary);
      for (const uint8_t byte : bytes) file.put(static_cast<char>(byte));
      if (!file.flush()) {
        std::fprintf(stderr, "%s: cannot be written\n", (folder / name).c_str());
        return 1;
      }
      total_size += bytes.size();
      std::printf("%s %s %zu\n", name.c_str(), path.c_str(), bytes.size());
    }
  }
  std::printf("%zu bytes\n", total_size);
  return 0;
}
