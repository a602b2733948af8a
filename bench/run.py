#!/usr/bin/env python3
"""Measures lbrx beside its peers and writes docs/benchmarks.md.

Rounds alternate between the programs, the first round warms both up and is dropped, figures are
medians. Sources are in the page cache; outputs go to /dev/shm where it has room, since a disk's
write-back is noise. The text between the "by hand" marks of docs/benchmarks.md is kept.

    build/peers/bin/python bench/run.py [--rounds 5]
"""

import argparse
import datetime
import os
import pathlib
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from importlib import metadata

import make_sparse
import torch_twin

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/bench"
PROGRAM = ROOT / "build/release/lbrx"
PAGE = ROOT / "docs/benchmarks.md"
PYTHON = ROOT / "build/peers/bin/python"
MLX_CONVERT = ROOT / "build/peers/bin/mlx_lm.convert"
HAND_BEGIN, HAND_END = "<!-- by hand: begin -->", "<!-- by hand: end -->"
MB = 1e6
MODES = ("2bit", "3bit", "5bit", "6bit", "8bit", "mxfp4", "mxfp8", "nvfp4")
MLX_RECIPES = ("mixed_2_6", "mixed_3_4", "mixed_3_6", "mixed_4_6")
RECIPES = (*MLX_RECIPES, "mixed_4_8")


def peak_rss(usage):
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MB


def rss_text(rss):
    return f"{rss:.0f}" if rss > Run.floor * 1.05 else f"under {Run.floor * 1.05:.0f}"


class Run:
    """One run of a command: wall seconds and peak RSS in MB (its largest process).

    The system counts what was there before exec, so a peak below this script's own cannot be seen:
    `floor` says what the figure is then.
    """

    floor = 0.0

    def __init__(self, command):
        begin = time.perf_counter()
        with open(BUILD / "log", "wb") as log:
            child = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=subprocess.STDOUT,
                                     env={**os.environ, "HF_HUB_OFFLINE": "1"})
            _, status, usage = os.wait4(child.pid, 0)
        self.seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        self.rss = peak_rss(usage)
        Run.floor = max(Run.floor, peak_rss(resource.getrusage(resource.RUSAGE_SELF)))
        if child.returncode != 0:
            tail = (BUILD / "log").read_text(errors="replace")[-2000:]
            sys.exit(f"{' '.join(map(str, command))}: exit {child.returncode}\n{tail}")


class Job:
    """A command that is run once a round."""

    def __init__(self, name, command, output=None):
        self.name, self.command, self.output = name, command, output
        self.runs = []

    def round(self, keep):
        run = Run(self.command)
        if self.output:
            shutil.rmtree(self.output)
        if keep:
            self.runs.append(run)

    @property
    def seconds(self):
        return statistics.median(run.seconds for run in self.runs)

    @property
    def rss(self):
        return max(run.rss for run in self.runs)

    def row(self):
        times = [run.seconds for run in self.runs]
        spread = f"{min(times):.3f}-{max(times):.3f}"
        return f"| {self.name} | {self.seconds:.3f} | {spread} | {rss_text(self.rss)} |"


def alternate(jobs, rounds, warm_up=1):
    for number in range(warm_up + rounds):
        for job in jobs:
            job.round(keep=number >= warm_up)
            print(f"  {job.name}", flush=True)
    return jobs


def lbrx(*arguments):
    return [PROGRAM, *arguments, "--progress", "none"]


def output_folder():
    """Where outputs go: memory if 6 GB of it are free, else the disk."""
    shared = pathlib.Path("/dev/shm")
    if shared.is_dir() and shutil.disk_usage(shared).free > 6e9:
        return shared / f"lbrx-bench-{os.getpid()}"
    return BUILD / "out"


def make_sources():
    model = BUILD / "llama-1b"
    if not model.exists():
        print("making the 1.1 B model", flush=True)
        subprocess.run([PYTHON, "-B", ROOT / "bench/make_model.py", model], check=True)
    for name, shards in (("llama-70b", None), ("one-tensor", None), ("many-tensors", 163),
                         ("many-shards", 100)):
        if not (BUILD / name).exists():
            make_sparse.make(BUILD / name, name, shards)
    twin = torch_folder(model)
    if not twin.exists():
        torch_twin.make(model, twin)
    for file in (*model.glob("*.safetensors"), *twin.glob("*.bin")):  # into the page cache
        with open(file, "rb") as data:
            while data.read(1 << 24):
                pass
    return model


def torch_folder(model):
    """The same model in torch's .bin files."""
    return model.with_name(model.name + "-torch")


