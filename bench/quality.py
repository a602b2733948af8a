#!/usr/bin/env python3
"""Size and error of every scheme on one model, as a Markdown table. Python's standard library only.

    python3 bench/quality.py [--lbrx build/release/lbrx] [--model tests/data/bard-base]

Error is the root of the summed squared error of all quantized tensors over the root of their summed
squared values.
"""

import argparse
import json
import math
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
AFFINE = ("8bit", "6bit", "5bit", "4bit", "3bit", "2bit")
RUNS = (
    [(scheme, ()) for scheme in ("mxfp8", "nvfp4", "mxfp4")]
    + [(scheme, ("--search",) * search) for scheme in AFFINE for search in (0, 1)]
    + [(scheme, ("--group-size", "32", *("--search",) * search))
       for scheme in ("4bit", "3bit", "2bit") for search in (0, 1)]
    + [(scheme, ("--search",) * search)
       for scheme in ("mixed_4_8", "mixed_4_6", "mixed_3_6", "mixed_3_4", "mixed_2_6")
       for search in (0, 1)]
    + [("chosen", ("--target-bpw", bits, *("--search",) * search))
       for bits in ("2.75", "3.25", "3.5", "4", "4.5", "5", "6.5") for search in (0, 1)]
)


def measure(lbrx, model, scheme, options):
    """(bits per weight, relative error in percent)"""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        named = () if scheme == "chosen" else ("-q", scheme)
        subprocess.run([lbrx, "quantize", model, f"{folder}/out", *named, *options,
                        "--no-output", "--report", report, "--quiet"], check=True)
        result = json.loads(report.read_text())
    error = value = 0.0
    for tensor in result["tensors"]:
        if tensor.get("relative_error"):
            elements = tensor["bytes"] * 8 / tensor["bits"]
            squared = tensor["rmse"] ** 2 * elements
            error += squared
            value += squared / tensor["relative_error"] ** 2
    return result["bits_per_weight"], 100 * math.sqrt(error / value)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lbrx", default=ROOT / "build/release/lbrx")
    parser.add_argument("--model", default=ROOT / "tests/data/bard-base")
    arguments = parser.parse_args()
    rows = []
    for scheme, options in RUNS:
        bits, error = measure(arguments.lbrx, arguments.model, scheme, options)
        rows.append((bits, error, scheme, " ".join(options)))
    print("| scheme | options | bits a weight | error |\n|---|---|---|---|")
    for bits, error, scheme, options in sorted(rows, key=lambda row: (-row[0], row[1])):
        print(f"| {scheme} | {options or '-'} | {bits:.2f} | {error:.2f}% |")


if __name__ == "__main__":
    main()
