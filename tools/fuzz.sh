#!/usr/bin/env bash
# Runs fuzz targets for some seconds each, from the corpus in fuzz/corpus.
#   tools/fuzz.sh BUILD_FOLDER SECONDS [TARGET...]     all targets where none is named
#   tools/fuzz.sh --merge BUILD_FOLDER [TARGET...]     adds to the corpus what new ground runs found
#
# What runs find is kept in BUILD_FOLDER/corpus, from where the next run goes on. An input that
# breaks a target is made smaller and lies beside it as TARGET-crash-...
set -euo pipefail
cd "$(dirname "$0")/.."

merge=false
if [[ ${1-} == --merge ]]; then
  merge=true
  shift
fi
build=${1:?BUILD_FOLDER}
shift
seconds=0
if ! $merge; then
  seconds=${1:?SECONDS}
  shift
fi

# Inputs of the corpus stay small.
most_bytes=4096
# -entropic=0: its bookkeeping takes most of the time of targets with much code.
options=(-entropic=0 -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256)
# Targets write small files; where there is memory for them they need not reach a disk.
[[ -d /dev/shm && -w /dev/shm ]] && export TMPDIR=/dev/shm

minimise() { # target, artifact
  "$1" "${options[@]}" -minimize_crash=1 -max_total_time=30 -exact_artifact_path="$2.small" "$2" \
    > /dev/null 2>&1 || true
  [[ -s $2.small ]] || return 0
  mv "$2.small" "$2"
}

run() { # name
  local target=$build/fuzz/fuzz_$1 work=$build/corpus/$1
  mkdir -p "$work"
  if $merge; then
    # Without counters: an input for each new branch, not for each number of times it is taken.
    "$target" "${options[@]}" -merge=1 -use_counters=0 -max_len=$most_bytes "fuzz/corpus/$1" "$work"
    return
  fi
  echo "== $1, $seconds s"
  if ! "$target" "${options[@]}" -max_total_time="$seconds" -max_len=$((4 * most_bytes)) \
    -print_final_stats=1 -artifact_prefix="$work-" "$work" "fuzz/corpus/$1"; then
    local artifact
    for artifact in "$work"-*; do
      [[ -f $artifact ]] && minimise "$target" "$artifact" && echo "fuzz: see $artifact" >&2
    done
    return 1
  fi
}

targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
  for target in "$build"/fuzz/fuzz_*; do
    [[ -f $target && -x $target ]] && targets+=("${target##*/fuzz_}")
  done
fi
[[ ${#targets[@]} -gt 0 ]] || { echo "fuzz: no targets in $build/fuzz" >&2; exit 1; }
failed=()
for name in "${targets[@]}"; do
  run "$name" || failed+=("$name")
done
if [[ ${#failed[@]} -gt 0 ]]; then
  echo "fuzz: findings in ${failed[*]}" >&2
  exit 1
fi
$merge || echo "${#targets[@]} fuzz targets, no findings"
