// SPDX-License-Identifier: Apache-2.0
//
// weir read: captures in, flows out.
//
//   plan → input → engine → printer → statistics
//
// Exit code: 70 when the accounting does not balance; else 1 when a file could not be opened,
// results could not be written, or --strict and a capture is damaged; else 0, also after a signal
// and when the reader of stdout went away.
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "capture/capture_file.h"
#include "cli/commands/flow_printer.h"
#include "cli/commands/read_plan.h"
#include "cli/exit_code.h"
#include "cli/progress_bar.h"
#include "cli/results.h"
#include "cli/stop_signal.h"
#include "cli/terminal.h"
#include "cli/user_message.h"
#include "export/statistics_json.h"
#include "pipeline/engine.h"

namespace weir {
namespace {

// Of a pcap file: what it takes beside the captured bytes.
constexpr uint64_t kRecordHeaderSize = 16;

int64_t now_ns(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return now.tv_sec * kSecondNs + now.tv_nsec;
}

constexpr size_t kSkippedLineCountMax = 10;  // of a folder, unless --verbose

bool is_regular(const std::string& path) {
  struct stat status = {};
  return path != "-" && stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

// Bytes of all files together; 0 when one of them is no file, so that nobody knows.
uint64_t total_size(const std::vector<std::string>& files) {
  uint64_t sum = 0;
  for (const std::string& file : files) {
    struct stat status = {};
    if (!is_regular(file) || stat(file.c_str(), &status) != 0) return 0;
    sum += static_cast<uint64_t>(status.st_size);
  }
  return sum;
}

// What any one flow may have of attributes and of bytes that wait: ordinary traffic reaches that, it is
// the same for any number of threads, and --stats counts it.
bool is_bound_of_flow(Limit limit) {
  return limit == Limit::kAttributes || limit == Limit::kDpiAssembly;
}

// One run of `weir read`.
class ReadRun {
 public:
  explicit ReadRun(const ReadPlan& plan)
      : plan_(plan),
        printer_(plan, names_),
        input_(openers()),
        bar_(!plan.is_quiet && is_terminal(STDERR_FILENO), total_size(plan.files)),
        engine_(plan.engine) {
    if (plan.prints_events)
      engine_.on_events([this](const Events& events) {
        if (!printer_.add(events)) input_.stop();
      });
    input_.on_problem([this](const std::string& message) { report_problem(message); });
  }

  int run() {
    report_folders();
    const StopSignal signal(input_);
    const int64_t start_ns = now_ns(CLOCK_MONOTONIC);
    engine_.run(
        input_, [this](std::span<const FlowRecord> records) { take(records); },
        [this] { show_progress(); });
    bar_.erase();
    const int64_t read_ns = now_ns(CLOCK_MONOTONIC);

    const Statistics statistics = engine_.statistics();
    if (signal.has_arrived()) {
      warn("stopped by a signal after " + std::to_string(statistics.delivered.frames) + " frames");
    }
    printer_.finish(statistics);
    const int64_t end_ns = now_ns(CLOCK_MONOTONIC);
    const Timing timings[] = {{"read", read_ns - start_ns},
                              {"print", end_ns - read_ns},
                              {"total", end_ns - start_ns},
                              {"cpu", now_ns(CLOCK_PROCESS_CPUTIME_ID)}};
    report_limits(statistics);
    write_statistics(statistics, timings);
    log_info("read", "finished",
             {{"frames", statistics.delivered.frames}, {"flows", statistics.flows.created}});
    return exit_code(statistics);
  }

 private:
  std::vector<SourceOpener> openers() {
    std::vector<SourceOpener> result;
    for (const std::string& file : plan_.files) {
      result.push_back([this, &file](std::string& error) { return open(file, error); });
    }
    return result;
  }

  std::unique_ptr<CaptureSource> open(const std::string& file, std::string& error) {
    std::unique_ptr<CaptureSource> source = open_capture_file(file, names_, error);
    is_unopened_ = source == nullptr;
    if (source == nullptr) return nullptr;
    log_info("read", "opened", {{"file", file}});
    is_stream_ = !is_regular(file);
    frame_count_before_ = input_.statistics().delivered.frames;
    if (!printer_.open()) input_.stop();
    return source;
  }

  // What a folder stood for. A folder without a capture is what a missing file is.
  void report_folders() {
    for (const InputFolder& folder : plan_.folders) {
      if (folder.taken_count == 0) {
        print_error(folder.path + ": no capture in this folder");
        ++failure_count_;
      }
      if (plan_.is_quiet) continue;
      print_note(folder.path + ": " + std::to_string(folder.taken_count) + " taken, " +
                 std::to_string(folder.skipped.size()) + " skipped");
      for (size_t index = 0; index < folder.skipped.size(); ++index) {
        if (index == kSkippedLineCountMax && plan_.settings.log_level > LogLevel::kInfo) {
          print_note("… and " + std::to_string(folder.skipped.size() - index) +
                     " more, which --verbose lists");
          break;
        }
        print_note("skipped " + folder.skipped[index].path + ": " + folder.skipped[index].reason);
      }
    }
  }

  // A pipe that holds no capture is noticed only when it is read; to the user it is the same as a
  // file that holds none.
  void report_problem(const std::string& message) {
    bar_.erase();
    const bool has_no_frames = input_.statistics().delivered.frames == frame_count_before_;
    if (is_unopened_ || (is_stream_ && has_no_frames)) {
      print_error(message);
      ++failure_count_;
    } else if (plan_.settings.is_strict) {
      print_error(message);
      ++failure_count_;
    } else {
      warn(message);
    }
  }

  void take(std::span<const FlowRecord> records) {
    if (!printer_.add(records)) input_.stop();
  }

  void show_progress() {
    if (!bar_.is_enabled()) return;
    const InputStatistics read = input_.statistics();
    bar_.update(read.captured_bytes + kRecordHeaderSize * read.delivered.frames);
  }

  void report_limits(const Statistics& statistics) {
    std::string hits;
    const bool was_dpi_refused =
        statistics.memory[static_cast<size_t>(Pool::kDpi)].refused_count > 0;
    for (size_t i = 0; i < kLimitCount; ++i) {
      const uint64_t count = statistics.limits_hit[i];
      if (count == 0 || (!was_dpi_refused && is_bound_of_flow(static_cast<Limit>(i)))) continue;
      if (!hits.empty()) hits += ", ";
      hits +=
          std::string(limit_name(static_cast<Limit>(i))) + ' ' + std::to_string(count) + " times";
    }
    if (!hits.empty()) warn("limits were hit: " + hits);
  }

  void warn(const std::string& message) const {
    if (!plan_.is_quiet) print_warning(message);
  }

  void write_statistics(const Statistics& statistics, std::span<const Timing> timings) {
    if (plan_.stats_path.empty() || !printer_.is_open()) return;
    std::string error;
    const std::unique_ptr<OutputStream> stream =
        plan_.stats_path == "-" ? std::make_unique<OutputStream>(STDOUT_FILENO, "standard output")
                                : OutputStream::create(plan_.stats_path, error);
    if (stream == nullptr) {
      print_error(error);
      ++failure_count_;
      return;
    }
    stream->buffer() +=
        statistics_json(statistics, printer_.summary(), timings, plan_.engine.catalog);
    if (finish_results(*stream) != kExitDone) ++failure_count_;
  }

  int exit_code(const Statistics& statistics) const {
    const Imbalance sums = imbalance(statistics);
    if (!sums.is_zero()) {
      print_error("bug: the accounting does not balance: frames " +
                  std::to_string(sums.verdict_frames) + ", bytes " +
                  std::to_string(sums.verdict_bytes) + ", frames of flows " +
                  std::to_string(sums.flow_frames) + ", bytes of flows " +
                  std::to_string(sums.flow_bytes) + ", flows " + std::to_string(sums.flows));
      return kExitBug;
    }
    if (statistics.callback_errors > 0) {
      print_error("out of memory: finished flows are missing from the results, " +
                  std::to_string(statistics.callback_errors) + " times");
      return kExitFailure;
    }
    return failure_count_ > 0 ? kExitFailure : printer_.exit_code();
  }

  const ReadPlan& plan_;
  InterfaceNames names_;
  FlowPrinter printer_;
  Input input_;
  ProgressBar bar_;
  Engine engine_;
  uint32_t failure_count_ = 0;
  // Of the source opened last: what tells a file that is no capture from one that is damaged.
  bool is_unopened_ = false;
  bool is_stream_ = false;
  uint64_t frame_count_before_ = 0;
};

}  // namespace

int run_read(const Invocation& invocation) {
  ReadPlan plan;
  if (std::optional<int> code = plan_read(invocation, plan)) return *code;
  LogOptions log;
  log.level = plan.settings.log_level;
  log.format = plan.settings.log_format;
  start_log(log);
  return ReadRun(plan).run();
}

}  // namespace weir
