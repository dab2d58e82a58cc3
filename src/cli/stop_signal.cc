// SPDX-License-Identifier: Apache-2.0
#include "cli/stop_signal.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "base/assert.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"

namespace weir {
namespace {

// A handler has no arguments but the signal: the process's one input to stop, and how often it was
// asked.
std::atomic<Input*> stopped_input = nullptr;
std::atomic<int> signal_count = 0;
static_assert(std::atomic<Input*>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void handle(int) {
  if (signal_count.fetch_add(1) > 0) _exit(kExitFailure);
  Input* input = stopped_input.load();
  if (input != nullptr) input->stop();
}

}  // namespace

StopSignal::StopSignal(Input& input) {
  ASSERT(stopped_input.load() == nullptr);
  signal_count = 0;
  stopped_input = &input;
  on_interrupt(handle);
}

StopSignal::~StopSignal() {
  on_interrupt(SIG_DFL);
  stopped_input = nullptr;
}

bool StopSignal::has_arrived() const noexcept {
  return signal_count.load() > 0;
}

}  // namespace weir
