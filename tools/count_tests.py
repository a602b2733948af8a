#!/usr/bin/env python3
"""Counts test cases in ctest's JUnit file: GoogleTest's own figures where a program printed them.

    tools/count_tests.py build/release/junit.xml    ->    812 passed, 0 failed
"""

import re
import sys
import xml.etree.ElementTree as ElementTree


def count(path):
    passed = failed = 0
    for test in ElementTree.parse(path).getroot().iter("testcase"):
        output = test.findtext("system-out") or ""
        cases = re.search(r"^\[  PASSED  \] (\d+) tests?\.", output, re.M)
        bad = re.search(r"^\[  FAILED  \] (\d+) tests?, listed below", output, re.M)
        if cases:
            passed += int(cases[1])
            failed += int(bad[1]) if bad else 0
            # It may have died after its own summary (a leak, say).
            failed += 1 if not bad and test.get("status") != "run" else 0
        elif test.get("status") == "run":
            passed += 1
        else:
            failed += 1
    return passed, failed


if __name__ == "__main__":
    print("{} passed, {} failed".format(*count(sys.argv[1])))
