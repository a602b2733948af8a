#!/usr/bin/env python3
"""Checkpoints of any size that take no space: real headers over files of holes (all zeros).

    python3 bench/make_sparse.py build/bench/llama-70b --shape llama-70b [--shards N]
"""

import argparse
import pathlib

import checkpoints


def make(folder, shape_name, shards=None):
    shape = checkpoints.SHAPES[shape_name]
    tensors = checkpoints.llama_tensors(**shape)
    parts = (checkpoints.shards_by_count(tensors, shards) if shards
             else checkpoints.shards_by_size(tensors, 5_000_000_000))
    checkpoints.write_folder(folder, shape, parts,
                             lambda file, _, size: file.truncate(file.tell() + size))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--shape", choices=checkpoints.SHAPES, default="llama-70b")
    parser.add_argument("--shards", type=int, help="this many; otherwise one for each 5 GB")
    arguments = parser.parse_args()
    make(arguments.folder, arguments.shape, arguments.shards)


if __name__ == "__main__":
    main()
