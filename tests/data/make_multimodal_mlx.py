"""Adds to the models of tests/data/multimodal what mlx-lm makes of their text: the hashes of its
tensors, plain and with 4 bits in groups of 32 (expected_mlx.json, expected_mlx_q4.json).

    build/peers/bin/python tests/data/make_multimodal_mlx.py [FOLDER]
"""

import hashlib
import json
import pathlib
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/peers"))

import mlx_lm

from multimodal import multimodal_source_for_peer
from support import DATA, read_json, read_tensors

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else DATA / "multimodal")
CASES = {"expected_mlx": {}, "expected_mlx_q4": {"quantize": True, "q_bits": 4, "q_group_size": 32}}


def expected(folder):
    tensors = {name: [dtype, shape, hashlib.sha256(data).hexdigest()[:16]]
               for name, (dtype, shape, data) in sorted(read_tensors(folder).items())}
    out = {"tensors": tensors}
    quantization = read_json(folder / "config.json").get("quantization")
    if quantization:
        out["quantization"] = quantization
    return out


for model in sorted(path for path in FOLDER.iterdir() if path.is_dir()):
    with tempfile.TemporaryDirectory() as work:
        source = multimodal_source_for_peer(model, pathlib.Path(work) / "source")
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(DATA / "bard-base" / file, source / file)
        for name, options in CASES.items():
            target = pathlib.Path(work) / name
            mlx_lm.convert(str(source), str(target), **options)
            (model / f"{name}.json").write_text(json.dumps(expected(target)) + "\n")
