// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench/bench_run.h"

#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/text.h"
#include "cli/commands/bench/bench_steps.h"
#include "cli/exit_code.h"
#include "cli/user_message.h"
#include "export/output_stream.h"

namespace weir {
namespace {

// The very program that runs, also when the file it came from was replaced since.
constexpr std::string_view kSelf = "/proc/self/exe";

// The programs a case runs in a round, in their order.
std::vector<BenchProgram> programs_of(const BenchCase& bench_case, uint64_t round) {
  if (bench_case.depth == BenchDepth::kTimes) {
    return {BenchProgram::kFloorRead, BenchProgram::kFloorPcap, BenchProgram::kWeirOneThread,
            BenchProgram::kWeirTwoThreads};
  }
  if (round == 0) return {BenchProgram::kWeirOneThread};
  return {};
}

}  // namespace

BenchRun::BenchRun(const BenchPlan& plan) : plan_(plan) {
  report_.machine = this_machine();
  report_.is_quick = plan.is_quick;
  for (const BenchCase* bench_case : plan.cases) {
    CaseResult result;
    result.bench_case = bench_case;
    result.shape = shape_of(*bench_case, plan.is_quick);
    report_.results.push_back(std::move(result));
  }
}

BenchEnd BenchRun::run() {
  const InterruptWatch watch;
  bool is_going = find_folder() && make_captures();
  for (uint64_t round = 0; is_going && round <= plan_.round_count; ++round) {
    is_going = run_round(round);
  }
  folder_.remove();  // while a signal cannot end the process yet
  if (watch.is_interrupted()) return BenchEnd::kInterrupted;
  return is_going ? BenchEnd::kDone : BenchEnd::kFailed;
}

std::string BenchRun::capture_of(const BenchCase& bench_case) const {
  return folder_.path_of(file_of(bench_case, plan_.is_quick));
}

void BenchRun::progress(const std::string& text) const {
  if (plan_.shows_progress) print_note(text);
}

bool BenchRun::find_folder() {
  uint64_t size = 0;
  for (const CaseResult& result : report_.results) {
    const std::string file = file_of(*result.bench_case, plan_.is_quick);
    const bool is_there =
        !plan_.folder.empty() && access((plan_.folder + '/' + file).c_str(), F_OK) == 0;
    if (!is_there) size += expected_file_size(result.shape);
  }
  const bool is_found = plan_.folder.empty() ? folder_.create(capture_places(), size, error_)
                                             : folder_.use(plan_.folder, size, error_);
  report_.folder = folder_.path();
  if (plan_.keeps_captures) folder_.keep();
  return is_found;
}

bool BenchRun::make_captures() {
  for (const CaseResult& result : report_.results) {
    const bool is_there = access(capture_of(*result.bench_case).c_str(), F_OK) == 0;
    if (!is_there && !make_capture(*result.bench_case)) return false;
  }
  return true;
}

// Under another name until it is whole: a folder of captures that are kept never has half of one.
bool BenchRun::make_capture(const BenchCase& bench_case) {
  const std::string path = capture_of(bench_case);
  const std::string unfinished = path + ".part";
  progress("making " + path);
  const std::string name = std::string(bench_case.name) + (plan_.is_quick ? "-quick" : "");
  MeasuredRun run;
  const bool is_made = run_child(
      {std::string(kSelf), "bench", std::string(kStepOption), "make", name, unfinished}, run);
  if (is_made) folder_.add(file_of(bench_case, plan_.is_quick));
  if (is_made && rename(unfinished.c_str(), path.c_str()) == 0) return true;
  if (is_made) error_ = printable(path) + ": " + system_error_text(errno);
  unlink(unfinished.c_str());
  return false;
}

bool BenchRun::run_round(uint64_t round) {
  progress(round == 0
               ? "warming up"
               : "round " + std::to_string(round) + " of " + std::to_string(plan_.round_count));
  std::vector<std::vector<MeasuredRun>> runs(report_.results.size());
  for (size_t index = 0; index < runs.size(); ++index) {
    if (!run_case(report_.results[index], round, runs[index])) return false;
  }
  if (round == 0) return true;

  // Rounds count as a whole: every program has run as often as every other.
  for (size_t index = 0; index < runs.size(); ++index) {
    CaseResult& result = report_.results[index];
    const std::vector<BenchProgram> programs = programs_of(*result.bench_case, round);
    for (size_t position = 0; position < programs.size(); ++position) {
      result.programs[static_cast<size_t>(programs[position])].rounds.push_back(
          std::move(runs[index][position]));
    }
  }
  report_.round_count = round;
  return true;
}

bool BenchRun::run_case(CaseResult& result, uint64_t round, std::vector<MeasuredRun>& runs) {
  const std::string capture = capture_of(*result.bench_case);
  for (const BenchProgram program : programs_of(*result.bench_case, round)) {
    MeasuredRun run;
    const std::vector<std::string> words =
        program_words(program, *result.bench_case, std::string(kSelf), capture);
    if (!run_child(words, run)) return false;

    const std::optional<ProgramAnswer> answer = read_answer(program, run.output);
    const uint64_t expected = packet_count(result.shape);
    if (!answer || answer->packet_count != expected) {
      error_ = printable(capture) + ": expected " + std::to_string(expected) + " packets, " +
               std::string(program_name(program)) + " found " +
               (answer ? std::to_string(answer->packet_count) : std::string("no number of them"));
      return false;
    }
    if (answer->flow_count) result.weir = *answer;
    ProgramRuns& program_runs = result.programs[static_cast<size_t>(program)];
    program_runs.resident_size_max =
        std::max(program_runs.resident_size_max, run.resident_size_max);
    run.output.clear();
    runs.push_back(std::move(run));
  }
  const bool is_flood = result.shape.kind == CaptureKind::kFlood;
  return !is_flood || round > 0 || check_flood(result);
}

bool BenchRun::check_flood(CaseResult& result) {
  MeasuredRun run;
  const std::vector<std::string> words =
      flood_check_words(*result.bench_case, result.shape.flow_count, std::string(kSelf),
                        capture_of(*result.bench_case));
  if (!run_child(words, run)) return false;
  result.unbroken_count = count_unbroken(run.output, result.shape.packets_per_flow);
  return true;
}

bool BenchRun::run_child(const std::vector<std::string>& words, MeasuredRun& run) {
  run = run_measured(words);
  if (!run.error.empty()) {
    error_ = run.error;
  } else if (run.exit_code != kExitDone) {
    error_ = "exit code " + std::to_string(run.exit_code) + " of weir";
    for (size_t index = 1; index < words.size(); ++index) error_ += ' ' + printable(words[index]);
  }
  return error_.empty();
}

}  // namespace weir
