// SPDX-License-Identifier: Apache-2.0
//
// Flow operations against the naive model: any sequence of packets gives the same records with any
// sweep and burst.
#include <cstdlib>

#include "base/assert.h"
#include "flow/flow_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace weir;
  using namespace weir::test;
  if (size < 1) return 0;
  FlowTableOptions options;
  options.secret = HashSecret{1, 2};
  options.flow_count_initial = 4;
  if ((bytes[0] & 1) != 0) options.timeouts.set_linger(0);
  if ((bytes[0] & 2) != 0) options.timeouts.set_family(FlowFamily::kUdp, 0);
  if ((bytes[0] & 4) != 0) options.timeouts.active_ns = 0;
  if ((bytes[0] & 8) != 0) options.timeouts.active_ns = kSecondNs;
  PacketSequence sequence(bytes + 1, size - 1, options.secret);

  const std::vector<std::string> expected = run_model(options, sequence);
  for (const SweepPlan plan : {SweepPlan::kNever, SweepPlan::kAlways, SweepPlan::kAge}) {
    for (const Path path : {Path::kPackets, Path::kDigests}) {
      const TableRun run =
          run_table(options, sequence, plan == SweepPlan::kNever ? 7 : 64, plan, path);
      ASSERT(run.records == expected);
      ASSERT(run.statistics.live == 0);
      ASSERT(run.statistics.in_ended.frames == sequence.packets().size());
    }
  }
  return 0;
}
