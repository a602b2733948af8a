"""What the parts of the benchmark share: running commands, tables, targets."""

import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/bench"
RELEASE = pathlib.Path(os.environ.get("LBRX_BUILD", ROOT / "build/release"))
PYTHON = ROOT / "build/peers/bin/python"
MB = 1e6


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
        if self.output and self.output.is_dir():
            shutil.rmtree(self.output)
        elif self.output:
            self.output.unlink()
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
    return [RELEASE / "lbrx", *arguments, "--progress", "none"]


def output_folder():
    """Where outputs go: memory if 6 GB of it are free, else the disk."""
    shared = pathlib.Path("/dev/shm")
    if shared.is_dir() and shutil.disk_usage(shared).free > 6e9:
        return shared / f"lbrx-bench-{os.getpid()}"
    return BUILD / "out"


def read_all(files):
    """Brings files into the page cache."""
    for file in files:
        with open(file, "rb") as data:
            while data.read(1 << 24):
                pass


def make_model(name, tuned=0):
    """The folder of a model of that shape (bench/checkpoints.py), made if need be, in the cache.

    `tuned`: of a fine-tuning of it.
    """
    folder = BUILD / (f"{name}-tuned{tuned}" if tuned else name)
    if not folder.exists():
        print(f"making {folder.name}", flush=True)
        subprocess.run([PYTHON, "-B", ROOT / "bench/make_model.py", folder, "--shape", name,
                        "--tuned", str(tuned)], check=True)
    read_all(folder.glob("*.safetensors"))
    return folder


def kernels(name, *arguments):
    """What a benchmark of kernels prints."""
    found = sorted(RELEASE.rglob(name))
    if not found:
        sys.exit(f"{name} is not built; make bench builds it")
    done = subprocess.run([found[0], *arguments], capture_output=True, text=True, check=True)
    return done.stdout.rstrip()


class Part:
    """A part of the page: tables of jobs, targets, and the output of the kernel benchmark."""

    name = title = ""
    peers = ()  # Python packages whose versions are told

    def __init__(self, rounds):
        self.rounds = rounds
        self.out = output_folder()
        self.out.mkdir(parents=True, exist_ok=True)
        self.tables = []  # (title, jobs)
        self.targets = []  # (what, figure, target, met)
        self.notes = []  # lines about the machine and the peers
        self.kernels = ""

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

    def measure(self):
        raise NotImplementedError

    def run(self):
        try:
            self.measure()
        finally:
            shutil.rmtree(self.out, ignore_errors=True)
            shutil.rmtree(BUILD / "out", ignore_errors=True)
