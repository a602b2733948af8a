#!/usr/bin/env python3
"""A Llama of random bf16 weights (normal, sigma 0.02), by default the 1.1 B one in two shards.

    build/peers/bin/python bench/make_model.py build/bench/llama-1b [--shape llama-1b] [--seed 0]

With --tuned N (1, 2...) what a fine-tuning may have made of it: other values of sigma 0.002 are added.
"""

import argparse
import pathlib

import numpy as np

import checkpoints


def random_bf16(random, count, tuning):
    """Normal values rounded to nearest even, as the upper halves of their float32 patterns."""
    values = random.standard_normal(count, np.float32) * np.float32(0.02)
    if tuning is not None:
        values += tuning.standard_normal(count, np.float32) * np.float32(0.002)
    bits = values.view(np.uint32)
    bits += 0x7FFF + ((bits >> 16) & 1)
    return (bits >> 16).astype(np.uint16)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--shape", choices=checkpoints.SHAPES, default="llama-1b")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tuned", type=int, default=0, metavar="N")
    arguments = parser.parse_args()

    shape = checkpoints.SHAPES[arguments.shape]
    random = np.random.default_rng(arguments.seed)
    tuning = np.random.default_rng([arguments.seed, arguments.tuned]) if arguments.tuned else None

    def write_data(file, tensors, _):
        for name, dimensions in tensors:
            count = checkpoints.bf16_bytes(dimensions) // 2
            if "norm" in name:
                np.full(count, 0x3F80, np.uint16).tofile(file)  # 1.0
                continue
            for first in range(0, count, 1 << 24):
                random_bf16(random, min(1 << 24, count - first), tuning).tofile(file)

    shards = checkpoints.shards_by_size(checkpoints.llama_tensors(**shape), 2_000_000_000)
    checkpoints.write_folder(arguments.folder, shape, shards, write_data)


if __name__ == "__main__":
    main()
