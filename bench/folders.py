"""Folders: Hugging Face to MLX, beside mlx-lm."""

import re

import make_sparse
import torch_twin
from harness import BUILD, ROOT, RELEASE, Job, Part, kernels, lbrx, make_model, read_all

MLX_CONVERT = ROOT / "build/peers/bin/mlx_lm.convert"
MODES = ("2bit", "3bit", "5bit", "6bit", "8bit", "mxfp4", "mxfp8", "nvfp4")
MLX_RECIPES = ("mixed_2_6", "mixed_3_4", "mixed_3_6", "mixed_4_6")
RECIPES = (*MLX_RECIPES, "mixed_4_8")


def make_sources():
    model = make_model("llama-1b")
    for name, shards in (("llama-70b", None), ("one-tensor", None), ("many-tensors", 163),
                         ("many-shards", 100)):
        if not (BUILD / name).exists():
            make_sparse.make(BUILD / name, name, shards)
    twin = torch_folder(model)
    if not twin.exists():
        torch_twin.make(model, twin)
    read_all(twin.glob("*.bin"))
    return model


def torch_folder(model):
    """The same model in torch's .bin files."""
    return model.with_name(model.name + "-torch")


class Folders(Part):
    name = "folders"
    title = "Folders: Hugging Face and MLX"
    peers = ("mlx", "mlx-lm", "numpy")

    def __init__(self, rounds):
        super().__init__(rounds)
        self.model = make_sources()

    def conversions(self):
        source, out = self.model, self.out
        copy = Job("`cp -r`", ["cp", "-r", source, out / "cp"], out / "cp")
        plain = Job("`lbrx convert --to mlx --no-sync`",
                    lbrx("convert", source, out / "a", "--to", "mlx", "--no-sync"), out / "a")
        peer = Job("`mlx_lm.convert`",
                   [MLX_CONVERT, "--hf-path", source, "--mlx-path", out / "b"], out / "b")
        self.table("1.1 B Llama, bf16 to MLX bf16", [copy, plain, peer])
        self.target("bf16 to MLX bf16, time against `cp`", plain.seconds / copy.seconds, "x", 0.7)
        self.target("bf16 to MLX bf16, faster than `mlx_lm.convert`",
                    peer.seconds / plain.seconds, "x", 20, at_least=True)

        four = Job("`lbrx quantize -q 4bit --no-sync`",
                   lbrx("quantize", source, out / "c", "-q", "4bit", "--no-sync"), out / "c")
        peer_four = Job("`mlx_lm.convert -q`",
                        [MLX_CONVERT, "--hf-path", source, "--mlx-path", out / "d", "-q"],
                        out / "d")
        self.table("1.1 B Llama, bf16 to MLX 4-bit, group 64", [four, peer_four])
        self.target("bf16 to 4-bit, faster than `mlx_lm.convert -q`",
                    peer_four.seconds / four.seconds, "x", 12, at_least=True)
        self.target("peak RSS of both conversions", max(plain.rss, four.rss), " MB", 256)

    def torch(self):
        """torch .bin as a source, beside the same model in safetensors."""
        def job(kind, source, *options):
            out = self.out / "torch"
            return Job(f"`lbrx convert {' '.join(options)}` from {kind}",
                       lbrx("convert", source, out, *options, "--no-sync"), out)

        for what, options in (("bf16", ("--to", "mlx")), ("4-bit", ("-q", "4bit"))):
            base, torch = self.table(
                f"1.1 B Llama from torch .bin to MLX {what}",
                [job("safetensors", self.model, *options),
                 job("torch", torch_folder(self.model), *options)])
            self.target(f"torch .bin to MLX {what}, time against safetensors",
                        torch.seconds / base.seconds, "x", 1.2)

    def modes(self):
        """Every mode and recipe as a whole conversion, beside the 4-bit one and mlx-lm's."""
        def ours(scheme):
            out = self.out / scheme
            return Job(f"`lbrx quantize -q {scheme} --no-sync`",
                       lbrx("quantize", self.model, out, "-q", scheme, "--no-sync"), out)

        def theirs(recipe):
            out = self.out / "mlx-lm"
            return Job(f"`mlx_lm.convert -q --quant-predicate {recipe}`",
                       [MLX_CONVERT, "--hf-path", self.model, "--mlx-path", out, "-q",
                        "--q-group-size", "64", "--quant-predicate", recipe], out)

        schemes = MODES + RECIPES
        mine = {scheme: ours(scheme) for scheme in ("4bit", *schemes)}
        peers = {recipe: theirs(recipe) for recipe in MLX_RECIPES}
        self.table("1.1 B Llama, bf16 to every mode and recipe",
                   [*mine.values(), *peers.values()])
        for scheme in schemes:
            self.target(f"bf16 to {scheme}, time against 4-bit",
                        mine[scheme].seconds / mine["4bit"].seconds, "x", 1.2)
        for recipe, peer in peers.items():
            self.target(f"bf16 to {recipe}, faster than `mlx_lm.convert`",
                        peer.seconds / mine[recipe].seconds, "x", 12, at_least=True)
        self.target("peak RSS of every mode and recipe",
                    max(job.rss for job in mine.values()), " MB", 256)

    def synced(self):
        disk = BUILD / "out"
        disk.mkdir(exist_ok=True)
        copy = Job("`cp -r && sync`",
                   ["sh", "-c", 'cp -r "$0" "$1" && sync', self.model, disk / "cp"], disk / "cp")
        plain = Job("`lbrx convert --to mlx`",
                    lbrx("convert", self.model, disk / "a", "--to", "mlx"), disk / "a")
        self.table("The same on the disk, durable at exit", [copy, plain])
        self.target("bf16 to MLX bf16 durable, time against `cp && sync`",
                    plain.seconds / copy.seconds, "x", 1)

    def sizes(self):
        def no_output(name):
            return lbrx("quantize", BUILD / name, self.out / "none", "-q", "4bit", "--no-output")

        large, single = self.table(
            "Sources of holes, to 4-bit with --no-output",
            [Job("70B shape, 141 GB", no_output("llama-70b")),
             Job("one tensor of 20 GB", no_output("one-tensor"))], rounds=1, warm_up=0)
        self.target("peak RSS, 70B shape (141 GB)", large.rss, " MB", 256)
        self.target("peak RSS, one tensor of 20 GB", single.rss, " MB", 256)

    def latencies(self):
        plan, help_, inspect = self.table(
            "Small things",
            [Job("plan of 91,991 tensors in 163 shards (`--dry-run`)",
                 lbrx("quantize", BUILD / "many-tensors", self.out / "none", "-q", "4bit",
                      "--dry-run")),
             Job("`lbrx --help`", [RELEASE / "lbrx", "--help"]),
             Job("`lbrx inspect` of 100 shards", [RELEASE / "lbrx", "inspect", BUILD / "many-shards"])],
            rounds=max(self.rounds, 9))
        self.target("plan of 91,991 tensors", plan.seconds, " s", 2)
        self.target("`--help`", help_.seconds * 1000, " ms", 20)
        self.target("`inspect` of 100 shards", inspect.seconds * 1000, " ms", 100)

    def measure(self):
        self.kernels = kernels("lbrx_kernel_bench")
        self.latencies()
        self.conversions()
        self.torch()
        self.modes()
        self.synced()
        self.sizes()
        kernel_targets(self)


def kernel_targets(part):
    """The slowest of each kind of kernel, over all widths, groups, types of values and rules."""
    rows = [(row[1], row[2], [int(figure) for figure in row[3].split()]) for row in
            re.finditer(r"^(\S+) +(BF16|F16|F32) +(\d[\d ]*)$", part.kernels, re.M)]
    affine = [row for row in rows if "bit/" in row[0]]
    floating = [row for row in rows if "bit/" not in row[0]]

    def slowest(what, figures, limit):
        part.target(f"{what}, one thread", min(figures), " Mweights/s", limit, at_least=True)

    slowest("4-bit kernel from bf16 (group 64, the slower rule)",
            [min(f[:2]) for name, dtype, f in rows if (name, dtype) == ("4bit/64", "BF16")], 2000)
    slowest("slowest affine kernel", [min(f[:2]) for _, _, f in affine], 1500)
    slowest("slowest of mxfp4, mxfp8, nvfp4", [min(f[:2]) for _, _, f in floating], 800)
    slowest("slowest decoding", [f[2] for _, _, f in rows], 2500)
    slowest("slowest `--search`", [f[5] for _, _, f in affine], 50)
