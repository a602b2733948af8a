"""What the peer tests share: the program, tensors as raw bytes, sources that mlx-lm can read."""

import contextlib
import io
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
FOLDER = ROOT / "tests/peers"
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
    rope = config.get("rope_parameters") or {}
    if "full_attention" in rope:  # a row for each kind of layer
        config.setdefault("rope_theta", rope["full_attention"]["rope_theta"])
        config.setdefault("rope_local_base_freq", rope["sliding_attention"]["rope_theta"])
    elif rope:
        config.setdefault("rope_theta", rope["rope_theta"])
        scaling = {k: v for k, v in rope.items() if k != "rope_theta"}
        scaling["type"] = scaling["rope_type"]
        default = rope["rope_type"] == "default"
        config.setdefault("rope_scaling", None if default else scaling)
        if "partial_rotary_factor" in rope:
            config.setdefault("partial_rotary_factor", rope["partial_rotary_factor"])
    if "num_local_experts" in config:
        config.setdefault("num_experts", config["num_local_experts"])
    if "n_positions" in config:
        config.setdefault("n_ctx", config["n_positions"])
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


def quantized_modules(folder):
    """{module: (group, bits, mode)} of an MLX folder: what its `quantization` block means.

    A module's own row counts before the block's; mlx-lm writes null for a group that its recipes
    were not told, meaning the block's.
    """
    block = read_json(folder / "config.json").get("quantization", {})
    meaning = {}
    for name in read_tensors(folder):
        module, _, last = name.rpartition(".")
        if last == "scales":
            row = {**block, **{k: v for k, v in block.get(module, {}).items() if v is not None}}
            meaning[module] = (row["group_size"], row["bits"], row.get("mode", "affine"))
    return meaning


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

    def convert_both(self, source, options, peer_options):
        """(our folder, mlx_lm.convert's) for one source, both with the rounding of a CPU."""
        import mlx_lm

        work = pathlib.Path(tempfile.mkdtemp(prefix=source.name + "-", dir=self.folder))
        ours, theirs = work / "ours", work / "theirs"
        rule = ["--mlx-rule", "cpu"] if "-q" in options else []
        lbrx("convert", source, ours, *options, *rule, "--no-sync", "--quiet")
        with contextlib.redirect_stdout(io.StringIO()):
            mlx_lm.convert(str(source_for_peer(source, work / "source")), str(theirs),
                           **peer_options)
        return ours, theirs

    def assert_same_model(self, ours, theirs):
        """The same arrays, quantized in the same way."""
        self.assert_same_tensors(read_tensors(ours), read_tensors(theirs))
        self.assertEqual(quantized_modules(ours), quantized_modules(theirs))
        config = read_json(ours / "config.json")
        self.assertEqual(config.get("quantization"), config.get("quantization_config"))
        self.assertNotIn("null", json.dumps(config.get("quantization", "")))

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
