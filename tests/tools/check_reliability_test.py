"""tools/check_reliability.py on tables and runs that are made up: what is wrong is found."""

import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import check_reliability  # noqa: E402  (found by the line above)

JUNIT = """<testsuite>
<testcase name="formats" status="run"><system-out>
[ RUN      ] HostileNames.AreEscapedInMessages
[       OK ] HostileNames.AreEscapedInMessages (0 ms)
[       OK ] Spans/HostileGguf.IsRefusedWithItsReason/0 (1 ms)
[       OK ] Keys/HostileGguf.IsRefusedWithItsReason/0 (1 ms)
[  FAILED  ] Detect.NamesWhatAFileIs (3 ms)
[       OK ] One/HostileTorch.IsRefusedByName/a (1 ms)
[  FAILED  ] One/HostileTorch.IsRefusedByName/b, where GetParam() = 3 (1 ms)
</system-out></testcase>
<testcase name="cli_transcripts" status="run"><system-out>
flow.t: 21 commands, 0 failed
</system-out></testcase>
<testcase name="fuzz_replay" status="fail"><system-out>
json too_deep
</system-out></testcase>
</testsuite>
"""

GOOD = "`formats HostileNames.AreEscapedInMessages`"


def table(changes=None):
    """A table of all cases, with other proof in some rows."""
    proofs = {number: GOOD for number in check_reliability.CASES}
    proofs.update(changes or {})
    return "\n".join(f"| {number} | a case | refused | {proof} |"
                     for number, proof in proofs.items() if proof)


class CheckReliability(unittest.TestCase):
    def setUp(self):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as junit:
            junit.write(JUNIT)
            junit.flush()
            self.run_of_tests = check_reliability.Run(junit.name)

    def problems(self, text):
        return check_reliability.check(text, self.run_of_tests)[0]

    def expect(self, proof, problem):
        """`proof` in row 7 is taken, or found wrong."""
        problems = self.problems(table({7: proof}))
        if problem:
            self.assertEqual(len(problems), 1, problems)
            self.assertIn("row 7: ", problems[0])
            self.assertIn(problem, problems[0])
        else:
            self.assertEqual(problems, [])

    def test_what_ran_and_passed_is_taken(self):
        self.expect(GOOD, "")
        self.expect("`formats HostileGguf.IsRefusedWithItsReason`", "")
        self.expect("`formats HostileGguf.IsRefusedWithItsReason r48_`", "")
        self.expect("`tests/cli/flow.t`, " + GOOD, "")
        self.expect("not yet: nothing is downloaded", "")

    def test_what_did_not_is_found(self):
        self.expect("`formats HostileNames.AreEscaped`", "no such test ran")
        self.expect("`format HostileNames.AreEscapedInMessages`", "no such test ran")
        self.expect("`formats Detect.NamesWhatAFileIs`", "it failed")
        self.expect("`formats HostileTorch.IsRefusedByName`", "it failed")
        self.expect("`formats HostileGguf.IsRefusedWithItsReason r999_`", "has no row r999_")
        self.expect(GOOD + ", `tests/cli/flew.t`", "no such file")
        self.expect("`tests/cli/usage.t`", "did not run")
        self.expect("`fuzz/corpus/json/too_deep`", "did not run, or failed")
        self.expect("`tests/determinism/run.py`", "did not run")
        self.expect("`tools/count_tests.py`", "nothing is known to run it")
        self.expect("`nonsense`", "neither a test nor a file")
        self.expect("it is tested", "names no test")

    def test_every_case_has_one_row(self):
        self.assertEqual(self.problems(table()), [])
        self.assertEqual(self.problems(table({50: None})), ["row 50: is missing"])
        again = f"\n| 50 | again | refused | {GOOD} |"
        self.assertIn("row 50: is not in the list", self.problems(table() + again)[0])
        other = f"\n| 110 | of another list | refused | {GOOD} |"
        self.assertIn("row 110: is not in the list", self.problems(table() + other)[0])
        self.assertIn("row 3: 4 cells", self.problems(
            table({3: None}) + f"\n| 3 | | refused | {GOOD} |")[0])


if __name__ == "__main__":
    unittest.main()
