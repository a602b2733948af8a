"""Merges, beside mergekit.

mergekit needs torch: it is measured where MERGEKIT_PYTHON names a Python that has mergekit 0.1.5, and
left out otherwise. It takes minutes, so it runs once for each method.
"""

import os
import subprocess
import sys

from harness import ROOT, Job, Part, lbrx, make_model

# (method, at least so many times as fast as mergekit, members, parameters of each, of all)
METHODS = (
    ("linear", 15, 2, "weight: 0.5", ""),
    ("slerp", 15, 2, "", "t: 0.4"),
    ("task_arithmetic", 15, 2, "weight: 0.6", ""),
    ("ties", 25, 2, "weight: 0.6, density: 0.5", "normalize: true"),
    ("dare_ties", 25, 2, "weight: 0.6, density: 0.5", ""),
    ("della", 25, 2, "weight: 0.6, density: 0.5", "epsilon: 0.1"),
    ("breadcrumbs", 25, 2, "weight: 0.6, density: 0.8, gamma: 0.05", ""),
    ("model_stock", 10, 2, "", ""),
)
WITHOUT_BASE = ("linear",)


def config_text(method, models, each, together):
    """The YAML of a merge of models[1:], whose base is models[0]; slerp's is one of its two."""
    base, *members = models
    lines = ["models:"]
    for model in members:
        lines.append(f"  - model: {model}")
        if each:
            lines.append(f"    parameters: {{{each}}}")
    lines.append(f"merge_method: {method}")
    if method not in WITHOUT_BASE:
        lines.append(f"base_model: {members[0] if method == 'slerp' else base}")
    if together:
        lines.append(f"parameters: {{{together}}}")
    return "\n".join([*lines, "dtype: bfloat16", ""])


class Merges(Part):
    name = "merge"
    title = "Merges"
    peers = ("numpy",)

    def __init__(self, rounds):
        super().__init__(rounds)
        self.models = [make_model("llama-1b", tuned) for tuned in range(3)]
        self.python = os.environ.get("MERGEKIT_PYTHON")
        self.notes.append(f"- {self.peer()}")

    def peer(self):
        if not self.python:
            return "mergekit was not measured: MERGEKIT_PYTHON names no Python with it"
        code = ("import torch, importlib.metadata as m; "
                "print('mergekit', m.version('mergekit'), 'with torch', torch.__version__, 'on',"
                " torch.get_num_threads(), 'threads')")
        done = subprocess.run([self.python, "-c", code], capture_output=True, text=True, check=True)
        return (f"{done.stdout.strip()}, `--lazy-unpickle --no-write-model-card`, one run a method; "
                "lbrx `--no-sync`. Models: a base and two fine-tunings of it in bf16")

    def jobs(self, method, members, each, together):
        """(lbrx's job, mergekit's or None)."""
        config = self.out / f"{method}.yml"
        config.write_text(config_text(method, self.models[: members + 1], each, together))
        ours, theirs = self.out / "ours", self.out / "theirs"
        options = ("--lazy-unpickle", "--no-write-model-card")
        peer = [self.python, "-m", "mergekit.scripts.run_yaml", config, theirs, *options]
        return (Job(f"{method}: `lbrx merge --no-sync`",
                    lbrx("merge", config, ours, "--no-sync"), ours),
                Job(f"{method}: `mergekit-yaml`", peer, theirs) if self.python else None)

    def least(self, members):
        """Reading as many models and writing one."""
        files = [file for model in self.models[1 : members + 1]
                 for file in sorted(model.glob("*.safetensors"))]
        size = sum(file.stat().st_size for file in files)
        floor = self.out / "floor"
        return Job(f"reading {members} models of {size / members / 1e9:.2f} GB, writing one",
                   [sys.executable, "-B", ROOT / "bench/read_write.py", *files, floor,
                    size // members], floor)

    def measure(self):
        rows = []
        for method, limit, *what in METHODS:
            ours, theirs = self.jobs(method, *what)
            jobs = [self.least(what[0]), ours] if method == "linear" else [ours]
            self.table(f"1.1 B Llamas, {method}", jobs)
            if method == "linear":
                self.target("linear, time against reading both and writing one",
                            ours.seconds / jobs[0].seconds, "x", 1.2)
            if theirs:
                theirs.round(keep=True)
                jobs.append(theirs)
                self.target(f"{method}, faster than `mergekit-yaml`",
                            theirs.seconds / ours.seconds, "x", limit, at_least=True)
            rows += jobs
        self.tables = [("1.1 B Llamas in bf16: two of them, and the base where the method has one",
                        rows)]
        ours = [job for job in rows if "lbrx" in job.name]
        self.target("peak RSS of every job of lbrx", max(job.rss for job in ours), " MB", 256)
