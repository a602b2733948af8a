#!/usr/bin/env python3
"""The order of the rooms, read from the #include lines of src/.

Fails on an include against tools/layers.txt, on a third-party header outside the one file that
adapts it, on a header nobody declared, and on a file longer than 800 lines.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
MAX_LINES = 800

# Third-party headers by prefix. "one": a single file of src/ may include it (the adapter);
# "any": every room may; a path: that file alone; "test": tests only.
THIRD_PARTY = {
    "hwy/": "any",
    "fmt/core.h": "core/base/format.h",
    "fmt/": "one",
    "nlohmann/": "one",
    "CLI/": "one",
    "xxhash.h": "one",
    "openssl/": "one",
    "pcre2.h": "one",
    "yaml.h": "one",
    "gtest/": "test",
    "gmock/": "test",
}

# Headers of the system that have a dot in their name (those of C++ have none).
SYSTEM = re.compile(
    r"(sys|linux|mach|mach-o|arpa|netinet)/\w+\.h"
    r"|(cpuid|dirent|dlfcn|errno|fcntl|fnmatch|glob|immintrin|libgen|limits|poll|pthread|pwd|sched"
    r"|signal|spawn|stdlib|string|termios|time|unistd|wchar|malloc|copyfile|xlocale)\.h"
)

# Written by CMake into the build folder.
GENERATED = {"lbrx_build_info.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def read_layers():
    """{room: level}, the ground being 0."""
    level = {}
    number = 0
    for line in (ROOT / "tools/layers.txt").read_text().splitlines():
        rooms = line.split("#")[0].split()
        if rooms:
            for room in rooms:
                level[room] = number
            number += 1
    return level


def room_of(path, level):
    """The room that a path below src/ belongs to; None where it is in none."""
    parts = path.split("/")
    for length in range(len(parts) - 1, 0, -1):
        if "/".join(parts[:length]) in level:
            return "/".join(parts[:length])
    return None


def is_test(path):
    """foo_test.cc, and test_foo.h with what tests of a room share."""
    name = path.rsplit("/", 1)[-1]
    return name.endswith("_test.cc") or name.startswith("test_")


def prefix_of(header):
    matching = [p for p in THIRD_PARTY if header == p or (p.endswith("/") and header.startswith(p))]
    return max(matching, key=len, default=None)


class Check:
    def __init__(self):
        self.level = read_layers()
        self.problems = []
        self.adapters = {}  # third-party prefix -> files that include it

    def complain(self, path, line, text):
        self.problems.append(f"src/{path}:{line}: {text}")

    def own_include(self, path, room, line, header):
        if header in GENERATED or (is_test(path) and (ROOT / "tests" / header).is_file()):
            return
        if not (SOURCE / header).is_file():
            self.complain(path, line, f'"{header}" is no file of src/; write the path from src/')
            return
        if is_test(header) and not is_test(path):
            self.complain(path, line, f'"{header}" is for tests')
        target = room_of(header, self.level)
        if target is None:
            self.complain(path, line, f'"{header}" belongs to no room of tools/layers.txt')
        elif target != room and self.level[target] >= self.level[room]:
            self.complain(path, line, f"{room} may not include {target} ({header})")

    def foreign_include(self, path, line, header):
        prefix = prefix_of(header)
        if prefix is None:
            if "." in header and not SYSTEM.fullmatch(header):
                self.complain(path, line, f"<{header}> is not declared in tools/check_layers.py")
            return
        where = THIRD_PARTY[prefix]
        if where == "any":
            return
        if where == "test":
            if not is_test(path):
                self.complain(path, line, f"<{header}> outside a test")
        elif where == "one":
            self.adapters.setdefault(prefix, {}).setdefault(path, line)
        elif path != where:
            self.complain(path, line, f"<{header}> is for {where}; include that")

    def file(self, path):
        room = room_of(path, self.level)
        text = (SOURCE / path).read_text()
        lines = text.splitlines()
        if room is None:
            self.complain(path, 1, "in no room of tools/layers.txt")
            return
        if len(lines) > MAX_LINES:
            self.complain(path, 1, f"{len(lines)} lines, at most {MAX_LINES}")
        for number, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            # Highway's own headers are written either way.
            if found[1] == '"' and prefix_of(found[2]) is None:
                self.own_include(path, room, number, found[2])
            else:
                self.foreign_include(path, number, found[2])

    def run(self):
        files = sorted(p for p in SOURCE.rglob("*") if p.suffix in (".h", ".cc"))
        for path in files:
            self.file(path.relative_to(SOURCE).as_posix())
        for prefix, where in self.adapters.items():
            if len(where) > 1:
                for path, line in sorted(where.items()):
                    others = ", ".join(sorted(set(where) - {path}))
                    self.complain(path, line, f"<{prefix}...> belongs in one file; also in {others}")
        for problem in self.problems:
            print(problem, file=sys.stderr)
        if not self.problems:
            print(f"layers: {len(files)} files in {len(self.level)} rooms")
        return 1 if self.problems else 0


if __name__ == "__main__":
    sys.exit(Check().run())
