// SPDX-License-Identifier: Apache-2.0
//
// The object of `--stats FILE`: every frame and flow of a run, explained. docs/formats/stats.md
// describes it.
//
// Threads: pure; any.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "export/summary.h"
#include "weir/statistics.h"

namespace weir {

// How long a part of the run took, under the name it has in `timings`.
struct Timing {
  std::string_view name;
  int64_t ns;
};

// Without a catalogue, when nobody looked into payloads, `apps` and `services` are empty.
std::string statistics_json(const Statistics& statistics, const Summary& summary,
                            std::span<const Timing> timings, const Catalog* catalog = nullptr);

}  // namespace weir
