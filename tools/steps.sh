# shellcheck shell=bash
# Shared by quickstart, test and the tools: how a step is announced and what a failed one shows.
# To be sourced by bash.

say() { printf '%s\n' "$*"; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# run_logged LABEL COMMAND...: runs it with its output in a log; on a terminal the log's last line
# shows under way. The log is printed only if the command fails.
run_logged() {
  local label=$1 log start=$SECONDS pid status=0
  shift
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  if [ -t 1 ]; then
    while kill -0 "$pid" 2>/dev/null; do
      printf '\r\033[K%s (%s s) %.60s' "$label" $((SECONDS - start)) \
        "$(tail -n 1 "$log" | tr -cd '[:print:]')"
      sleep 0.5
    done
    printf '\r\033[K'
  fi
  wait "$pid" || status=$?
  if [ "$status" -ne 0 ]; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    die "$label: failed"
  fi
  rm -f "$log"
  printf '%s (%s s)\n' "$label" $((SECONDS - start))
}
