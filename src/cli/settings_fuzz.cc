// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a configuration file: accepted, or refused in one line of text. What is accepted
// must survive being printed and read again.
#include <cstdlib>

#include "base/assert.h"
#include "cli/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  weir::SettingLayers layers(uint64_t{64} << 30);
  std::string error;
  if (!layers.read_text("weir.toml", text, error)) {
    ASSERT(error.starts_with("weir.toml:"));
    for (const char letter : error) ASSERT(static_cast<unsigned char>(letter) >= 0x20);
    return 0;
  }
  weir::SettingLayers again(uint64_t{64} << 30);
  ASSERT(again.read_text("weir.toml", layers.to_toml(), error));
  ASSERT(again.effective().memory_limit == layers.effective().memory_limit);
  ASSERT(again.effective().timeouts.idle_ns == layers.effective().timeouts.idle_ns);
  return 0;
}
