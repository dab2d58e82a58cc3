# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/check and tools/test: runs named steps, keeps a log of each, counts.
#
# A step that fails does not stop the ones after it: one run shows everything that is wrong. A
# function run as a step is in a condition, where set -e does nothing, so its commands are joined by
# &&.

passed=0 failed=0 skipped=0
readonly logs=$root/build/test-logs
readonly failure_line_count=40

# report RESULT NAME SECONDS [NOTE]: one line of the table.
report() {
  printf '%-5s %-24s %5d s  %s\n' "$1" "$2" "$3" "${4:-}"
}

# step NAME COMMAND…: runs it with its output in build/test-logs/NAME.log; prints the end of that
# when it fails.
step() {
  local name=$1
  shift
  local log=$logs/${name// /-}.log start=$SECONDS
  mkdir -p "$logs"
  if "$@" >"$log" 2>&1 </dev/null; then
    passed=$((passed + 1))
    report ok "$name" $((SECONDS - start))
  else
    failed=$((failed + 1))
    report FAIL "$name" $((SECONDS - start)) "$log"
    tail -n "$failure_line_count" "$log" | sed 's/^/      | /'
    return 1
  fi
}

# skip NAME REASON: a step that cannot be run here.
skip() {
  skipped=$((skipped + 1))
  report SKIP "$1" 0 "$2"
}

# Prints the counts; the exit code is whether everything passed.
summary() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [[ $failed -eq 0 ]]
}
