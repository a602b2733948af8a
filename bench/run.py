#!/usr/bin/env python3
"""Measures lbrx beside its peers and writes docs/benchmarks.md.

Rounds alternate between the programs, the first round warms both up and is dropped, figures are
medians. Sources are in the page cache; outputs go to /dev/shm where it has room, since a disk's
write-back is noise. The text between the "by hand" marks of docs/benchmarks.md is kept, and so are
the parts that are not asked for.

    build/peers/bin/python bench/run.py [--rounds 5] [--part gguf]
"""

import argparse

import page
from folders import Folders
from gguf_files import GgufFiles
from harness import BUILD, ROOT
from merges import Merges

PARTS = (Folders, GgufFiles, Merges)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="kept rounds (default 3)")
    parser.add_argument("--part", choices=[part.name for part in PARTS], action="append",
                        help="this part of the page alone; repeatable")
    arguments = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    parts = [part(max(arguments.rounds, 1)) for part in PARTS
             if not arguments.part or part.name in arguments.part]
    for part in parts:
        part.run()
    page.write(parts, [part.name for part in PARTS])
    print(f"\n{page.PAGE.relative_to(ROOT)}:")
    for part in parts:
        for what, figure, target, met in part.targets:
            print(f"{'met   ' if met else 'MISSED'}  {what}: {figure} ({target})")


if __name__ == "__main__":
    main()
