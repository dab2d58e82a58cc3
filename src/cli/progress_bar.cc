// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_bar.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "cli/user_message.h"

namespace weir {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kDelayNs = kSecondNs;
constexpr int64_t kRedrawNs = kSecondNs / 10;
constexpr uint64_t kBarWidth = 30;

int64_t steady_now_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace

std::string progress_line(uint64_t done_bytes, uint64_t total_bytes, int64_t elapsed_ns) {
  // Sizes are estimates: never more than all of it.
  const bool is_known = total_bytes > 0;
  if (is_known) done_bytes = std::min(done_bytes, total_bytes);
  const double fraction =
      is_known ? static_cast<double>(done_bytes) / static_cast<double>(total_bytes) : 0.0;
  const double seconds = static_cast<double>(std::max<int64_t>(elapsed_ns, 1)) / 1e9;
  const double rate = static_cast<double>(done_bytes) / seconds;

  std::string line;
  if (is_known) {
    const uint64_t filled = static_cast<uint64_t>(fraction * static_cast<double>(kBarWidth));
    const std::string percent = std::to_string(static_cast<int>(fraction * 100.0));
    line += '[' + std::string(filled, '#') + std::string(kBarWidth - filled, '-') + "] ";
    line += std::string(3 - percent.size(), ' ') + percent + " %  ";
  }
  append_bytes_human(line, done_bytes);
  if (is_known) {
    line += " of ";
    append_bytes_human(line, total_bytes);
  }
  line += "  ";
  append_bytes_human(line, static_cast<uint64_t>(rate));
  line += "/s";
  if (is_known && rate > 0) {
    const double left_seconds = static_cast<double>(total_bytes - done_bytes) / rate;
    line += "  ";
    append_duration_human(line, static_cast<int64_t>(std::min(left_seconds, 1e9)) * kSecondNs);
    line += " left";
  }
  return line;
}

ProgressBar::ProgressBar(bool is_enabled, uint64_t total_bytes)
    : is_enabled_(is_enabled),
      total_bytes_(total_bytes),
      start_ns_(steady_now_ns()),
      next_draw_ns_(start_ns_ + kDelayNs) {}

ProgressBar::~ProgressBar() {
  erase();
}

void ProgressBar::update(uint64_t done_bytes) {
  if (!is_enabled_) return;
  const int64_t now_ns = steady_now_ns();
  if (now_ns < next_draw_ns_) return;
  next_draw_ns_ = now_ns + kRedrawNs;
  is_drawn_ = true;
  print_to_stderr("\r\033[K" + progress_line(done_bytes, total_bytes_, now_ns - start_ns_));
}

void ProgressBar::erase() {
  if (is_drawn_) print_to_stderr("\r\033[K");
  is_drawn_ = false;
}

}  // namespace weir
