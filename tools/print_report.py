#!/usr/bin/env python3
"""A table of what `lbrx quantize --report FILE` wrote: per tensor scheme, bits and error."""

import json
import sys


def number(value, form):
    return "-" if value is None else format(value, form)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file)
    rows = [("tensor", "scheme", "bits", "rmse", "relative", "max error", "SNR dB")]
    for tensor in report["tensors"]:
        rows.append(
            (
                tensor["name"],
                tensor["scheme"],
                number(tensor.get("bits"), ".2f"),
                number(tensor.get("rmse"), ".3e"),
                number(tensor.get("relative_error"), ".4f"),
                number(tensor.get("max_error"), ".3e"),
                number(tensor.get("snr_db"), ".1f"),
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        left = [row[i].ljust(widths[i]) for i in (0, 1)]
        right = [row[i].rjust(widths[i]) for i in range(2, len(row))]
        print("  ".join(left + right))


if __name__ == "__main__":
    main()
