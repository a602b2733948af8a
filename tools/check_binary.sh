#!/usr/bin/env bash
# The program needs glibc alone, stays small, and only cli/ prints or ends the process.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/release
limit_mb=12
failed=0
complain() {
  echo "$*" >&2
  failed=1
}

foreign=$(ldd "$build/lbrx" | awk '{print $1}' |
  grep -vE '^(linux-vdso|/lib64/ld-linux-x86-64|/lib/ld-linux-aarch64|lib(c|m|dl|pthread|rt|resolv))\.so' || true)
[[ -z $foreign ]] || complain "binary: links more than glibc:" $foreign

strip -o "$build/lbrx.stripped" "$build/lbrx"
size=$(stat -c %s "$build/lbrx.stripped")
rm "$build/lbrx.stripped"
((size <= limit_mb << 20)) || complain "binary: $size bytes stripped, ceiling $limit_mb MiB"

# Code below cli/ reports by throwing; printing and exiting are the program's business. The table
# names what a third-party header brings in and our code never reaches (fmt's assertions).
# allowed: format.cc.o fprintf
# allowed: json.cc.o __assert_fail
banned='abort|_?exit|quick_exit|__assert_fail|v?f?printf|__v?f?printf_chk|f?puts|putchar|perror'
banned+='|_ZSt4cout|_ZSt4cerr|_ZSt4clog'
allowed=$(sed -n 's/^# allowed: //p' "$0")
for archive in "$build"/liblbrx_*.a; do
  case $archive in *liblbrx_cli.a | *liblbrx_test_support.a) continue ;; esac
  while read -r object symbol; do
    grep -qxF "$object $symbol" <<<"$allowed" || complain "binary: $object uses $symbol"
  done < <(nm -A -u "$archive" 2>/dev/null | awk -v banned="^($banned)$" '
    { split($1, part, ":"); sub(/@.*/, "", $NF); if ($NF ~ banned) print part[2], $NF }')
done

[[ $failed -eq 0 ]] && echo "binary: glibc alone, $size bytes stripped"
exit "$failed"
