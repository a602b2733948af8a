#!/usr/bin/env python3
"""What each merge method makes of two fine-tunes of one base: perplexity on both of their texts and
the figures of lbrx's report, as a Markdown table. Python's standard library only.

    python3 bench/merge_quality.py --models FOLDER --text FOLDER [--lbrx build/release/lbrx]

FOLDER has bard-base, bard-kjv and bard-shakespeare; the texts are kjv_test.txt and
shakespeare_test.txt. llama-perplexity is taken from $LLAMA_CPP_BIN or build/peers (make test-peers);
perplexities are its own, over windows of 512 tokens of which the second half counts.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASE, FIRST, SECOND = "bard-base", "bard-kjv", "bard-shakespeare"
TEXTS = ("kjv_test.txt", "shakespeare_test.txt")

# (method, parameters of each model, of the tensor, whether the base is named); in the order of the
# table.
RUNS = (
    ("linear", {"weight": 0.5}, {}, False),
    ("slerp", {}, {"t": 0.5}, "listed"),
    ("nuslerp", {"weight": 0.5}, {}, False),
    ("nuslerp", {"weight": 0.5}, {}, True),
    ("multislerp", {"weight": 0.5}, {}, True),
    ("karcher", {}, {}, False),
    ("model_stock", {}, {}, True),
    ("nearswap", {}, {"t": 0.001}, "listed"),
    ("arcee_fusion", {}, {}, "listed"),
    ("task_arithmetic", {"weight": 0.5}, {}, True),
    ("task_arithmetic", {"weight": 0.7}, {}, True),
    ("task_arithmetic", {"weight": 1}, {}, True),
    ("ties", {"weight": 1, "density": 0.2}, {}, True),
    ("ties", {"weight": 1, "density": 0.5}, {}, True),
    ("ties", {"weight": 1, "density": 0.8}, {}, True),
    ("dare_linear", {"weight": 0.5, "density": 0.5}, {}, True),
    ("dare_ties", {"weight": 1, "density": 0.5}, {}, True),
    ("breadcrumbs", {"weight": 0.5, "density": 0.9, "gamma": 0.01}, {}, True),
    ("breadcrumbs_ties", {"weight": 1, "density": 0.9, "gamma": 0.01}, {}, True),
    ("della_linear", {"weight": 0.5, "density": 0.5, "epsilon": 0.1}, {}, True),
    ("della", {"weight": 1, "density": 0.5, "epsilon": 0.1}, {}, True),
    ("sce", {}, {"select_topk": 0.5}, True),
    ("ram", {}, {}, True),
    ("ramplus_tl", {}, {}, True),
)


def mapping(values, indent):
    return "".join(f"{' ' * indent}{name}: {value}\n" for name, value in values.items())


def config(models, method, of_model, of_tensor, base):
    """mergekit's YAML. `base`: False, True, or "listed": in place of the first model, one of two."""
    members = (FIRST, SECOND)
    text = f"merge_method: {method}\ndtype: bfloat16\n"
    if base:
        text += f"base_model: {models / (FIRST if base == 'listed' else BASE)}\n"
    if of_tensor:
        text += "parameters:\n" + mapping(of_tensor, 2)
    text += "models:\n"
    for member in members:
        text += f"  - model: {models / member}\n"
        if of_model:
            text += "    parameters:\n" + mapping(of_model, 6)
    return text


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr[-2000:]}")
    return done.stdout + done.stderr


def perplexities(tool, gguf, text):
    found = []
    for name in TEXTS:
        # One thread: its threads wait by spinning, which is slow where others run beside it.
        output = run(tool, "-m", gguf, "-f", text / name, "-c", "512", "-t", "1")
        found.append(float(re.search(r"Final estimate: PPL = ([0-9.]+)", output)[1]))
    return found


def percent(share):
    return "-" if share is None else f"{100 * share:.0f}%"


def figures(report):
    """Cosine between the models, agreement of signs, trimmed, length of the change; relative to a
    base alone: relative to the mean of two models they tell nothing."""
    total = json.loads(report.read_text())["merge"]["totals"][0]
    if total["reference"] != "base":
        return ["-"] * 4
    return [f"{total['cosines'][0][1]:.2f}", percent(total["sign_agreement"]),
            percent(total["trimmed"]), f"{100 * total['result_relative_norm']:.1f}%"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lbrx", type=pathlib.Path, default=ROOT / "build/release/lbrx")
    parser.add_argument("--models", type=pathlib.Path, required=True)
    parser.add_argument("--text", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    folder = pathlib.Path(os.environ.get("LLAMA_CPP_BIN", ROOT / "build/peers/llama.cpp/bin"))
    tool = folder / "llama-perplexity"
    rows = []
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        gguf = work / "out.gguf"
        for model in (BASE, FIRST, SECOND):
            run(arguments.lbrx, "convert", arguments.models / model, gguf, "--force", "--quiet")
            rows.append((f"*{model} itself*", "", *perplexities(tool, gguf, arguments.text),
                         *["-"] * 4))
        for method, of_model, of_tensor, base in RUNS:
            recipe = work / "merge.yml"
            report = work / "report.json"
            recipe.write_text(config(arguments.models.resolve(), method, of_model, of_tensor, base))
            run(arguments.lbrx, "merge", recipe, gguf, "--force", "--quiet", "--report", report)
            parameters = ", ".join(f"{key} {value}"
                                   for key, value in {**of_model, **of_tensor}.items())
            if base is True and method == "nuslerp":
                parameters += ", base"
            rows.append((method, parameters, *perplexities(tool, gguf, arguments.text),
                         *figures(report)))
    print("| method | parameters | Bible | Shakespeare | cosine | signs agree | trimmed | change |")
    print("|---|---|---|---|---|---|---|---|")
    for method, parameters, bible, shakespeare, *rest in rows:
        print(f"| {method} | {parameters} | {bible:.1f} | {shakespeare:.1f} | {' | '.join(rest)} |")


if __name__ == "__main__":
    main()
