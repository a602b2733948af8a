#!/usr/bin/env python3
"""ARCHITECTURE.md has a paragraph for each folder of src/ with files, and for no other.

A room's paragraph begins with its folder in bold code: **`core/base`**.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    source = ROOT / "src"
    folders = {
        p.parent.relative_to(source).as_posix()
        for p in source.rglob("*")
        if p.suffix in (".h", ".cc")
    }
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = re.findall(r"^(?:- )?\*\*`([a-z0-9_/]+?)/?`\*\*", text, re.M)
    problems = [f"src/{f} has no paragraph" for f in sorted(folders - set(named))]
    problems += [f"src/{f} is described and does not exist" for f in sorted(set(named) - folders)]
    twice = {f for f in named if named.count(f) > 1}
    problems += [f"src/{f} is described twice" for f in sorted(twice)]
    for problem in problems:
        print(f"ARCHITECTURE.md: {problem}", file=sys.stderr)
    if not problems:
        print(f"rooms: {len(folders)} folders described")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
