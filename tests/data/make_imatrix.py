"""Writes imatrix/*.gguf but imatrix.gguf, which llama-imatrix made of a small model (imatrix.dat is
its old form, by the same run). Needs the PyPI packages gguf and numpy.

    python3 make_imatrix.py
"""

import pathlib

import gguf
import numpy

OUT = pathlib.Path(__file__).parent / "imatrix"


def write(name, tensors, kind="imatrix", leave_out=(), chunks=None):
    writer = gguf.GGUFWriter(OUT / f"{name}.gguf", "llama")
    writer.kv_data[0].clear()
    writer.add_string("general.type", kind)
    if "datasets" not in leave_out:
        writer.add_array("imatrix.datasets", ["a.txt", "b.txt"])
    if "chunk_count" not in leave_out:
        (chunks or (lambda w: w.add_uint32("imatrix.chunk_count", 7)))(writer)
    if "chunk_size" not in leave_out:
        writer.add_uint32("imatrix.chunk_size", 512)
    for tensor, values in tensors.items():
        writer.add_tensor(tensor, numpy.asarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def f32(values):
    return numpy.array(values, dtype=numpy.float32)


# Three experts of four columns; the second never ran, the third's count is no whole number.
SUMS = f32([[1, 2, 3, 4], [5, 6, 7, 8], [1, 2, 4, 7]])
COUNTS = f32([[2], [0], [3.4]])
X = "blk.0.ffn_up_exps.weight"
GOOD = {f"{X}.in_sum2": SUMS, f"{X}.counts": COUNTS}

OUT.mkdir(exist_ok=True)
write("experts", {**GOOD, f"{X}.in_sum": SUMS})
write("no_counts", {f"{X}.in_sum2": SUMS})
write("no_sums", {f"{X}.counts": COUNTS})
write("half_floats", {f"{X}.in_sum2": SUMS.astype(numpy.float16), f"{X}.counts": COUNTS})
write("uneven", {f"{X}.in_sum2": SUMS, f"{X}.counts": f32([[1]] * 5)})
write("not_a_number", {f"{X}.in_sum2": SUMS * f32([1, 1, numpy.nan, 1]), f"{X}.counts": COUNTS})
write("infinite_count", {f"{X}.in_sum2": SUMS, f"{X}.counts": COUNTS + f32(numpy.inf)})
write("negative", {f"{X}.in_sum2": -SUMS, f"{X}.counts": COUNTS})
write("negative_count", {f"{X}.in_sum2": SUMS, f"{X}.counts": -COUNTS})
write("no_entries", {"blk.0.ffn_up.weight": SUMS})
write("a_model", GOOD, kind="model")
for key in ("datasets", "chunk_count", "chunk_size"):
    write(f"no_{key}", GOOD, leave_out=(key,))
write("text_chunks", GOOD, chunks=lambda w: w.add_string("imatrix.chunk_count", "7"))
