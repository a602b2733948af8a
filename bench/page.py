"""docs/benchmarks.md: parts that runs of the benchmark write, and text by hand, which they keep."""

import datetime
import os
import pathlib
import platform
import subprocess
import sys
from importlib import metadata

from harness import RELEASE, ROOT

PAGE = ROOT / "docs/benchmarks.md"
HAND_BEGIN, HAND_END = "<!-- by hand: begin -->", "<!-- by hand: end -->"
HEAD = """# Benchmarks

Written by `make bench` (bench/run.py), each part by a run of its own. Seconds are medians of the wall
clock over rounds that alternate between the programs; RSS is the peak of the largest process. The
source is in the page cache and, but where it says durable, the output goes to memory (/dev/shm) where
that has room. Only ratios within one table carry over to another machine.
"""


def first_line(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0]


def processor():
    if sys.platform == "darwin":
        return first_line(["sysctl", "-n", "machdep.cpu.brand_string"])
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def machine(part):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    peers = [f"{name} {metadata.version(name)}" for name in part.peers]
    return [
        f"- {datetime.date.today().isoformat()}, {processor()}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB, {platform.system()} {platform.release()}; {part.rounds} rounds",
        f"- {first_line([str(RELEASE / 'lbrx'), '--version'])}",
        f"- {', '.join([*peers, f'Python {platform.python_version()}'])}",
        *part.notes,
    ]


def marks(name):
    return f"<!-- part {name}: begin -->", f"<!-- part {name}: end -->"


def between(text, begin, end):
    """What stands between two marks; empty where they are missing."""
    if begin not in text or end not in text:
        return ""
    return text[text.index(begin) + len(begin) : text.index(end)].strip("\n")


def part_text(part, before):
    lines = [f"## {part.title}", "", *machine(part), "", "### Targets", "",
             "| what | measured | target | |", "|---|---|---|---|"]
    lines += [f"| {what} | {figure} | {target} | {'met' if met else '**missed**'} |"
              for what, figure, target, met in part.targets]
    lines += ["", HAND_BEGIN, between(before, HAND_BEGIN, HAND_END), HAND_END, ""]
    for title, jobs in part.tables:
        lines += [f"### {title}", "", "| | seconds | spread | peak RSS MB |", "|---|---|---|---|"]
        lines += [job.row() for job in jobs] + [""]
    if part.kernels:
        lines += ["### The quantizers alone", "", "```", part.kernels, "```", ""]
    return "\n".join(lines).rstrip("\n")


def write(parts, names):
    """Puts `parts` into the page; the others of `names` stay as they are."""
    before = PAGE.read_text() if PAGE.exists() else ""
    texts = {name: between(before, *marks(name)) for name in names}
    texts.update({part.name: part_text(part, texts[part.name]) for part in parts})
    blocks = ["\n\n".join((marks(name)[0], text, marks(name)[1]))
              for name, text in texts.items() if text]
    PAGE.write_text("\n\n".join([HEAD.rstrip("\n"), *blocks]) + "\n")
