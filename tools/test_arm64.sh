#!/usr/bin/env bash
# Builds the tests of the rooms base, tensor and quant for arm64 and runs them under qemu: the NEON
# kernels of all quantizers against the scalar reference and the golden bytes. Files are compiled
# directly, because Debian has the cross compiler (g++-aarch64-linux-gnu, qemu-user-static) but no
# arm64 libraries without multiarch; libcrypto's SHA-256 has a plain one in its place.
# Usage: tools/test_arm64.sh [GTEST_FILTER]
set -euo pipefail

cd "$(dirname "$0")/.."
readonly cxx=${ARM64_CXX:-aarch64-linux-gnu-g++}
readonly qemu=${ARM64_QEMU:-qemu-aarch64-static}
readonly gtest=${GTEST_SOURCE:-/usr/src/googletest/googletest}
readonly build=build/arm64

for need in "$cxx" "$qemu"; do
  if ! command -v "$need" > /dev/null; then
    echo "test_arm64.sh: $need not found" >&2
    exit 1
  fi
done

# The host's headers of header-only libraries, without its C library's.
mkdir -p $build/include $build/objects
for library in hwy fmt xxhash.h; do
  ln -sfn /usr/include/$library $build/include/$library
done

flags=(-std=c++20 -O2 -ffp-contract=off -Wall -Wextra -Wpedantic -Werror -Isrc -Itests
  -isystem $build/include -isystem "$gtest/include" "-DLBRX_TEST_DATA=\"tests/data\"")

sources=("$gtest/src/gtest-all.cc" "$gtest/src/gtest_main.cc" tests/support/temp_dir.cc
  tests/support/faults.cc tests/support/plain_sha256.cc)
for file in src/core/base/*.cc src/core/tensor/*.cc src/quant/*.cc src/quant/packed/*.cc \
  src/quant/schemes/*.cc src/quant/schemes/ggml/*.cc src/core/io/*.cc; do
  if [[ $file == src/core/base/sha256.cc || $file == src/core/io/*_test.cc ]]; then
    continue
  fi
  sources+=("$file")
done

# One line per source: what to compile, to where. Unchanged files are kept, headers included.
newest_header=$(find src tests -name '*.h' -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-)
objects=()
jobs=()
for file in "${sources[@]}"; do
  object=$build/objects/$(echo "${file#/}" | tr / _).o
  objects+=("$object")
  if [[ ! $object -nt $file || ($file == src/* && ! $object -nt $newest_header) ]]; then
    jobs+=("$file" "$object")
  fi
done
compile() {
  local extra=()
  if [[ $1 == "$gtest"* ]]; then
    extra=(-I"$gtest" -w)
  fi
  "$cxx" "${flags[@]}" "${extra[@]}" -c "$1" -o "$2"
}
running=0
for ((i = 0; i < ${#jobs[@]}; i += 2)); do
  compile "${jobs[i]}" "${jobs[i + 1]}" &
  if ((++running >= $(nproc))); then
    wait -n
    ((running--))
  fi
done
while ((running-- > 0)); do
  wait -n
done

"$cxx" -static "${objects[@]}" -o $build/arm64_test -pthread
# Rows of every kind are compared by other tests; a whole model in all of GGML's types takes minutes
# under qemu.
exec "$qemu" $build/arm64_test "--gtest_filter=${1:-*-*ModelGivesBytesOfLlamaQuantize*}"
