"""Every merge method against mergekit itself, on bf16 models: `lbrx merge --compat mergekit`.

    MERGEKIT_PYTHON=... make test-mergekit
    $MERGEKIT_PYTHON -B tests/mergekit/run.py [-k METHOD]

Needs a Python with mergekit 0.1.5, whose packages take 6 GB: no part of test-peers. Prints for each
method the largest difference, against the tensor's largest value, and the share of equal values; ends
with "N passed, N failed".
"""

import argparse
import pathlib
import sys
import unittest

import mergekit.config
import mergekit.merge
import mergekit.options
import yaml
from safetensors.torch import load_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "peers"))

import support
from models import make_adapter, make_models

SEED = 42
# Shares of values that are equal at least. EXACT: but for the order of sums. SUMS: a coefficient comes
# from sums over the tensor, which torch has in bf16 and not rounded from the exact ones. TIES: magnitudes
# of bf16 values are alike at the threshold, where mergekit keeps what its topk happens to give, and lbrx
# the first. SCALES: the same set is kept, or but for ties, and scaled by a quotient of such sums. STEPS:
# mergekit rounds every step of an iteration to bf16, lbrx computes it from inner products.
EXACT, SUMS, TIES, SCALES, STEPS = 0.999, 0.99, 0.96, 0.9, 0.5
# Of the largest value of a tensor, where no threshold or sign decides: a few units in bf16's last place.
DIFFERENCE = 2.0**-5

TWO = "models: [{{model: {a}, parameters: {{{each}}}}}, {{model: {b}, parameters: {{{each}}}}}]"
THREE = "models: [{{model: {a}}}, {{model: {b}}}, {{model: {c}}}]"
BASE = "base_model: {base}"

# name: (share of values that are equal at least, lines of the configuration, parameters of each)
CASES = {
    "linear": (EXACT, [TWO], "weight: 0.4"),
    "slerp": (EXACT, [TWO, "base_model: {a}", "parameters: {{t: [0, 0.5, 1]}}"], ""),
    "nuslerp": (EXACT, [TWO, BASE], "weight: 0.4"),
    "multislerp": (STEPS, [TWO], "weight: 0.4"),
    "karcher": (STEPS, [THREE], ""),
    "passthrough": (1, ["models: [{{model: {a}}}]"], ""),
    "model_stock": (SUMS, [THREE, BASE], ""),
    "arcee_fusion": (TIES, ["models: [{{model: {a}}}]", BASE], ""),
    "nearswap": (EXACT, ["models: [{{model: {a}}}]", BASE, "parameters: {{t: 0.001}}"], ""),
    "sce": (TIES, [THREE, BASE, "parameters: {{select_topk: 0.5}}"], ""),
    "ram": (EXACT, [THREE, BASE], ""),
    "ramplus_tl": (EXACT, [THREE, BASE], ""),
    "task_arithmetic": (EXACT, [TWO, BASE], "weight: 0.6"),
    "ties": (TIES, [TWO, BASE, "parameters: {{normalize: true}}"], "weight: 0.6, density: 0.5"),
    "dare_linear": (SCALES, [TWO, BASE], "weight: 0.6, density: 0.5"),
    "dare_ties": (SCALES, [TWO, BASE], "weight: 0.6, density: 0.5"),
    "breadcrumbs": (TIES, [TWO, BASE], "weight: 0.6, density: 0.8, gamma: 0.05"),
    "breadcrumbs_ties": (TIES, [TWO, BASE], "weight: 0.6, density: 0.8, gamma: 0.05"),
    "della": (SCALES, [TWO, BASE, "parameters: {{epsilon: 0.1}}"], "weight: 0.6, density: 0.5"),
    "della_linear": (SCALES, [TWO, BASE, "parameters: {{epsilon: 0.1}}"],
                     "weight: 0.6, density: 0.5"),
    # A model with an adapter of PEFT.
    "linear+adapter": (EXACT, ["models: [{{model: {a}}}, {{model: {base}+{adapter}}}]"], ""),
}


def config_text(name, folders):
    _, lines, each = CASES[name]
    method = name.partition("+")[0]
    lines = [*lines, f"merge_method: {method}", "dtype: bfloat16"]
    if name == "linear+adapter":
        lines.append("parameters: {{weight: 0.5}}")
    return "\n".join(line.format(each=each, **folders) for line in lines) + "\n"


def mergekit_merge(config, target):
    parsed = mergekit.config.MergeConfiguration.model_validate(yaml.safe_load(config))
    options = mergekit.options.MergeOptions(random_seed=SEED, write_model_card=False,
                                            lora_merge_cache=str(target) + "-cache")
    mergekit.merge.run_merge(parsed, str(target), options=options)


class Methods(support.PeerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.models = make_models(cls.folder)
        cls.models["adapter"] = make_adapter(cls.folder / "adapter", cls.models["base"])

    def compare(self, name):
        work = self.folder / name
        work.mkdir()
        config = work / "config.yml"
        config.write_text(config_text(name, self.models))
        mergekit_merge(config.read_text(), work / "theirs")
        support.lbrx("merge", config, work / "ours", "--compat", "mergekit", "--random-seed", SEED,
                     "--no-sync", "--quiet")
        ours, theirs = (self.tensors(work / side) for side in ("ours", "theirs"))
        self.assertEqual(sorted(ours), sorted(theirs))
        largest, equal, count = 0.0, 0, 0
        for tensor, expected in theirs.items():
            found = ours[tensor]
            self.assertEqual((found.dtype, found.shape), (expected.dtype, expected.shape), tensor)
            equal += int((found == expected).sum())
            count += expected.numel()
            found, expected = found.double(), expected.double()
            self.assertTrue(found.isfinite().all(), tensor)
            largest = max(largest, float((found - expected).abs().max() / expected.abs().max()))
        print(f"\n{name:18} largest difference {largest:.2e}, equal {equal / count:.6f}",
              flush=True)
        return largest, equal / count

    @staticmethod
    def tensors(folder):
        return {name: tensor for file in sorted(folder.glob("*.safetensors"))
                for name, tensor in load_file(file).items()}


def add_test(name):
    def test(self):
        largest, equal = self.compare(name)
        self.assertGreaterEqual(equal, CASES[name][0])
        if CASES[name][0] not in (TIES, SCALES):
            self.assertLessEqual(largest, DIFFERENCE)

    setattr(Methods, f"test_{name}", test)


for case in CASES:
    add_test(case)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-k", metavar="METHOD", action="append", help="only these")
    arguments = parser.parse_args()
    if not support.PROGRAM.exists():
        sys.exit(f"{support.PROGRAM} is not there; make build makes it")
    unknown = set(arguments.k or ()) - set(CASES)
    if unknown:
        sys.exit(f"no such methods: {', '.join(sorted(unknown))}")
    suite = unittest.TestSuite(Methods(f"test_{name}") for name in arguments.k or CASES)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    failed = len({test.id() for test, _ in result.failures + result.errors})
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 0 if failed == 0 and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
