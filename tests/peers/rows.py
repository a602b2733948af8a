"""Rows of numbers that quantizers get wrong."""

import numpy as np

BITS = (1, 2, 3, 4, 5, 6, 8)


def tie_row(random, columns, bits):
    """Multiples of half a step between 0 and the largest code: every second one is a tie."""
    steps = (1 << bits) - 1
    row = random.integers(0, 2 * steps + 1, columns) / 2
    row[::32], row[1::32] = 0, steps
    return row * random.choice([-1, 1]) / 64


def rows_of(random, columns):
    """One row of each kind that quantizers get wrong."""
    normal = lambda: random.standard_normal(columns) * 0.02
    outlier = normal()
    outlier[random.integers(0, columns, 4)] *= 200
    single = np.zeros(columns)
    single[random.integers(0, columns)] = random.choice([-0.4375, 0.4375])
    rows = [
        normal(),
        np.zeros(columns),
        np.where(np.arange(columns) % 2, -0.0, 0.0),
        np.full(columns, random.uniform(0.001, 2)),
        np.full(columns, -random.uniform(0.001, 2)),
        outlier,
        -np.abs(normal()) - 0.001,
        np.abs(normal()) + 0.001,
        random.integers(-100, 101, columns) * 2.0**-133,  # denormal in bf16 and f32, zero in f16
        random.integers(-100, 101, columns) * 2.0**-24,  # denormal in f16
        normal() * 1e-5,
        np.clip(normal() * 1e6, -3e4, 3e4),
        1 + random.integers(0, 50, columns) / 128,
        single,
    ]
    return rows + [tie_row(random, columns, bits) for bits in BITS]


def matrix(random, rows, columns):
    parts = []
    while len(parts) < rows:
        parts += rows_of(random, columns)
    return np.stack(parts[:rows]).astype(np.float32)
