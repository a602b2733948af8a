#!/usr/bin/env bash
# Every C++ file as clang-format 14 would write it. `--fix` writes it so.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.cc' '*.h')
existing=()
for file in "${files[@]}"; do
  [[ -f $file ]] && existing+=("$file")
done
if [[ ${1:-} == --fix ]]; then
  clang-format-14 -i "${existing[@]}"
else
  clang-format-14 --dry-run -Werror "${existing[@]}"
fi
echo "format: ${#existing[@]} files"
