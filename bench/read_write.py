#!/usr/bin/env python3
"""The least that a conversion or merge must do: reads every IN, and writes SIZE bytes to OUT meanwhile.

    bench/read_write.py IN... OUT SIZE
"""

import os
import sys

BAND = 4 << 20


def main():
    *sources, target, size = sys.argv[1:]
    size = int(size)
    length = sum(os.stat(source).st_size for source in sources)
    buffer = bytearray(BAND)
    read = written = 0
    with open(target, "wb", buffering=0) as writer:
        for source in sources:
            with open(source, "rb", buffering=0) as reader:
                while got := reader.readinto(buffer):
                    read += got
                    until = size * read // length
                    while written < until:
                        written += writer.write(memoryview(buffer)[: min(BAND, until - written)])


if __name__ == "__main__":
    main()
