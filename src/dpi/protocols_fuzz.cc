// SPDX-License-Identifier: Apache-2.0
//
// Any payload, in any order and with any holes, through every protocol: what is found is well-formed,
// and nothing stays behind. The first byte says how much room there is, the rest is a script
// (payload_flow.h), which can also have a protocol parse what its probe would refuse.
#include <cstdio>
#include <cstdlib>

#include "dpi/payload_flow.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace weir;
  using namespace weir::test;
  if (size == 0) return 0;
  const std::span<const uint8_t> input(bytes, size);
  const PayloadScript script = read_script(input.subspan(1));
  PayloadPlayer player(static_cast<Room>(input[0] % kRoomCount));
  for (const PayloadScript::Flow& flow : script.flows) {
    player.announce(static_cast<uint8_t>(flow.protocol % (built_in_protocols().size() + 1)),
                    flow.flow);
    player.play(flow.flow);
    const std::string broken = player.take_broken();
    if (broken.empty()) continue;
    std::fprintf(stderr, "broken: %s\n", broken.c_str());
    std::abort();
  }
  return 0;
}
