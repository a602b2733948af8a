"""What the peer tests share: the program, tensors as raw bytes, sources that mlx-lm can read."""

import json
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import unittest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import safetensors

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "tests/data"
PROGRAM = pathlib.Path(os.environ.get("LBRX", ROOT / "build/release/lbrx"))

# Fresh with every run; a failure is repeated with LBRX_SEED=... in the environment.
SEED = int(os.environ.get("LBRX_SEED", secrets.randbits(32)))


def lbrx(*arguments):
    """Runs the program; its standard output. A failure carries what it said."""
    command = [str(PROGRAM), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def read_tensors(path):
    """{name: (dtype, shape, bytes)} of a safetensors file, or of all those in a folder."""
    files = sorted(path.glob("model*.safetensors")) if path.is_dir() else [path]
    tensors = {}
    for file in files:
        for name, spec in safetensors.deserialize(file.read_bytes()):
            assert name not in tensors, f"{file}: {name} twice"
            tensors[name] = (spec["dtype"], list(spec["shape"]), bytes(spec["data"]))
    return tensors


def read_json(path):
    return json.loads(path.read_text())


def complete_config(config):
    """Adds the spellings that mlx-lm 0.32 expects to a config written by transformers 5."""
    rope = config.get("rope_parameters")
    if rope:
        config.setdefault("rope_theta", rope["rope_theta"])
        scaling = {k: v for k, v in rope.items() if k != "rope_theta"}
        scaling["type"] = scaling["rope_type"]
        default = rope["rope_type"] == "default"
        config.setdefault("rope_scaling", None if default else scaling)
    if "dtype" in config:
        config.setdefault("torch_dtype", config["dtype"])
    return config


def source_folder(name, target):
    """tests/data/NAME with a tokenizer beside it, as a user would have it."""
    shutil.copytree(DATA / name, target)
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        if not (target / file).exists():
            shutil.copy(DATA / "bard-base" / file, target / file)
    return target


def source_for_peer(source, target):
    """A copy of a source folder with both spellings in its config."""
    shutil.copytree(source, target)
    config = complete_config(read_json(target / "config.json"))
    (target / "config.json").write_text(json.dumps(config, indent=2))
    return target


def array_bytes(array):
    """The bytes of an mlx array as they stand in memory."""
    import mlx.core as mx

    views = {1: mx.uint8, 2: mx.uint16, 4: mx.uint32}
    return np.array(array.view(views[array.dtype.size])).tobytes()


class PeerTest(unittest.TestCase):
    """A test with a folder of its own, `self.folder`, shared by the class."""

    @classmethod
    def setUpClass(cls):
        cls._temporary = tempfile.TemporaryDirectory(prefix="lbrx-peers-")
        cls.addClassCleanup(cls._temporary.cleanup)
        cls.folder = pathlib.Path(cls._temporary.name)

    def assert_same_tensors(self, ours, theirs):
        """Same names, dtypes, shapes and bytes."""
        self.assertEqual(sorted(ours), sorted(theirs))
        for name, (dtype, shape, data) in theirs.items():
            self.assertEqual(ours[name][:2], (dtype, shape), name)
            if ours[name][2] != data:
                a = np.frombuffer(ours[name][2], np.uint8)
                b = np.frombuffer(data, np.uint8)
                where = np.flatnonzero(a != b)
                self.fail(f"{name}: {where.size} of {b.size} bytes differ, first at {where[0]}")
