#!/usr/bin/env bash
# Everything about the source and the binary that is no test. Runs all checks, then tells which
# failed. With --all clang-tidy reads every file, not only the changed ones.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0
failed=()
check() {  # NAME COMMAND...
  local name=$1
  shift
  echo "== $name"
  if "$@"; then
    passed=$((passed + 1))
  else
    failed+=("$name")
  fi
}

check layers python3 -B tools/check_layers.py
check rooms python3 -B tools/check_rooms.py
check binary tools/check_binary.sh
check format tools/check_format.sh
check tidy tools/tidy_changed.sh "$@"
check arm64 tools/test_arm64.sh

printf '%d passed, %d failed\n' "$passed" "${#failed[@]}"
if [[ ${#failed[@]} -gt 0 ]]; then
  echo "failed: ${failed[*]}" >&2
  exit 1
fi
