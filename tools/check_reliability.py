#!/usr/bin/env python3
"""Checks the table of docs/reliability.md against the tests that really ran.

    tools/check_reliability.py build/release/junit.xml [--table docs/reliability.md]

Every case of the list has its row, once. What a row names in backquotes in its last column must be
there and have passed in the run that ctest's JUnit file tells of:

    `formats HostileGguf.IsRefusedWithItsReason`       a ctest program and a GoogleTest case; of a
                                                        parameterized one every instance
    `formats HostileGguf.IsRefusedWithItsReason r48_`   and some row of the test begins with r48_
    `tests/cli/flow.t`                                  a transcript
    `fuzz/corpus/json/too_deep`                         a file that the fuzz targets replay
    `tests/determinism/run.py`                          a script that ctest runs

A row that names nothing says in that column "not yet:" and why.
"""

import argparse
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
CASES = [*range(1, 105), *range(116, 122)]
COLUMNS = 4
# What runs a script: its name among ctest's.
SCRIPTS = {"tests/determinism/run.py": "determinism_process"}


class Run:
    """What ctest ran: programs that passed, and what each printed."""

    def __init__(self, junit):
        self.passed = {}
        self.cases = {}  # of a program: GoogleTest's name -> whether it passed
        for test in ElementTree.parse(junit).getroot().iter("testcase"):
            name, output = test.get("name"), test.findtext("system-out") or ""
            self.passed[name] = output if test.get("status") == "run" else None
            self.cases[name] = {case: state == "OK" for state, case in re.findall(
                r"^\[ +(OK|FAILED) +\] (\S+?\.\S+?)(?:,| \(|$)", output, re.M)}

    def printed(self, program, line):
        """Whether the program passed and printed a line that begins so."""
        output = self.passed.get(program)
        return output is not None and re.search("^" + re.escape(line), output, re.M) is not None

    def case_states(self, program, case):
        """States of a GoogleTest case and its instances: "Prefix/Suite.Name/3" is one of
        "Suite.Name"."""
        suite, name = case.split(".", 1)
        pattern = re.compile(rf"(\w+/)?{re.escape(suite)}(/\w+)?\.{re.escape(name)}(/\S+)?")
        return [state for found, state in self.cases.get(program, {}).items()
                if pattern.fullmatch(found)]


def source_of(case):
    """The text of the file that has the GoogleTest case; "" where there is none."""
    suite, name = case.split(".", 1)
    pattern = re.compile(rf"^TEST(_F|_P)?\(\s*{re.escape(suite)},\s*{re.escape(name)}\)", re.M)
    for folder in ("src", "tests"):
        for path in (ROOT / folder).rglob("*_test.cc"):
            text = path.read_text(encoding="utf-8")
            if pattern.search(text):
                return text
    return ""


def check_case(run, words):
    program, case, *row = words
    states = run.case_states(program, case) if "." in case else []
    if not states:
        return "no such test ran"
    if not all(states):
        return "it failed"
    if row and f'"{row[0]}' not in source_of(case):
        return f"the test has no row {row[0]}"
    return ""


def check_path(run, path):
    if not (ROOT / path).exists():
        return "no such file"
    if path.startswith("tests/cli/"):
        ran = run.printed("cli_transcripts", pathlib.Path(path).name + ":")
    elif path.startswith("fuzz/corpus/"):
        ran = run.printed("fuzz_replay", " ".join(pathlib.Path(path).parts[-2:]))
    elif path in SCRIPTS:
        ran = run.passed.get(SCRIPTS[path]) is not None
    else:
        return "nothing is known to run it"
    return "" if ran else "it did not run, or failed"


def check_reference(run, reference):
    """What is wrong with one name in backquotes; "" where nothing is."""
    words = reference.split()
    if len(words) == 1 and "/" in reference:
        return check_path(run, reference)
    if len(words) in (2, 3):
        return check_case(run, words)
    return "neither a test nor a file"


def rows_of(text):
    """(number, cells) of each row of the table whose first cell is a number."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and cells[0].isdigit():
            yield int(cells[0]), cells


def check_row(run, number, cells):
    if len(cells) != COLUMNS or not all(cells):
        return [f"row {number}: {COLUMNS} cells with text are needed"]
    references = re.findall(r"`([^`]+)`", cells[-1])
    if not references and not cells[-1].startswith("not yet: "):
        return [f"row {number}: names no test, and does not say why"]
    problems = ((each, check_reference(run, each)) for each in references)
    return [f"row {number}: {each}: {problem}" for each, problem in problems if problem]


def check(text, run):
    """(problems, number of rows, number of references)"""
    rows = list(rows_of(text))
    numbers = [number for number, _ in rows]
    problems = [f"row {number}: is missing" for number in CASES if number not in numbers]
    problems += [f"row {number}: is not in the list of cases, or stands twice"
                 for number in sorted(set(numbers))
                 if number not in CASES or numbers.count(number) > 1]
    for number, cells in rows:
        problems += check_row(run, number, cells)
    return problems, len(rows), sum(cells[-1].count("`") // 2 for _, cells in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("junit")
    parser.add_argument("--table", default=ROOT / "docs" / "reliability.md", type=pathlib.Path)
    arguments = parser.parse_args()
    problems, rows, references = check(arguments.table.read_text(encoding="utf-8"),
                                       Run(arguments.junit))
    for problem in problems:
        print(f"{arguments.table}: {problem}", file=sys.stderr)
    if not problems:
        print(f"docs/reliability.md: {rows} cases, {references} named tests, all passed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
