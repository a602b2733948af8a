#!/usr/bin/env python3
"""The least that a conversion must do: reads IN, and writes SIZE bytes to OUT meanwhile.

    bench/read_write.py IN OUT SIZE
"""

import os
import sys

BAND = 4 << 20


def main():
    source, target, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    length = os.stat(source).st_size
    buffer = bytearray(BAND)
    read = written = 0
    with open(source, "rb", buffering=0) as reader, open(target, "wb", buffering=0) as writer:
        while got := reader.readinto(buffer):
            read += got
            until = size * read // length
            while written < until:
                written += writer.write(memoryview(buffer)[: min(BAND, until - written)])


if __name__ == "__main__":
    main()
