#!/usr/bin/env bash
# Installs what is missing to build (group `build`), to check (group `check`) and to look at reports
# of (group `browser`) the project.
# Quick and silent when nothing is missing. Debian 12 or Homebrew; asks sudo only to install.
#   tools/setup.sh [build] [check] [browser]
set -euo pipefail

# A package, and how to see that it is there already, however it came: a command, header, path or
# Python module.
debian_build() {
  cat <<'EOF'
build-essential         cmd:g++
cmake                   cmd:cmake
ninja-build             cmd:ninja
libhwy-dev              inc:hwy/highway.h
libcli11-dev            inc:CLI/CLI.hpp
nlohmann-json3-dev      inc:nlohmann/json.hpp
libfmt-dev              inc:fmt/core.h
libxxhash-dev           inc:xxhash.h
libpcre2-dev            inc:pcre2.h
libyaml-dev             inc:yaml.h
libssl-dev              inc:openssl/evp.h
libgtest-dev            inc:gtest/gtest.h
libgmock-dev            inc:gmock/gmock.h
python3-venv            py:ensurepip
locales                 glob:/usr/share/i18n/locales/de_DE
EOF
}

debian_check() {
  cat <<'EOF'
clang                   cmd:clang++
clang-14                cmd:clang++-14
libclang-rt-14-dev      glob:/usr/lib/llvm-14/lib/clang/14*/lib/linux
clang-format-14         cmd:clang-format-14
clang-tidy-14           cmd:clang-tidy-14
g++-aarch64-linux-gnu   cmd:aarch64-linux-gnu-g++
qemu-user-static        cmd:qemu-aarch64-static
EOF
}

debian_browser() {
  cat <<'EOF'
chromium                cmd:chromium
fonts-dejavu-core       glob:/usr/share/fonts/truetype/dejavu
EOF
}

brew_build() { echo cmake ninja highway cli11 nlohmann-json fmt xxhash pcre2 libyaml openssl@3 googletest; }
brew_check() { echo llvm clang-format; }
brew_browser() { :; }  # a cask, which is the user's to choose

present() {  # PROBE
  local what=${1#*:}
  case $1 in
    cmd:*) command -v "$what" >/dev/null ;;
    inc:*) [[ -e /usr/include/$what || -e /usr/local/include/$what ]] ;;
    glob:*) compgen -G "$what" >/dev/null ;;
    py:*) python3 -c "import $what" 2>/dev/null ;;
  esac
}

as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "setup: needs root and there is no sudo; run as root: $*" >&2
    exit 1
  fi
}

setup_debian() {
  local missing=() package probe
  for group in "$@"; do
    while read -r package probe; do
      present "$probe" || missing+=("$package")
    done < <("debian_$group")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  echo "setup: installing ${missing[*]}"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    "${missing[@]}"
}

setup_brew() {
  local missing=() formula
  for group in "$@"; do
    for formula in $("brew_$group"); do
      brew list --versions "$formula" >/dev/null 2>&1 || missing+=("$formula")
    done
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  echo "setup: installing ${missing[*]}"
  brew install "${missing[@]}"
}

groups=("$@")
[[ ${#groups[@]} -gt 0 ]] || groups=(build check)
if command -v apt-get >/dev/null; then
  setup_debian "${groups[@]}"
elif command -v brew >/dev/null; then
  setup_brew "${groups[@]}"
else
  echo "setup: neither apt-get nor brew here; the packages needed are:" >&2
  for group in "${groups[@]}"; do "debian_$group" >&2; done
  exit 1
fi
