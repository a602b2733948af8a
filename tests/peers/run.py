"""Runs the peer tests with build/peers' Python; ends with "N passed, N failed".

    build/peers/bin/python tests/peers/run.py [-k PATTERN]
"""

import argparse
import pathlib
import sys
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import support


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-k", metavar="PATTERN", action="append", help="only tests with this name")
    arguments = parser.parse_args()
    if not support.PROGRAM.exists():
        sys.exit(f"{support.PROGRAM} is not there; make build makes it")

    print(f"seed: LBRX_SEED={support.SEED}", flush=True)
    loader = unittest.TestLoader()
    if arguments.k:
        loader.testNamePatterns = [p if "*" in p else f"*{p}*" for p in arguments.k]
    suite = loader.discover(str(FOLDER))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    failed = len({test.id() for test, _ in result.failures + result.errors})
    failed += len(result.unexpectedSuccesses)
    if failed:
        print(f"to repeat: LBRX_SEED={support.SEED} make test-peers", file=sys.stderr)
    print(f"{max(result.testsRun - failed, 0)} passed, {failed} failed")
    return 0 if failed == 0 and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
