"""Golden files for the torch reader, written by torch itself.

    pip install torch==2.15.0 safetensors==0.8.0
    python tests/data/make_torch.py

Writes tests/data/torch/<case>.bin, and beside each that can be read <case>.safetensors with the same
tensors as torch loads them, contiguous. <case>_refused.bin are files that are refused.
"""

import collections
import json
import pathlib
import shutil

import numpy
import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent / "torch"

PLAIN = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16,
         torch.bfloat16, torch.float32, torch.float64, torch.complex64]
NEWER = [torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2,
         torch.float8_e8m0fnu]


def values(dtype, *shape):
    """Bytes from a fixed sequence, as elements of `dtype`; no NaN."""
    count = 1
    for length in shape:
        count *= length
    width = torch.empty(0, dtype=dtype).element_size()
    data = (torch.arange(count * width, dtype=torch.int64) * 37 + 11) % 120
    if dtype == torch.bool:
        data = data % 2
    return data.to(torch.uint8).view(dtype).reshape(shape)


def dtypes(some):
    return {str(dtype).removeprefix("torch."): values(dtype, 3, 5) for dtype in some}


def strided():
    base = values(torch.bfloat16, 6, 10)
    cube = values(torch.float32, 3, 4, 5)
    tied = values(torch.float16, 4, 4)
    return {
        "base": base,
        "transposed": base.t(),
        "rows": base[2:5],
        "columns": base[:, 3:7],
        "every_third": base[:, ::3],
        "every_other_row": base[1::2],
        "column": base[:, 4],
        "diagonal": base.diagonal(),
        "cube": cube,
        "permuted": cube.permute(2, 0, 1),
        "last_two": cube.transpose(1, 2),
        "inner": cube[1, 1:3, 2:],
        "expanded": values(torch.float32, 1, 3).expand(4, 3),
        "expanded_inner": values(torch.int16, 4, 1).expand(4, 7),
        "expanded_scalar": torch.tensor(3.5).expand(2, 2),
        "overlapping": values(torch.uint8, 12).as_strided((5, 4), (2, 1)),
        "one_row": base[3:4].as_strided((1, 10), (7, 1), 30),
        "scalar": torch.tensor(2.25),
        "scalar_view": base[5, 9],
        "empty": torch.empty(0, 4),
        "empty_inner": torch.empty(3, 0, 2, dtype=torch.int64),
        "tied": tied,
        "tied_too": tied,
    }


def with_parameters():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    for i, parameter in enumerate(model.parameters()):
        parameter.data = values(torch.float32, *parameter.shape) + i
    state = model.state_dict(keep_vars=True)
    state["0.weight"].note = "a parameter with an attribute"
    return state


def nested():
    return {
        "epoch": 3,
        "step": numpy.float64(7.5),
        "device": torch.device("cpu"),
        "dtype": torch.bfloat16,
        "seen": {1, 2},
        "raw": b"bytes",
        "ratio": 0.5,
        "many": 2**70,
        "args": {"lr": 0.1, "names": ["a", ("b", None)]},
        "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]},
        "module": {"model": collections.OrderedDict(
            {"layer": {"weight": values(torch.float32, 2, 3), "bias": values(torch.float32, 2)},
             "norm.weight": values(torch.float16, 3), "extra": None})},
    }


def flat(state, prefix=""):
    out = {}
    for key, value in state.items():
        if isinstance(value, torch.Tensor):
            out[prefix + key] = value.detach().contiguous().clone()
        elif isinstance(value, dict):
            out.update(flat(value, prefix + key + "."))
    return out


def write(name, state, tensors=None, **options):
    torch.save(state, FOLDER / f"{name}.bin", **options)
    if not name.endswith("_refused"):
        save_file(flat(tensors or state), FOLDER / f"{name}.safetensors")


def write_shards():
    shards = [dtypes(PLAIN[:5]), dtypes(PLAIN[5:])]
    weight_map, total = {}, 0
    folder = FOLDER / "sharded"
    folder.mkdir()
    for number, state in enumerate(shards, 1):
        name = f"pytorch_model-{number:05d}-of-{len(shards):05d}.bin"
        torch.save(state, folder / name)
        weight_map.update(dict.fromkeys(state, name))
        total += sum(tensor.nbytes for tensor in state.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2))
    (folder / "config.json").write_text('{"model_type": "none"}')


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    legacy = {"_use_new_zipfile_serialization": False}
    write("zip_dtypes", dtypes(PLAIN + NEWER))
    write("legacy_dtypes", dtypes(PLAIN + NEWER), **legacy)
    write("zip_strided", strided())
    write("legacy_strided", strided(), **legacy)
    write("zip_parameters", with_parameters())
    write("legacy_parameters", with_parameters(), **legacy)
    wrapped = nested()
    inner = wrapped["module"]["model"]
    write("zip_nested", wrapped, inner)
    write("legacy_nested", wrapped, inner, **legacy)
    for protocol in (3, 4, 5):
        write(f"protocol{protocol}", strided(), pickle_protocol=protocol)
    write("legacy_protocol4", strided(), pickle_protocol=4, **legacy)
    torch.serialization.set_crc32_options(False)
    write("without_crc", dtypes(PLAIN))
    torch.serialization.set_crc32_options(True)
    write_shards()

    write("complex128_refused", {"w": values(torch.complex128, 2)})
    write("quantized_refused", {"w": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)})
    write("sparse_refused", {"w": torch.eye(3).to_sparse()})
    write("conjugate_refused", {"w": values(torch.complex64, 2).conj()})
    write("meta_refused", {"w": torch.empty(2, device="meta")})
    write("list_refused", [torch.ones(2)])
    write("module_refused", torch.nn.Linear(2, 2))
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(FOLDER / "script_refused.bin"))


main()
