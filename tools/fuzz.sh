#!/usr/bin/env bash
# Runs every fuzz target of a build for some seconds each, from the corpus in fuzz/corpus.
#   tools/fuzz.sh BUILD_FOLDER SECONDS
set -euo pipefail
cd "$(dirname "$0")/.."

build=$1
seconds=$2
found=0
for target in "$build"/fuzz/fuzz_*; do
  [[ -f $target && -x $target ]] || continue
  found=$((found + 1))
  name=$(basename "$target")
  name=${name#fuzz_}
  work=$build/corpus/$name
  mkdir -p "$work"
  echo "== $name, $seconds s"
  "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$work-" "$work" "fuzz/corpus/$name"
done
[[ $found -gt 0 ]] || { echo "fuzz: no targets in $build/fuzz" >&2; exit 1; }
echo "$found fuzz targets, no findings"
