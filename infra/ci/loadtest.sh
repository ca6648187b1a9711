#!/usr/bin/env bash
# The steps of loadtest-workflow.yml, for any CI: start, run, compare, stop, keep. Settings: LOADTEST_SCENARIO, LOADTEST_ROUNDS,
# LOADTEST_NOT_SHOWN (warn or fail), LOADTEST_OPTIONS (more options of `loadtest run`), and those of Logloom. Everything is written to the present folder.
set -euo pipefail

main="$(cd "$(dirname "$0")/../.." && pwd)/apps/logloom/src/main.ts"
scenario="${LOADTEST_SCENARIO:-quick}"
rounds="${LOADTEST_ROUNDS:-6}"
not_shown="${LOADTEST_NOT_SHOWN:-warn}"
viewers="http://127.0.0.1:${LIVE_PORT:-4380}"

logloom() { node "$main" "$@"; }

start() {
  LOGLOOM_DATA="${LOGLOOM_DATA:-$PWD/loadtest-data}" nohup node "$main" up >logloom.log 2>&1 &
  echo $! >logloom.pid
  for _ in $(seq 60); do
    if node -e 'fetch(process.argv[1]).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))' "$viewers/health/ready"; then
      return
    fi
    kill -0 "$(cat logloom.pid)" 2>/dev/null || break
    sleep 1
  done
  echo 'Logloom is not ready:' >&2
  tail -n 50 logloom.log >&2
  exit 1
}

# All rounds are run, whatever they find: the comparison needs them.
run() {
  local worst=0 round code
  rm -rf loadtest-runs
  for round in $(seq "$rounds"); do
    echo "round $round of $rounds"
    code=0
    # shellcheck disable=SC2086 # several options
    logloom loadtest run "$scenario" --out loadtest-runs --report html,markdown,junit ${LOADTEST_OPTIONS:-} || code=$?
    case $code in
      0) ;;
      1) worst=1 ;;
      3)
        echo "::warning title=Load test::round $round does not show whether it is ready (often: the runner was too slow for the load)"
        if [ "$not_shown" = fail ] && [ "$worst" -eq 0 ]; then worst=3; fi
        ;;
      # It could not be run: more rounds will not either.
      *) exit "$code" ;;
    esac
  done
  if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    # The last round stands for all; the others are in the artifact.
    cat "$(ls -d loadtest-runs/*/ | tail -n 1)report.md" >>"$GITHUB_STEP_SUMMARY"
  fi
  exit "$worst"
}

compare() {
  if [ ! -d loadtest-baseline ]; then
    echo 'There is no baseline yet: the first run on the main branch keeps one.' | tee loadtest-comparison.txt
    return
  fi
  local code=0
  logloom loadtest compare loadtest-baseline loadtest-runs >loadtest-comparison.txt || code=$?
  cat loadtest-comparison.txt
  if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    printf '## Against the main branch\n\n```\n%s\n```\n' "$(cat loadtest-comparison.txt)" >>"$GITHUB_STEP_SUMMARY"
  fi
  exit "$code"
}

stop() {
  [ -f logloom.pid ] || return 0
  local pid
  pid="$(cat logloom.pid)"
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 30); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 1
  done
  rm -f logloom.pid
}

keep() {
  rm -rf loadtest-baseline
  mkdir loadtest-baseline
  # A comparison needs the results only.
  for result in loadtest-runs/*/result.json; do
    cp "$result" "loadtest-baseline/$(basename "$(dirname "$result")").json"
  done
}

case "${1:-}" in
  start | run | compare | stop | keep) "$1" ;;
  *)
    echo "usage: $0 start|run|compare|stop|keep" >&2
    exit 2
    ;;
esac
