// SPDX-License-Identifier: Apache-2.0
//
// BatchWork: what becomes of the frames of one batch between reading and the flow tables. decode()
// may run on any thread; admit() must see batch after batch in capture order, because fragments do.
//
//   frames → decode(): digests, and Packets of those that are not plain
//          → admit():  verdicts counted, fragments resolved, packets dealt to shards
//          → burst(shard) for each flow table
//
// Threads: one thread at a time per object; admit() of all objects that share a FragmentCache and
// Statistics is serialised by the caller.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "flow/flow_table.h"
#include "flow/fragments.h"
#include "net/decode.h"
#include "weir/statistics.h"

namespace weir {

class BatchWork {
 public:
  explicit BatchWork(uint32_t shard_count);

  void decode(const Decoder& decoder, std::span<const Frame> frames);
  void admit(const Decoder& decoder, FragmentCache& fragments, Statistics& statistics);
  // Valid until the next decode(), as long as the frames are.
  DigestBurst burst(uint32_t shard) noexcept;

 private:
  void deal();

  const uint32_t shard_count_;
  std::span<const Frame> frames_;
  std::vector<PacketDigest> digests_;
  std::vector<Packet> generals_;
  size_t general_count_ = 0;
  PlainCounts plain_;
  std::vector<std::vector<uint16_t>> orders_;
  std::vector<size_t> order_sizes_;
};

}  // namespace weir
