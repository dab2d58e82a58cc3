// SPDX-License-Identifier: Apache-2.0
//
// The lines are composed here; spdlog filters by level, serialises threads and hands them to the
// sink.
#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/text.h"

namespace weir {
namespace {

constexpr const char* kLevelNames[] = {"debug", "info", "warn", "error", "off"};

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

// One write per line where the kernel takes it, so that lines of several processes do not mix.
// spdlog's own sinks go through stdio, which keeps what it could not write and tries again at exit.
class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit DescriptorSink(int descriptor) : descriptor_(descriptor) {
    set_formatter_(std::make_unique<spdlog::pattern_formatter>("%v"));  // Ends lines with "\n".
  }
  uint64_t lost_line_count() const noexcept { return lost_line_count_; }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    size_t done = 0;
    while (done < line.size()) {
      const ssize_t written = ::write(descriptor_, line.data() + done, line.size() - done);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        ++lost_line_count_;
        return;
      }
      done += static_cast<size_t>(written);
    }
  }
  void flush_() override {}

  int descriptor_;
  std::atomic<uint64_t> lost_line_count_ = 0;
};

bool is_plain(std::string_view text) {
  for (char letter : text) {
    const bool is_word = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                         (letter >= '0' && letter <= '9');
    if (!is_word && std::string_view("._:/@%+,-").find(letter) == std::string_view::npos) {
      return false;
    }
  }
  return !text.empty();
}

std::string capped(std::string_view text) {
  if (text.size() <= kLogValueSizeMax) return std::string(text);
  size_t size = kLogValueSizeMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return std::string(text.substr(0, size)) + "…";
}

void append_value(std::string& line, const LogPair& pair, LogFormat format) {
  switch (pair.kind) {
    case LogPair::Kind::kText: {
      const std::string text = capped(pair.text);
      if (format == LogFormat::kText && is_plain(text))
        line += text;
      else
        append_json_string(line, text);
      return;
    }
    case LogPair::Kind::kUnsigned:
      return append_unsigned(line, pair.number);
    case LogPair::Kind::kSigned:
      return append_signed(line, pair.signed_number);
    case LogPair::Kind::kBool:
      line += pair.number != 0 ? "true" : "false";
      return;
  }
}

std::string text_line(int64_t now_ns, LogLevel level, std::string_view component,
                      std::string_view message, std::span<const LogPair> pairs) {
  std::string line;
  append_time(line, now_ns);
  line += ' ';
  line += log_level_name(level);
  line += ' ';
  append_terminal_text(line, component);
  line += ": ";
  append_terminal_text(line, message);
  for (const LogPair& pair : pairs) {
    line += ' ';
    append_terminal_text(line, pair.key);
    line += '=';
    append_value(line, pair, LogFormat::kText);
  }
  return line;
}

std::string json_line(int64_t now_ns, LogLevel level, std::string_view component,
                      std::string_view message, std::span<const LogPair> pairs) {
  std::string line = "{\"time\":\"";
  append_time(line, now_ns);
  line += "\",\"level\":\"";
  line += log_level_name(level);
  line += "\",\"component\":";
  append_json_string(line, component);
  line += ",\"message\":";
  append_json_string(line, message);
  for (const LogPair& pair : pairs) {
    line += ',';
    append_json_string(line, pair.key);
    line += ':';
    append_value(line, pair, LogFormat::kJson);
  }
  line += '}';
  return line;
}

int64_t system_now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

// A place in the code that logs. Its texts are the program's own and live as long as it does.
struct Site {
  std::string_view component;
  std::string file;
  uint32_t line = 0;
  LogLevel level = LogLevel::kWarn;  // of what was suppressed last
  bool has_started = false;
  int64_t interval_start_ns = 0;
  uint32_t written_count = 0;
  uint64_t suppressed_count = 0;
};

}  // namespace

