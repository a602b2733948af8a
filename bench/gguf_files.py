"""GGUF files, beside llama.cpp.

llama-quantize is taken from build/peers/llama.cpp/bin (tools/peers.sh), or from LLAMA_CPP_BIN. Its
converter needs torch and the sources of llama.cpp: it is measured where LLAMA_CPP_SOURCE names them
and LLAMA_CPP_PYTHON a Python with torch (bench/hf_to_gguf.py), and left out otherwise.
"""

import json
import os
import pathlib
import struct
import sys

import checkpoints
from harness import BUILD, ROOT, RELEASE, Job, Part, Run, kernels, lbrx, make_model, read_all

LLAMA = pathlib.Path(os.environ.get("LLAMA_CPP_BIN", ROOT / "build/peers/llama.cpp/bin"))
THREADS = "2"  # of both programs
# (file type, at least so many times as fast with AVX-512, with AVX2)
LARGE = (("Q5_K_M", 8, 5), ("Q6_K", 8, 5), ("Q3_K_M", 8, 5), ("Q2_K", 8, 5), ("Q4_0", 4, 3),
         ("Q8_0", 4, 3), ("MXFP4", 4, 3))
SMALL = ("IQ4_XS", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ2_XS")  # 8 and 5 times
SLOW = 12  # seconds of llama-quantize beyond which one run of it must do


def columns(shape):
    """(GGUF's name, row length) of the matrices that importance is measured of."""
    names = {"mlp.down_proj": "ffn_down", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
             "self_attn.k_proj": "attn_k", "self_attn.o_proj": "attn_output",
             "self_attn.q_proj": "attn_q", "self_attn.v_proj": "attn_v"}
    for name, dimensions in checkpoints.llama_tensors(**shape):
        if name == "lm_head.weight":
            yield "output.weight", dimensions[1]
        for theirs, gguf in names.items():
            if f".{theirs}." in name:
                yield f"blk.{name.split('.')[2]}.{gguf}.weight", dimensions[1]


def make_imatrix(path, shape):
    """An importance matrix of random positive sums, in the older of the two formats."""
    import numpy as np

    random = np.random.default_rng(0)
    entries = list(columns(shape))
    with open(path, "wb") as file:
        file.write(struct.pack("<i", len(entries)))
        for name, count in entries:
            sums = (random.standard_normal(count, np.float32) ** 2 + np.float32(1e-3)).tobytes()
            file.write(struct.pack("<i", len(name)) + name.encode())
            file.write(struct.pack("<ii", 1, count) + sums)


def folder_bytes(folder):
    return sum(file.stat().st_size for file in folder.iterdir())


def require_same(ours, theirs):
    """Exits unless the data of both files, which is what stands at their ends, is the same."""
    Run([RELEASE / "lbrx", "inspect", ours, "--json"])
    size = json.loads((BUILD / "log").read_text())["bytes"]
    with open(ours, "rb") as one, open(theirs, "rb") as other:
        one.seek(-size, os.SEEK_END)
        other.seek(-size, os.SEEK_END)
        while band := one.read(1 << 24):
            if band != other.read(1 << 24):
                sys.exit(f"{ours.name}: other bytes than llama-quantize's")


class GgufFiles(Part):
    name = "gguf"
    title = "GGUF"
    peers = ("numpy",)

    def __init__(self, rounds):
        super().__init__(rounds)
        self.large = make_model("llama-1b")
        self.small = make_model("llama-290m")
        if not (LLAMA / "llama-quantize").exists():
            sys.exit(f"{LLAMA}/llama-quantize is missing; tools/peers.sh builds it")
        self.avx512 = self.target_name().startswith(("AVX3", "AVX-512"))
        self.notes.append("- llama.cpp: llama-quantize and ggml of llama-cpp-python 0.3.36, both "
                          f"programs with {THREADS} threads; what took it more than {SLOW} s was "
                          "run once. Every file and every row had its bytes")

    @staticmethod
    def target_name():
        version = Run([RELEASE / "lbrx", "--version", "--json"])
        del version
        return json.loads((BUILD / "log").read_text())["simd"]

    def in_gguf(self, folder, *options, name="bf16"):
        """The model as a GGUF file in the cache, made by lbrx."""
        path = BUILD / f"{folder.name}-{name}.gguf"
        if not path.exists():
            Run(lbrx("quantize" if options else "convert", folder, path, *options, "--no-sync"))
        read_all([path])
        return path

    def imatrix(self, name):
        path = BUILD / f"{name}-imatrix.dat"
        if not path.exists():
            make_imatrix(path, checkpoints.SHAPES[name])
        return path

    def from_folder(self):
        out = self.out / "plain.gguf"
        copy = Job("`cp -r`", ["cp", "-r", self.large, self.out / "cp"], self.out / "cp")
        ours = Job("`lbrx convert DIR x.gguf --no-sync`",
                   lbrx("convert", self.large, out, "--no-sync"), out)
        jobs = [copy, ours]
        source, python = (os.environ.get(f"LLAMA_CPP_{what}") for what in ("SOURCE", "PYTHON"))
        if source and python:
            theirs = self.out / "theirs.gguf"
            jobs.append(Job("`convert_hf_to_gguf.py --outtype bf16`",
                            [python, "-B", ROOT / "bench/hf_to_gguf.py", source, self.large,
                             "--outtype", "bf16", "--outfile", theirs], theirs))
        self.table("1.1 B Llama, Hugging Face bf16 to GGUF bf16", jobs)
        self.target("bf16 folder to GGUF, time against `cp`", ours.seconds / copy.seconds, "x", 0.7)
        if len(jobs) > 2:
            self.target("bf16 folder to GGUF, faster than `convert_hf_to_gguf.py`",
                        jobs[2].seconds / ours.seconds, "x", 20, at_least=True)
        else:
            self.notes.append("- `convert_hf_to_gguf.py` was not measured: no Python with torch")
        self.rss = [ours.rss]

    def to_folder(self, what, source, options):
        """Beside a program that reads as many bytes and writes as many."""
        out = self.out / "folder"
        ours = Job(f"`lbrx convert` {what} `--no-sync`",
                   lbrx("convert", source, out, *options, "--no-sync"), out)
        Run(ours.command)
        size = folder_bytes(out)
        Run(["rm", "-r", out])
        floor = self.out / "floor"
        least = Job(f"reading {source.stat().st_size / 1e9:.2f} GB, writing {size / 1e9:.2f} GB",
                    [sys.executable, "-B", ROOT / "bench/read_write.py", source, floor, size],
                    floor)
        self.table(f"1.1 B Llama, GGUF {what}", [least, ours])
        self.target(f"GGUF {what}, time against reading and writing",
                    ours.seconds / least.seconds, "x", 1.5)
        self.rss.append(ours.rss)

    def pair(self, source, file_type, imatrix=None):
        """(lbrx's, llama-quantize's) job of one file type."""
        names = [self.out / "ours.gguf", self.out / "theirs.gguf"]
        options = ["--imatrix", imatrix] if imatrix else []
        own, what = list(options), file_type
        if file_type == "MXFP4":  # of every matrix; the mix for experts is Q8_0 elsewhere
            options, own, what = [*options, "--pure"], [*own, "--pure"], "MXFP4_MOE"
        label = f"{file_type}{' with an imatrix' if imatrix else ''}"
        return (Job(f"{label}: `lbrx quantize --no-sync`",
                    lbrx("quantize", source, names[0], what, *own, "--threads", THREADS,
                         "--no-sync"), names[0]),
                Job(f"{label}: `llama-quantize`",
                    [LLAMA / "llama-quantize", *options, source, names[1], what, THREADS],
                    names[1]))

    def quantize(self, title, source, rows):
        """`rows`: (file type, imatrix or None, limits)."""
        self.tables.append((title, []))
        for file_type, imatrix, limits in rows:
            print(f"{title}: {file_type}", flush=True)
            ours, theirs = self.pair(source, file_type, imatrix)
            Run(ours.command)
            first = Run(theirs.command)
            require_same(ours.output, theirs.output)
            for job in (ours, theirs):
                job.output.unlink()
            slow = first.seconds > SLOW
            theirs.runs += [first] * slow
            for _ in range(self.rounds):
                ours.round(keep=True)
                if not slow:
                    theirs.round(keep=True)
            self.tables[-1][1].extend((ours, theirs))
            limit = limits[0 if self.avx512 else 1]
            what = ours.name.split(":")[0]
            self.target(f"{what}, faster than `llama-quantize`", theirs.seconds / ours.seconds,
                        "x", limit, at_least=True)
            self.rss.append(ours.rss)

    def measure(self):
        self.kernels = kernels("lbrx_ggml_bench", LLAMA / "libggml-base.so")
        self.from_folder()
        self.to_folder("Q8_0 to Hugging Face bf16",
                       self.in_gguf(self.large, "-q", "Q8_0", name="Q8_0"), ())
        self.to_folder("Q4_0 to MLX", self.in_gguf(self.large, "-q", "Q4_0", name="Q4_0"),
                       ("--to", "mlx"))
        weights = self.imatrix("llama-1b")
        self.quantize("1.1 B Llama, GGUF bf16 to file types", self.in_gguf(self.large),
                      [("Q4_K_M", None, (10, 6)), ("Q4_K_M", weights, (10, 6)),
                       *((name, None, limits) for name, *limits in LARGE)])
        weights = self.imatrix("llama-290m")
        self.quantize("290 M Llama, GGUF bf16 to file types with an imatrix",
                      self.in_gguf(self.small), [(name, weights, (8, 5)) for name in SMALL])
        self.target("peak RSS of every job of lbrx", max(self.rss), " MB", 256)