class Bench:
    def __init__(self, rounds):
        self.rounds = rounds
        self.model = make_sources()
        self.out = output_folder()
        self.out.mkdir(parents=True, exist_ok=True)
        self.tables = []  # (title, jobs)
        self.targets = []  # (what, figure, target, met)

    def table(self, title, jobs, rounds=None, warm_up=1):
        print(title, flush=True)
        self.tables.append((title, alternate(jobs, rounds or self.rounds, warm_up)))
        return jobs

    def target(self, what, figure, unit, limit, at_least=False):
        met = figure >= limit if at_least else figure <= limit
        sign = "at least" if at_least else "at most"
        text = f"{figure:.3g}" if figure < 1000 else f"{figure:.0f}"
        if unit == " MB":
            text = rss_text(figure)
        self.targets.append((what, text + unit, f"{sign} {limit:g}{unit}", met))

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
             Job("`lbrx --help`", [PROGRAM, "--help"]),
             Job("`lbrx inspect` of 100 shards", [PROGRAM, "inspect", BUILD / "many-shards"])],
            rounds=max(self.rounds, 9))
        self.target("plan of 91,991 tensors", plan.seconds, " s", 2)
        self.target("`--help`", help_.seconds * 1000, " ms", 20)
        self.target("`inspect` of 100 shards", inspect.seconds * 1000, " ms", 100)

    def run(self):
        try:
            self.latencies()
            self.conversions()
            self.torch()
            self.modes()
            self.synced()
            self.sizes()
        finally:
            shutil.rmtree(self.out, ignore_errors=True)
            shutil.rmtree(BUILD / "out", ignore_errors=True)


def first_line(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0]


def processor():
    if sys.platform == "darwin":
        return first_line(["sysctl", "-n", "machdep.cpu.brand_string"])
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    peers = ", ".join(f"{name} {metadata.version(name)}" for name in ("mlx", "mlx-lm", "numpy"))
    return "\n".join([
        f"- {datetime.date.today().isoformat()}, {processor()}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB, {platform.system()} {platform.release()}",
        f"- {first_line([str(PROGRAM), '--version'])}",
        f"- {peers}, Python {platform.python_version()}",
    ])


def kernels():
    """What the kernel benchmark prints."""
    found = sorted((ROOT / "build/release").rglob("lbrx_kernel_bench"))
    if not found:
        sys.exit("lbrx_kernel_bench is not built; make bench builds it")
    done = subprocess.run([str(found[0])], capture_output=True, text=True, check=True)
    return done.stdout.rstrip()


def kernel_targets(bench, text):
    """The slowest of each kind of kernel, over all widths, groups, types of values and rules."""
    rows = [(row[1], row[2], [int(figure) for figure in row[3].split()]) for row in
            re.finditer(r"^(\S+) +(BF16|F16|F32) +(\d[\d ]*)$", text, re.M)]
    affine = [row for row in rows if "bit/" in row[0]]
    floating = [row for row in rows if "bit/" not in row[0]]

    def slowest(what, figures, limit):
        bench.target(f"{what}, one thread", min(figures), " Mweights/s", limit, at_least=True)

    slowest("4-bit kernel from bf16 (group 64, the slower rule)",
            [min(f[:2]) for name, dtype, f in rows if (name, dtype) == ("4bit/64", "BF16")], 2000)
    slowest("slowest affine kernel", [min(f[:2]) for _, _, f in affine], 1500)
    slowest("slowest of mxfp4, mxfp8, nvfp4", [min(f[:2]) for _, _, f in floating], 800)
    slowest("slowest decoding", [f[2] for _, _, f in rows], 2500)
    slowest("slowest `--search`", [f[5] for _, _, f in affine], 50)


def by_hand():
    """The hand-written part of the page as it stands."""
    if PAGE.exists():
        text = PAGE.read_text()
        if HAND_BEGIN in text and HAND_END in text:
            return text[text.index(HAND_BEGIN) + len(HAND_BEGIN) : text.index(HAND_END)].strip("\n")
    return ""


def write_page(bench, kernel_text):
    lines = [
        "# Benchmarks", "",
        "Written by `make bench` (bench/run.py). Seconds are medians of the wall clock over "
        f"{bench.rounds} rounds that alternate between the programs, after one to warm up; RSS is "
        "the peak of the largest process. The source is in the page cache and, but where it says "
        f"durable, the output goes to {'memory (/dev/shm)' if 'shm' in str(bench.out) else 'disk'}."
        " Only ratios within one table carry over to another machine.", "",
        machine(), "",
        "## Targets", "", "| what | measured | target | |", "|---|---|---|---|",
    ]
    lines += [f"| {what} | {figure} | {target} | {'met' if met else '**missed**'} |"
              for what, figure, target, met in bench.targets]
    lines += ["", HAND_BEGIN, by_hand(), HAND_END, ""]
    for title, jobs in bench.tables:
        lines += [f"## {title}", "", "| | seconds | spread | peak RSS MB |", "|---|---|---|---|"]
        lines += [job.row() for job in jobs] + [""]
    lines += ["## The quantizer alone", "", "```", kernel_text, "```", ""]
    PAGE.write_text("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="kept rounds (default 3, at least 3)")
    arguments = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    kernel_text = kernels()
    bench = Bench(max(arguments.rounds, 3))
    bench.run()
    kernel_targets(bench, kernel_text)
    write_page(bench, kernel_text)
    print(f"\n{PAGE.relative_to(ROOT)}:")
    for what, figure, target, met in bench.targets:
        print(f"{'met   ' if met else 'MISSED'}  {what}: {figure} ({target})")


if __name__ == "__main__":
    main()
