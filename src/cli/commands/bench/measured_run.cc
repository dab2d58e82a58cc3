// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench/measured_run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>

#include "base/assert.h"
#include "cli/interrupt.h"
#include "export/output_stream.h"

namespace weir {
namespace {

constexpr int kExitNotStarted = 127;  // as a shell has it
constexpr int kSignalExitBase = 128;
constexpr uint64_t kKibibyte = 1024;  // ru_maxrss counts in these

// A handler has no arguments but the signal: the child that runs, and whether it was asked.
std::atomic<pid_t> running_child = 0;
std::atomic<bool> was_interrupted = false;
static_assert(std::atomic<pid_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void handle_interrupt(int) {
  was_interrupted = true;
  const pid_t child = running_child.load();
  if (child > 0) kill(-child, SIGKILL);  // its process group
}

// Holds SIGINT and SIGTERM back, so that no child can slip between them and its being known.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held, &before_);
  }
  ~SignalsHeld() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

  // In the child, which will be another program.
  void restore() const { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

int64_t to_ns(const timeval& time) {
  return (int64_t{time.tv_sec} * 1'000'000 + time.tv_usec) * 1000;
}

int64_t monotonic_ns() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Between fork and exec: only what a signal handler might call too.
[[noreturn]] void become(char* const* words, int output, const SignalsHeld& signals, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kExitNotStarted);
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  signal(SIGPIPE, SIG_DFL);
  signals.restore();
  execvp(words[0], words);
  _exit(kExitNotStarted);
}

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 16384> block;
  for (;;) {
    const ssize_t received = read(descriptor, block.data(), block.size());
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return text;
    const size_t room = kMeasuredOutputSizeMax - text.size();
    text.append(block.data(), std::min(room, static_cast<size_t>(received)));
  }
}

}  // namespace

MeasuredRun run_measured(const std::vector<std::string>& words) {
  ASSERT(!words.empty());
  MeasuredRun run;
  std::vector<std::string> copies(words);  // exec wants them writable
  std::vector<char*> pointers;
  for (std::string& word : copies) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  std::array<int, 2> pipe_ends;
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) {
    run.error = "cannot make a pipe: " + system_error_text(errno);
    return run;
  }

  const int64_t start_ns = monotonic_ns();
  pid_t child = 0;
  int fork_error = 0;
  {
    const SignalsHeld signals;
    const pid_t parent = getpid();
    child = was_interrupted ? -1 : fork();
    if (child == 0) become(pointers.data(), pipe_ends[1], signals, parent);
    fork_error = errno;
    if (child > 0) setpgid(child, child);  // both do, so that it is done whoever comes first
    running_child = child;
  }
  close(pipe_ends[1]);
  if (child < 0) {
    close(pipe_ends[0]);
    run.error = was_interrupted ? "interrupted" : "cannot fork: " + system_error_text(fork_error);
    return run;
  }
  run.output = read_all(pipe_ends[0]);
  close(pipe_ends[0]);

  // Reaped only once no signal can ask for it any more: its number may be another's then.
  siginfo_t ended = {};
  while (waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  run.wall_ns = monotonic_ns() - start_ns;
  int status = 0;
  rusage usage = {};
  {
    const SignalsHeld signals;
    wait4(child, &status, 0, &usage);
    running_child = 0;
  }
  run.user_ns = to_ns(usage.ru_utime);
  run.system_ns = to_ns(usage.ru_stime);
  run.resident_size_max = static_cast<uint64_t>(usage.ru_maxrss) * kKibibyte;
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalExitBase + WTERMSIG(status);
  return run;
}

InterruptWatch::InterruptWatch() {
  was_interrupted = false;
  on_interrupt(handle_interrupt);
}

InterruptWatch::~InterruptWatch() {
  on_interrupt(SIG_DFL);
}

bool InterruptWatch::is_interrupted() const noexcept {
  return was_interrupted;
}

}  // namespace weir
