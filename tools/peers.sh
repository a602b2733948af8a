#!/usr/bin/env bash
# The peers that tests and benchmarks compare with, in a virtual environment at build/peers. The
# versions are pinned: the goldens of tests/data were made with them.
set -euo pipefail
cd "$(dirname "$0")/.."

pins=(mlx==0.32.4 mlx-lm==0.32.2 safetensors==0.8.0 numpy==2.4.6 transformers==5.23.0)
# On Linux mlx needs a back end of its own.
[[ $(uname) == Linux ]] && pins+=(mlx-cpu==0.32.4)

venv=build/peers
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
installed() {
  "$venv/bin/python" - "${pins[@]}" <<'EOF'
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
EOF
}

installed || "$venv/bin/python" -m pip install -q --disable-pip-version-check "${pins[@]}"
