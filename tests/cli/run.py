#!/usr/bin/env python3
"""Runs the command-line transcripts (*.t) of this folder against a built lbrx.

    run.py --lbrx build/release/lbrx [FILE.t ...]

A transcript is typed in line by line in an empty folder:

    # a comment
    $ lbrx schemes --nonsense            a command, run by sh, stderr after stdout
    lbrx: error: .*unknown option.* (re)  a line of output: exact, or a regular expression
    ...                                  any number of lines
    [2]                                  the exit code, where it is not 0

`lbrx` is on the PATH; $MODEL is a copy of models/tiny-llama, $DATA is tests/data.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 120


def parse(text):
    """Yields (line number, command, expected lines, exit code)."""
    steps = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("$ "):
            steps.append([number, line[2:], [], 0])
        elif line.startswith("> ") and steps and not steps[-1][2]:
            steps[-1][1] += "\n" + line[2:]
        elif line.startswith("#") or not steps:
            if line and not line.startswith("#"):
                raise ValueError(f"line {number}: output before the first command")
        elif re.fullmatch(r"\[\d+\]", line):
            steps[-1][3] = int(line[1:-1])
        else:
            steps[-1][2].append(line)
    for step in steps:
        while step[2] and not step[2][-1]:  # empty lines before the next command
            step[2].pop()
    return steps


def line_matches(pattern, line):
    if pattern.endswith(" (re)"):
        return re.fullmatch(pattern[:-5], line) is not None
    return pattern == line


def output_matches(expected, actual):
    """Whether `actual` lines fit `expected` ones, in which "..." stands for any lines."""
    if not expected:
        return not actual
    if expected[0] == "...":
        return any(output_matches(expected[1:], actual[i:]) for i in range(len(actual) + 1))
    return (bool(actual) and line_matches(expected[0], actual[0])
            and output_matches(expected[1:], actual[1:]))


def run_step(command, folder, environment):
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_SECONDS,
                          check=False)
    text = (done.stdout + done.stderr).decode("utf-8", "backslashreplace")
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines, done.returncode


def run_file(path, lbrx):
    """Returns (commands, failures)."""
    failures = 0
    steps = parse(path.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="lbrx-cli-") as folder:
        tools = pathlib.Path(folder) / "bin"
        work = pathlib.Path(folder) / "work"
        tools.mkdir()
        work.mkdir()
        (tools / "lbrx").symlink_to(lbrx)
        shutil.copytree(ROOT / "models" / "tiny-llama", work / "model")
        environment = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": folder, "LC_ALL": "C.UTF-8",
                       "MODEL": "model", "DATA": str(ROOT / "tests" / "data"), "TMPDIR": folder}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                environment[name] = os.environ[name]
        for number, command, expected, code in steps:
            lines, actual = run_step(command, work, environment)
            if actual == code and output_matches(expected, lines):
                continue
            failures += 1
            print(f"{path.name}:{number}: $ {command}")
            print(f"  expected exit {code}:", *expected, sep="\n    ")
            print(f"  found exit {actual}:", *lines, sep="\n    ")
    return len(steps), failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lbrx", required=True, type=pathlib.Path)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    if not os.access(arguments.lbrx, os.X_OK):
        parser.error(f"no program at {arguments.lbrx}; build it first")
    files = arguments.files or sorted(pathlib.Path(__file__).parent.glob("*.t"))
    commands = failures = 0
    for path in files:
        ran, failed = run_file(path, arguments.lbrx.resolve())
        print(f"{path.name}: {ran} commands, {failed} failed")
        commands += ran
        failures += failed
    print(f"{commands} commands in {len(files)} transcripts, {failures} failed")
    return 1 if failures or not commands else 0


if __name__ == "__main__":
    sys.exit(main())
