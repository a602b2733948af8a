#!/usr/bin/env bash
# Quantizes the shipped model to 4-bit MLX, inspects and validates the result, and says what
# changed. Nothing outside build/demo is written.
set -euo pipefail
cd "$(dirname "$0")/.."

lbrx=build/release/lbrx
source_folder=models/tiny-llama
target=build/demo/tiny-llama-4bit

title() { printf '\n== %s\n' "$*"; }
bytes_of() { cat "$1"/*.safetensors | wc -c; }
milliseconds() { date +%s%N | cut -b1-13; }

mkdir -p build/demo
rm -rf "$target"

title "lbrx quantize $source_folder $target -q 4bit"
begin=$(milliseconds)
"$lbrx" quantize "$source_folder" "$target" -q 4bit --progress bar \
  --report build/demo/report.json
end=$(milliseconds)

title "Each tensor: scheme, bits per weight, error (build/demo/report.json)"
python3 tools/print_report.py build/demo/report.json

title "lbrx inspect $target"
"$lbrx" inspect "$target"

title "lbrx validate $target --deep"
"$lbrx" validate "$target" --deep

title "Before and after"
before=$(bytes_of "$source_folder")
after=$(bytes_of "$target")
awk -v b="$before" -v a="$after" -v t="$((end - begin))" 'BEGIN {
  printf "%-28s %10d bytes  bf16\n", "models/tiny-llama", b
  printf "%-28s %10d bytes  4-bit, %.1f%% of it\n", "build/demo/tiny-llama-4bit", a, 100 * a / b
  printf "%-28s %10.3f s\n", "time, durable on disk", t / 1000
}'
