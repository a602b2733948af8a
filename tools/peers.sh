#!/usr/bin/env bash
# The peers that tests and benchmarks compare with, under build/peers: a virtual environment, and
# llama.cpp's tools in build/peers/llama.cpp/bin. The versions are pinned: the goldens of tests/data
# were made with them.
#
# llama.cpp is compiled once (7 minutes on 2 cores), out of the source archive of llama-cpp-python.
# LLAMA_CPP_BIN=FOLDER takes tools that are there already; they should be of the same version.
set -euo pipefail
cd "$(dirname "$0")/.."

pins=(mlx==0.32.4 mlx-lm==0.32.2 safetensors==0.8.0 numpy==2.4.6 transformers==5.23.0)
# On Linux mlx needs a back end of its own.
[[ $(uname) == Linux ]] && pins+=(mlx-cpu==0.32.4)

venv=build/peers
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
installed() {
  "$venv/bin/python" - "${pins[@]}" <<'PYTHON'
import sys
from importlib import metadata

for pin in sys.argv[1:]:
    name, version = pin.split("==")
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        found = None
    if found != version:
        print(f"peers: {name} {version} to be installed (found: {found})")
        sys.exit(1)
PYTHON
}

installed || "$venv/bin/python" -m pip install -q --disable-pip-version-check "${pins[@]}"

llama=build/peers/llama.cpp
archive="llama-cpp-python==0.3.36"
targets=(llama-quantize llama-imatrix llama-perplexity llama-tokenize llama-gguf-split)
flags=(
  -DCMAKE_BUILD_TYPE=Release
  # The library of block types is opened by tests; its arithmetic is that of x86-64 without FMA,
  # also where a compiler would contract. The tools find it beside them.
  -DBUILD_SHARED_LIBS=ON -DCMAKE_C_FLAGS=-ffp-contract=off -DCMAKE_BUILD_RPATH_USE_ORIGIN=ON
  # Not for this machine's processor alone: a cache may move it.
  -DGGML_NATIVE=OFF
  -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_SERVER=OFF
  -DLLAMA_BUILD_UI=OFF
)
launchers=()
command -v ccache >/dev/null &&
  launchers=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)

build_llama() {
  local work=$llama.partial sources
  rm -rf "$work"
  mkdir -p "$work"
  echo "peers: building llama.cpp of $archive, once; its log is $work/log"
  "$venv/bin/python" -m pip download -q --disable-pip-version-check --no-deps \
    --no-binary llama-cpp-python -d "$work" "$archive"
  tar -xzf "$work"/llama_cpp_python-*.tar.gz -C "$work"
  sources=("$work"/llama_cpp_python-*/vendor/llama.cpp)
  {
    cmake -G Ninja -S "${sources[0]}" -B "$work/build" "${flags[@]}" "${launchers[@]}"
    cmake --build "$work/build" --target "${targets[@]}"
  } >"$work/log" 2>&1 || { tail -n 40 "$work/log" && return 1; }
  rm -rf "$llama"
  mkdir "$llama"
  mv "$work/build/bin" "$llama/bin"
  rm -rf "$work"
}

# What the tools in place were made with.
stamp="$archive ${flags[*]} ${targets[*]}"
if [[ -n ${LLAMA_CPP_BIN:-} ]]; then
  rm -rf "$llama"
  mkdir "$llama"
  ln -s "$(realpath "$LLAMA_CPP_BIN")" "$llama/bin"
elif [[ ! -f $llama/stamp || $(<"$llama/stamp") != "$stamp" ]]; then
  build_llama
  printf '%s\n' "$stamp" >"$llama/stamp"
fi
