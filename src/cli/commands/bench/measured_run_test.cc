// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench/measured_run.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace weir {
namespace {

MeasuredRun run_shell(const std::string& script) {
  return run_measured({"/bin/sh", "-c", script});
}

TEST(MeasuredRun, HasOutputExitCodeAndWhatWasTaken) {
  const MeasuredRun run = run_shell("echo one; echo two; exit 3");
  EXPECT_EQ(run.error, "");
  EXPECT_EQ(run.output, "one\ntwo\n");
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_GT(run.wall_ns, 0);
  EXPECT_GE(run.cpu_ns(), 0);
  EXPECT_GT(run.resident_size_max, 0u);
}

TEST(MeasuredRun, SignalsAreExitCodesAsInAShell) {
  EXPECT_EQ(run_shell("kill -TERM $$").exit_code, 128 + SIGTERM);
}

TEST(MeasuredRun, ProgramThatIsNotThereIs127) {
  EXPECT_EQ(run_measured({"/nonexistent/program"}).exit_code, 127);
}

TEST(MeasuredRun, StandardInputIsEmpty) {
  EXPECT_EQ(run_shell("cat; echo end").output, "end\n");
}

TEST(MeasuredRun, OutputBeyondTheLimitIsDroppedAndTheProgramEnds) {
  const MeasuredRun run = run_shell("head -c 5000000 /dev/zero");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.output.size(), kMeasuredOutputSizeMax);
}

TEST(MeasuredRun, SignalEndsTheChildAndTheNextIsNotStarted) {
  const InterruptWatch watch;
  EXPECT_FALSE(watch.is_interrupted());
  const MeasuredRun run = run_shell("kill -INT $PPID; sleep 60");
  EXPECT_TRUE(watch.is_interrupted());
  EXPECT_EQ(run.exit_code, 128 + SIGKILL);
  EXPECT_NE(run_shell("exit 0").error, "");
}

TEST(MeasuredRun, WatchStartsUninterrupted) {
  {
    const InterruptWatch watch;
    raise(SIGTERM);
    EXPECT_TRUE(watch.is_interrupted());
  }
  const InterruptWatch watch;
  EXPECT_FALSE(watch.is_interrupted());
  EXPECT_EQ(run_shell("exit 0").exit_code, 0);
}

}  // namespace
}  // namespace weir
