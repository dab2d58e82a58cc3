// SPDX-License-Identifier: Apache-2.0
//
// The log of the program: what happens while it runs, for the people who operate it. One line per
// event on stderr, as text or as a JSON object:
//
//   2026-11-20T09:00:00.123456789Z warn capture: file damaged file=/tmp/x.pcap byte=4096
//   {"time":"2026-11-20T09:00:00.123456789Z","level":"warn","component":"capture",
//    "message":"file damaged","file":"/tmp/x.pcap","byte":4096}      (one line)
//
// Use: log_warn("capture", "file damaged", {{"file", path}, {"byte", offset}}). Component, message
// and keys are words of the program; values may be hostile: they are escaped, so a value can
// neither end a line nor forge a pair.
//
// Bounded: per call site (file and line) at most `burst` lines in an interval; the rest are
// counted, and the site's first line after the interval is preceded by one that says
// `suppressed=N`. flush() says it at once. Sites beyond kLogSiteCountMax share one budget.
//
// Not for: answers to the user of a command (cli/user_message.h), anything per packet, library
// code.
//
// Errors: a line that cannot be written (stderr closed, disk full, reader gone) is dropped and
// counted. The program must ignore SIGPIPE. Threads: any thread may log; set up and torn down by
// main.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace weir {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormat : uint8_t { kText, kJson };
const char* log_level_name(LogLevel level) noexcept;  // "debug", "info", "warn", "error", "off"

// Where a call stands. (std::source_location, which clang 14 does not have.)
struct CodeSite {
  const char* file = "";
  uint32_t line = 0;
  static constexpr CodeSite here(const char* of_file = __builtin_FILE(),
                                 uint32_t of_line = __builtin_LINE()) {
    return {of_file, of_line};
  }
};

// One key=value. The text it points to must live during the call only.
struct LogPair {
  LogPair(std::string_view k, std::string_view v) : key(k), text(v) {}
  LogPair(std::string_view k, const char* v) : key(k), text(v) {}
  LogPair(std::string_view k, const std::string& v) : key(k), text(v) {}
  LogPair(std::string_view k, std::unsigned_integral auto v)
      : key(k), kind(Kind::kUnsigned), number(v) {}
  LogPair(std::string_view k, std::signed_integral auto v)
      : key(k), kind(Kind::kSigned), signed_number(v) {}
  LogPair(std::string_view k, bool v) : key(k), kind(Kind::kBool), number(v ? 1 : 0) {}

  enum class Kind : uint8_t { kText, kUnsigned, kSigned, kBool };
  std::string_view key;
  Kind kind = Kind::kText;
  std::string_view text;
  uint64_t number = 0;
  int64_t signed_number = 0;
};

inline constexpr size_t kLogSiteCountMax = 1024;
inline constexpr size_t kLogValueSizeMax =
    256;  // bytes of a text value; the rest is cut, with an ellipsis

struct LogOptions {
  LogLevel level = LogLevel::kWarn;  // the least important that is written
  LogFormat format = LogFormat::kText;
  int descriptor = 2;   // where lines go; not closed
  uint32_t burst = 10;  // lines of one call site in an interval
  int64_t interval_ns = 10'000'000'000;
  std::function<int64_t()> now_ns;  // ns since 1970; empty: the system's clock
};

class Log {
 public:
  explicit Log(LogOptions options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(LogLevel level, std::string_view component, std::string_view message,
             std::initializer_list<LogPair> pairs = {}, CodeSite site = CodeSite::here());
  // Says what was suppressed so far.
  void flush();
  uint64_t lost_line_count() const noexcept;  // could not be written

 private:
  class State;
  std::unique_ptr<State> state_;
};

// The log of the program, which log_warn() and its sisters write to. Before start_log() warnings
// and errors go to stderr as text. Call it from main, before there are other threads.
void start_log(const LogOptions& options);
Log& program_log();

inline void log_debug(std::string_view component, std::string_view message,
                      std::initializer_list<LogPair> pairs = {}, CodeSite site = CodeSite::here()) {
  program_log().write(LogLevel::kDebug, component, message, pairs, site);
}
inline void log_info(std::string_view component, std::string_view message,
                     std::initializer_list<LogPair> pairs = {}, CodeSite site = CodeSite::here()) {
  program_log().write(LogLevel::kInfo, component, message, pairs, site);
}
inline void log_warn(std::string_view component, std::string_view message,
                     std::initializer_list<LogPair> pairs = {}, CodeSite site = CodeSite::here()) {
  program_log().write(LogLevel::kWarn, component, message, pairs, site);
}
inline void log_error(std::string_view component, std::string_view message,
                      std::initializer_list<LogPair> pairs = {}, CodeSite site = CodeSite::here()) {
  program_log().write(LogLevel::kError, component, message, pairs, site);
}

}  // namespace weir
