// SPDX-License-Identifier: Apache-2.0
#include "pipeline/batch_work.h"

#include <numeric>

#include "base/assert.h"

namespace weir {

BatchWork::BatchWork(uint32_t shard_count)
    : shard_count_(shard_count), orders_(shard_count), order_sizes_(shard_count) {}

void BatchWork::decode(const Decoder& decoder, std::span<const Frame> frames) {
  ASSERT(frames.size() <= UINT16_MAX);
  frames_ = frames;
  if (digests_.size() < frames.size()) {
    digests_.resize(frames.size());
    generals_.resize(frames.size());
    for (std::vector<uint16_t>& order : orders_) {
      order.resize(frames.size());
      std::iota(order.begin(), order.end(), uint16_t{0});
    }
  }
  general_count_ = decoder.digest(frames, digests_.data(), generals_.data(), shard_count_, &plain_);
  deal();
}

void BatchWork::deal() {
  if (shard_count_ == 1) {
    order_sizes_[0] = frames_.size();
    return;
  }
  std::fill(order_sizes_.begin(), order_sizes_.end(), 0);
  for (size_t at = 0; at < frames_.size(); ++at) {
    const uint8_t shard = digests_[at].shard;
    DASSERT(shard < shard_count_);
    orders_[shard][order_sizes_[shard]++] = static_cast<uint16_t>(at);
  }
}

void BatchWork::admit(const Decoder& decoder, FragmentCache& fragments, Statistics& statistics) {
  const auto add = [&statistics](Layer layer, const FrameCount& count) {
    statistics.verdicts[static_cast<size_t>(layer)][static_cast<size_t>(Verdict::kDecoded)] +=
        count;
  };
  add(Layer::kTcp, {plain_.tcp_frames, plain_.tcp_bytes});
  add(Layer::kUdp, {plain_.frames - plain_.tcp_frames, plain_.bytes - plain_.tcp_bytes});
  if (general_count_ == 0) return;
  bool has_moved = false;
  for (size_t at = 0; at < frames_.size(); ++at) {
    PacketDigest& digest = digests_[at];
    if ((digest.key.bits & kDigestGeneral) == 0) continue;
    Packet& packet = generals_[digest.index];
    const bool is_ready = fragments.admit(packet);
    if (!is_ready) {
      digest.key.bits |= kDigestNoFlow;
    } else if (packet.fragment == FragmentKind::kLater) {
      const uint8_t shard_before = digest.shard;
      decoder.digest_general(packet, digest.index, digest, shard_count_);
      has_moved |= digest.shard != shard_before;
    }
    statistics.add_verdict(packet.layer, packet.verdict, packet.frame->link_type,
                           packet.frame->wire_size);
  }
  if (has_moved) deal();
}

DigestBurst BatchWork::burst(uint32_t shard) noexcept {
  return {std::span<const PacketDigest>(digests_).first(frames_.size()),
          std::span<const uint16_t>(orders_[shard]).first(order_sizes_[shard]), frames_.data(),
          generals_.data()};
}

}  // namespace weir
