"""Golden files for the JSON writer, by Python's json module.

    python3 tests/data/make_json.py

Writes tests/data/json/: value.json (the input), <style>.json (the same as json.dumps writes it in a
style), doubles.txt (bits in hex, repr).
"""

import json
import math
import pathlib
import random
import struct

FOLDER = pathlib.Path(__file__).parent / "json"

VALUE = {
    "z": [1, -2, 0, 18446744073709551615, -9223372036854775808, 9007199254740993],
    "a": {"b": {}, "a": [], "é": [[], {}, [[]]]},
    "text": "plain",
    "escapes": "\"\\/\b\f\n\r\t\u0000\u001f\u007f\u2028\u20ac\U0001f600",
    "": None,
    "true": True,
    "A": False,
    "numbers": [0.1, 1.0, -0.0, 1e16, 1e15, 123456789.125, 1e-4, 1e-5, 5e-324, 1.7976931348623157e308],
    "nested": [{"k": [1, [2, [3, {"deep": "x"}]]]}, "s"],
    "\U0001f600": 1,
    "ａ": 2,
}

STYLES = {
    "compact": dict(separators=(",", ":"), ensure_ascii=False),
    "compact_ascii": dict(separators=(",", ":"), ensure_ascii=True),
    "indent4_ascii": dict(indent=4, ensure_ascii=True),
    "indent2_sorted": dict(indent=2, sort_keys=True, ensure_ascii=False),
    "indent2_sorted_ascii": dict(indent=2, sort_keys=True, ensure_ascii=True),
    "indent0": dict(indent=0, ensure_ascii=False),
}


def main():
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "value.json").write_text(json.dumps(VALUE, ensure_ascii=False), encoding="utf-8")
    for name, style in STYLES.items():
        (FOLDER / f"{name}.json").write_text(json.dumps(VALUE, **style), encoding="utf-8")
    random.seed(7)
    values = [0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, 1e15, 1e16, 1e17, 9999999999999998.0, 1e-4, 1e-5, 12345678901234567890.0]
    values += [10.0**k for k in range(-30, 30, 3)]
    while len(values) < 600:
        bits = random.getrandbits(64)
        value = struct.unpack("<d", struct.pack("<Q", bits))[0]
        if math.isfinite(value):
            values.append(value)
        values.append(random.uniform(-1000, 1000))
        values.append(float(random.randrange(-(10**12), 10**12)) / 8)
    lines = [f"{struct.unpack('<Q', struct.pack('<d', v))[0]:016x} {v!r}" for v in values]
    (FOLDER / "doubles.txt").write_text("\n".join(lines) + "\n")


main()
