#!/usr/bin/env bash
# clang-tidy 14 on what changed: against the merge base with main, or on main against the last
# commit but one; uncommitted files count. A changed header is read through one source that
# includes it. `--all` reads every source. Needs build/release/compile_commands.json.
set -euo pipefail
cd "$(dirname "$0")/.."

database=build/release
# The database is g++'s; clang need not know each of its flags.
extra=(--extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-unused-command-line-argument)

existing() {
  while read -r file; do [[ -f $file ]] && echo "$file"; done
  return 0
}

all_files() { git ls-files --cached --others --exclude-standard -- '*.cc' '*.h' | existing; }

changed_files() {
  local base=""
  base=$(git merge-base HEAD main 2>/dev/null || true)
  if [[ -n $base && $base == $(git rev-parse HEAD) ]]; then
    base=$(git rev-parse -q --verify HEAD~1 || true)
  fi
  if [[ -z $base ]]; then
    all_files
    return
  fi
  {
    git diff --name-only --diff-filter=d "$base" -- '*.cc' '*.h'
    git ls-files --others --exclude-standard -- '*.cc' '*.h'
  } | sort -u | existing
}

# The source through which a header is read: its own .cc, its test, or one that includes it.
reader_of() {  # HEADER
  local stem=${1%.h} candidate
  for candidate in "$stem.cc" "${stem}_test.cc"; do
    [[ -f $candidate ]] && { echo "$candidate"; return; }
  done
  all_files | grep '\.cc$' | xargs grep -lF "#include \"${1#src/}\"" | head -n 1 || true
}

if [[ ${1:-} == --all ]]; then
  files=$(all_files | grep '\.cc$')
else
  files=$(changed_files | while read -r file; do
    case $file in
      *.cc) echo "$file" ;;
      *.h) reader_of "$file" ;;
    esac
  done | sort -u)
fi

# Only files that are compiled in this build (fuzz targets have a build of their own).
files=$(for file in $files; do
  grep -qF "$PWD/$file\"" "$database/compile_commands.json" && echo "$file"
done; true)
count=$(grep -c . <<<"$files" || true)
if [[ $count -eq 0 ]]; then
  echo "tidy: nothing changed"
  exit 0
fi
# clang-tidy counts suppressed warnings of system headers on stderr: of no interest.
xargs -P "$(getconf _NPROCESSORS_ONLN)" -n 1 \
  clang-tidy-14 --quiet -p "$database" "${extra[@]}" <<<"$files" \
  2> >(grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header-filter' >&2 || true)
echo "tidy: $count files"
