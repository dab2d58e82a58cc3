// SPDX-License-Identifier: Apache-2.0
//
// weir_prefixes [--sample N] FILE…: decodes every prefix of every packet of captures, each from a
// heap block of exactly its size, so that AddressSanitizer sees a read of one byte too many. Every
// prefix is decoded twice: as cut by the snap length (the wire size stays), and as sent that short.
// Each has to get one verdict and pass the invariants.
//
// --sample N takes every Nth packet of a file, and the first. A packet that fails is named by file,
// frame number and size; the exit code is then 1. A file that cannot be read or breaks off is
// reported and the run goes on: what it is about is the decoder.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "capture/capture_file.h"
#include "net/decode.h"
#include "tests/support/packet_invariants.h"

namespace {

struct Tally {
  uint64_t files = 0;
  uint64_t unreadable_files = 0;
  uint64_t packets = 0;
  uint64_t inputs = 0;
  uint64_t failures = 0;
  std::array<uint64_t, weir::kVerdictCount> verdicts{};
};

void decode_once(const weir::Decoder& decoder, const weir::Frame& frame, const char* path,
                 uint64_t number, Tally& tally) {
  weir::Packet packet;
  decoder.decode(frame, packet);
  ++tally.inputs;
  const char* broken = weir::test::broken_invariant(packet);
  if (broken != nullptr) {
    ++tally.failures;
    std::fprintf(stderr, "%s: frame %llu cut to %u bytes: %s\n", path,
                 static_cast<unsigned long long>(number), frame.captured_size, broken);
    return;
  }
  ++tally.verdicts[static_cast<size_t>(packet.verdict)];
}

void decode_prefixes(const weir::Decoder& decoder, const weir::Frame& whole, const char* path,
                     uint64_t number, Tally& tally) {
  ++tally.packets;
  for (uint32_t size = 0; size <= whole.captured_size; ++size) {
    const std::unique_ptr<uint8_t[]> exact(new uint8_t[size]);
    std::copy_n(whole.data, size, exact.get());
    weir::Frame frame = whole;
    frame.data = exact.get();
    frame.captured_size = size;
    decode_once(decoder, frame, path, number, tally);
    frame.wire_size = size;
    decode_once(decoder, frame, path, number, tally);
  }
}

void read_file(const weir::Decoder& decoder, const char* path, uint64_t sample, Tally& tally) {
  weir::InterfaceNames names;
  std::string error;
  const std::unique_ptr<weir::CaptureSource> source = weir::open_capture_file(path, names, error);
  ++tally.files;
  if (source == nullptr) {
    ++tally.unreadable_files;
    std::fprintf(stderr, "%s\n", error.c_str());
    return;
  }
  uint64_t number = 0;
  weir::Batch batch;
  weir::Next next = source->next(batch);
  for (; next == weir::Next::kData || next == weir::Next::kIdle; next = source->next(batch)) {
    if (next == weir::Next::kIdle) continue;
    for (const weir::Frame& frame : batch.frames) {
      if (number++ % sample == 0) decode_prefixes(decoder, frame, path, number, tally);
    }
    source->release(batch);
  }
  if (next == weir::Next::kError) {
    ++tally.unreadable_files;
    std::fprintf(stderr, "%s\n", source->error().c_str());
  }
}

void print(const Tally& tally) {
  std::printf(
      "files %llu (%llu unreadable or broken off), packets %llu, inputs %llu, failures %llu\n",
      static_cast<unsigned long long>(tally.files),
      static_cast<unsigned long long>(tally.unreadable_files),
      static_cast<unsigned long long>(tally.packets), static_cast<unsigned long long>(tally.inputs),
      static_cast<unsigned long long>(tally.failures));
  for (size_t verdict = 0; verdict < weir::kVerdictCount; ++verdict) {
    if (tally.verdicts[verdict] == 0) continue;
    const weir::VerdictName& name = weir::verdict_name(static_cast<weir::Verdict>(verdict));
    std::printf("%14llu %s{%s}\n", static_cast<unsigned long long>(tally.verdicts[verdict]),
                weir::verdict_class_name(name.verdict_class), name.reason);
  }
}

int usage(const char* program) {
  std::fprintf(stderr, "usage: %s [--sample N] FILE...   (N is 1 or more)\n", program);
  return 2;
}

}  // namespace

int main(int argument_count, char** arguments) {
  const std::span<char*> all(arguments, static_cast<size_t>(argument_count));
  std::span<char*> files = all.subspan(1);
  uint64_t sample = 1;
  if (files.size() >= 2 && std::string_view(files[0]) == "--sample") {
    const std::string_view number = files[1];
    const auto [end, failure] = std::from_chars(number.begin(), number.end(), sample);
    if (failure != std::errc() || end != number.end() || sample == 0) return usage(all[0]);
    files = files.subspan(2);
  }
  if (files.empty()) return usage(all[0]);

  // Fixed, so that a failure can be repeated.
  const weir::Decoder decoder({weir::ZoneKind::kVlan}, {1, 2});
  Tally tally;
  for (const char* path : files) read_file(decoder, path, sample, tally);
  print(tally);
  return tally.failures == 0 ? 0 : 1;
}
