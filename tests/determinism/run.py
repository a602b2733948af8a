#!/usr/bin/env python3
"""The same command gives the same bytes whoever runs it, where and when: what only a process of its
own can tell. (determinism_test has all rows of the registries, in one process.)

    run.py --lbrx build/release/lbrx

Each command is run in plain surroundings, then in each other; all files that it writes must be the
same to the byte. Ends with "N passed, N failed".
"""

import argparse
import contextlib
import os
import pathlib
import pty
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOBODY = 65534
LONG_AGO = 86400  # the second of January 1970

MERGE = """merge_method: dare_ties
base_model: base
models: [{model: a, parameters: {weight: 0.6, density: 0.5}}, {model: b, parameters: {weight: 0.4}}]
"""

# Methods that ask the C library for sines and logarithms (tests/data/merge).
ANGLES = ("slerp", "karcher", "nuslerp", "multislerp", "arcee_fusion")

# name -> commands; `run` is what they write into.
ROWS = {
    "mlx": ["quantize tiny run/out -q 4bit --search"],
    "hf": ["convert tiny run/out --dtype f16 --shard-size 2MB"],
    "gguf": ["quantize tiny run/out.gguf Q4_K_M"],
    "target": ["quantize tiny run/out.gguf --target-bpw 4.75"],
    "merge": ["merge merge.yml run/out --random-seed 3"],
    "angles": [f"merge {name}.yml run/{name}" for name in ANGLES],
    "edit": ["quantize tiny run/one.gguf Q8_0", "edit run/one.gguf run/out.gguf --set a.b=f32:1.5"],
    "repair": ["repair damaged run/out --fill zeros"],
    "there_and_back": ["convert tiny run/one.gguf", "convert run/one.gguf run/out"],
}
CODES = {"repair": 10}


def make_place(folder):
    """The sources, at `folder`."""
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "models" / "tiny-llama", folder / "tiny")
    shutil.copytree(folder / "tiny", folder / "damaged")
    os.truncate(folder / "damaged" / "model.safetensors", 3_000_000)
    merges = ROOT / "tests" / "data" / "merge"
    for name in ("base", "a", "b", "c"):
        shutil.copytree(merges / name, folder / name)
    for name in ANGLES:
        shutil.copy(merges / f"{name}.yml", folder)
    (folder / "merge.yml").write_text(MERGE)
    return folder


def make_locales(folder):
    """German and Turkish ones, whatever the system has installed."""
    folder.mkdir()
    if shutil.which("localedef") is None:  # macOS has both
        return
    for name in ("de_DE", "tr_TR"):
        subprocess.run(["localedef", "--no-archive", "-i", name, "-f", "UTF-8",
                        folder / f"{name}.UTF-8"], check=True)


def read_tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def age(folder):
    for path in folder.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def one_core():
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


class Surroundings:
    """Where, as whom and beside what a command runs."""

    def __init__(self, name, place, environment=None, prepare=None, before=None, terminal=False):
        self.name = name
        self.place = place
        self.environment = environment or {}
        self.prepare = prepare  # in the child
        self.before = before  # once, for the place
        self.terminal = terminal

    def run(self, lbrx, row):
        out = self.place / "run"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        if self.prepare is become_nobody:
            out.chmod(0o777)
        for command in ROWS[row]:
            with self.streams() as streams:
                done = subprocess.run([lbrx, *command.split()], cwd=self.place, check=False,
                                      env={"PATH": os.environ["PATH"], **self.environment},
                                      preexec_fn=self.prepare, stderr=subprocess.PIPE, **streams)
            if done.returncode != CODES.get(row, 0):
                raise RuntimeError(f"{command}: exit code {done.returncode}: {done.stderr.decode()}")
        return read_tree(out)

    @contextlib.contextmanager
    def streams(self):
        if not self.terminal:
            yield {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
            return
        ours, theirs = pty.openpty()
        try:
            yield {"stdin": theirs, "stdout": theirs}
        finally:
            os.close(ours)
            os.close(theirs)


def all_surroundings(folder):
    """The plain ones first."""
    plain = make_place(folder / "plain")
    other = folder / "Zw\N{LATIN SMALL LETTER O WITH DIAERESIS}lf Modelle" / "%s $HOME"
    (folder / "home").mkdir()
    (folder / "scratch").mkdir()
    make_locales(folder / "locales")
    locale = {"LOCPATH": str(folder / "locales")}
    rows = [
        Surroundings("plain", plain),
        Surroundings("the second time", plain),
        Surroundings("German", plain, {**locale, "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}),
        Surroundings("Turkish", plain, {**locale, "LC_ALL": "tr_TR.UTF-8"}),
        Surroundings("another time zone", plain, {"TZ": "Pacific/Apia"}),
        Surroundings("another home", plain, {
            "HOME": str(folder / "home"), "TMPDIR": str(folder / "scratch"), "USER": "someone",
            "HOSTNAME": "elsewhere", "HF_HOME": str(folder / "home")}),
        Surroundings("another folder, old sources", make_place(other), before=age),
        Surroundings("another umask", plain, prepare=lambda: os.umask(0o077)),
        # glibc has other versions of its mathematical functions for such a CPU.
        Surroundings("a CPU without FMA", plain, {
            "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4"}),
        Surroundings("one core", plain, prepare=one_core),
        Surroundings("few open files", plain, prepare=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (32, 32))),
        Surroundings("a terminal", plain, {"TERM": "xterm-256color"}, terminal=True),
    ]
    if os.getuid() == 0:
        folder.chmod(0o755)
        rows.append(Surroundings("another user", plain, prepare=become_nobody))
    else:
        print("another user: left out, as only root can become one")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lbrx", required=True, type=pathlib.Path)
    lbrx = parser.parse_args().lbrx.resolve()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        # Another user may not come to where it was built.
        lbrx = shutil.copy(lbrx, pathlib.Path(scratch) / "lbrx")
        surroundings = all_surroundings(pathlib.Path(scratch))
        for each in surroundings:
            if each.before:
                each.before(each.place)
        for row in ROWS:
            expected = surroundings[0].run(lbrx, row)
            for each in surroundings[1:]:
                got = each.run(lbrx, row)
                differing = sorted(name for name in {*expected, *got}
                                   if expected.get(name) != got.get(name))
                if differing or not got:
                    failed += 1
                    print(f"{row}, {each.name}: {', '.join(differing) or 'nothing written'}")
                else:
                    passed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
