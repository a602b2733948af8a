#!/usr/bin/env python3
"""Size and error of every scheme on one model, as a Markdown table. Python's standard library only.

    python3 bench/quality.py [--gguf] [--lbrx build/release/lbrx] [--model tests/data/bard-base]

Error is the root of the summed squared error of all quantized tensors over the root of their summed
squared values. With --gguf it is GGUF's file types, without and with an importance matrix.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys
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


GGUF_FLOATS = ("F32", "F16", "BF16", "COPY")


def measure(lbrx, model, scheme, options, name="out"):
    """(bits per weight, relative error in percent); None where the scheme is refused."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        named = () if scheme == "chosen" else ("-q", scheme)
        done = subprocess.run([lbrx, "quantize", model, f"{folder}/{name}", *named, *options,
                               "--no-output", "--report", report, "--quiet"],
                              capture_output=True, text=True, check=False)
        if done.returncode == 2 and "importance" in done.stderr:
            return None
        if done.returncode != 0:
            sys.exit(f"{scheme}: {done.stderr}")
        result = json.loads(report.read_text())
    error = value = 0.0
    for tensor in result["tensors"]:
        if tensor.get("relative_error"):
            elements = tensor["bytes"] * 8 / tensor["bits"]
            squared = tensor["rmse"] ** 2 * elements
            error += squared
            value += squared / tensor["relative_error"] ** 2
    return result["bits_per_weight"], 100 * math.sqrt(error / value)


def mlx_table(lbrx, model):
    rows = []
    for scheme, options in RUNS:
        bits, error = measure(lbrx, model, scheme, options)
        rows.append((bits, error, scheme, " ".join(options)))
    print("| scheme | options | bits a weight | error |\n|---|---|---|---|")
    for bits, error, scheme, options in sorted(rows, key=lambda row: (-row[0], row[1])):
        print(f"| {scheme} | {options or '-'} | {bits:.2f} | {error:.2f}% |")


def gguf_table(lbrx, model, imatrix):
    listed = json.loads(subprocess.run([lbrx, "schemes", "--json"], capture_output=True,
                                       check=True).stdout)["file_types"]
    # MXFP4_MOE is Q8_0 in a model without experts.
    types = [row["name"] for row in listed
             if row["name"] not in (*GGUF_FLOATS, "MXFP4_MOE")] + ["mxfp4"]
    rows = []
    for scheme in types:
        plain = measure(lbrx, model, scheme, (), "out.gguf")
        helped = measure(lbrx, model, scheme, ("--imatrix", imatrix), "out.gguf")
        rows.append((helped[0], scheme, plain, helped))
    print("| file type | bits a weight | error | with an imatrix |\n|---|---|---|---|")
    for bits, scheme, plain, helped in sorted(rows, reverse=True):
        print(f"| {scheme} | {bits:.2f} | {f'{plain[1]:.2f}%' if plain else 'refused'} "
              f"| {helped[1]:.2f}% |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gguf", action="store_true")
    parser.add_argument("--lbrx", default=ROOT / "build/release/lbrx")
    parser.add_argument("--model", default=ROOT / "tests/data/bard-base")
    parser.add_argument("--imatrix", default=ROOT / "tests/data/imatrix/imatrix.gguf")
    arguments = parser.parse_args()
    if arguments.gguf:
        gguf_table(arguments.lbrx, arguments.model, arguments.imatrix)
    else:
        mlx_table(arguments.lbrx, arguments.model)


if __name__ == "__main__":
    main()