class Log::State {
 public:
  explicit State(LogOptions options)
      : options_(std::move(options)),
        sink_(std::make_shared<DescriptorSink>(options_.descriptor)),
        logger_("weir", sink_) {
    if (!options_.now_ns) options_.now_ns = system_now_ns;
    logger_.set_level(to_spdlog(options_.level));
    // spdlog reports its own trouble to stderr, which here is the trouble; the sink counts.
    logger_.set_error_handler([](const std::string&) {});
  }

  void write(LogLevel level, std::string_view component, std::string_view message,
             std::span<const LogPair> pairs, const CodeSite& where) {
    if (level >= LogLevel::kOff || level < options_.level) return;
    const std::lock_guard lock(mutex_);
    const int64_t now_ns = options_.now_ns();
    if (!admit(site_at(where, component), level, now_ns)) return;
    put(now_ns, level, component, message, pairs);
  }

  void flush() {
    const std::lock_guard lock(mutex_);
    const int64_t now_ns = options_.now_ns();
    for (Site& site : sites_) report_suppressed(site, now_ns);
  }

  uint64_t lost_line_count() const noexcept { return sink_->lost_line_count(); }

 private:
  Site& site_at(const CodeSite& where, std::string_view component) {
    const std::string key = std::string(where.file) + ':' + std::to_string(where.line);
    const auto known = index_by_site_.find(key);
    if (known != index_by_site_.end()) return sites_[known->second];
    if (sites_.size() == kLogSiteCountMax) return sites_.back();
    index_by_site_.emplace(key, sites_.size());
    Site& site = sites_.emplace_back();
    site.component = component;
    site.file = where.file;
    site.line = where.line;
    return site;
  }

  // Whether the site may write a line now. A clock that steps back starts a new interval too.
  bool admit(Site& site, LogLevel level, int64_t now_ns) {
    const int64_t age_ns = now_ns - site.interval_start_ns;
    if (!site.has_started || age_ns >= options_.interval_ns || age_ns < 0) {
      report_suppressed(site, now_ns);
      site.has_started = true;
      site.interval_start_ns = now_ns;
      site.written_count = 0;
    }
    if (site.written_count == options_.burst) {
      ++site.suppressed_count;
      site.level = level;
      return false;
    }
    ++site.written_count;
    return true;
  }

  void report_suppressed(Site& site, int64_t now_ns) {
    if (site.suppressed_count == 0) return;
    const std::string where = site.file + ':' + std::to_string(site.line);
    const LogPair pairs[] = {{"suppressed", site.suppressed_count}, {"site", where}};
    put(now_ns, site.level, site.component, "similar lines were suppressed", pairs);
    site.suppressed_count = 0;
  }

  void put(int64_t now_ns, LogLevel level, std::string_view component, std::string_view message,
           std::span<const LogPair> pairs) {
    const bool is_json = options_.format == LogFormat::kJson;
    const std::string line = is_json ? json_line(now_ns, level, component, message, pairs)
                                     : text_line(now_ns, level, component, message, pairs);
    logger_.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
  }

  LogOptions options_;
  std::shared_ptr<DescriptorSink> sink_;
  spdlog::logger logger_;
  std::mutex mutex_;
  std::vector<Site> sites_;
  std::unordered_map<std::string, size_t> index_by_site_;
};

const char* log_level_name(LogLevel level) noexcept {
  return kLevelNames[static_cast<size_t>(level)];
}

Log::Log(LogOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Log::~Log() {
  state_->flush();
}

void Log::write(LogLevel level, std::string_view component, std::string_view message,
                std::initializer_list<LogPair> pairs, CodeSite site) {
  state_->write(level, component, message, {pairs.begin(), pairs.size()}, site);
}
void Log::flush() {
  state_->flush();
}
uint64_t Log::lost_line_count() const noexcept {
  return state_->lost_line_count();
}

namespace {

std::unique_ptr<Log>& program_log_slot() {
  static std::unique_ptr<Log> slot = std::make_unique<Log>(LogOptions{});
  return slot;
}

}  // namespace

void start_log(const LogOptions& options) {
  program_log_slot() = std::make_unique<Log>(options);
}
Log& program_log() {
  return *program_log_slot();
}

}  // namespace weir
