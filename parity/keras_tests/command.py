"""`python -m parity --keras-tests [groups ...]`: Keras's own unit tests against kerasish.

python -m parity --keras-tests                          every group, with the table
python -m parity --keras-tests layers ops.nn --why      some groups, and the reasons of failures
python -m parity --keras-tests layers.core -k DenseTest those tests whose names match
python -m parity --keras-tests --write README.md        put the table between the README's marks
python -m parity --keras-tests --update                 take what passes out of the list of known failures
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import re
import time

from parity.keras_tests import known, table, wheel
from parity.keras_tests.running import run


class Outcome:
    """What a group's counted tests did.

    Attributes:
        failures: reason by test.
        passed: the tests that passed.
    """

    def __init__(self, files: list[str], only: str | None = None):
        began = time.perf_counter()
        tests = [t for t in wheel.counted(files) if only is None or re.search(only, t)]
        found = run(files, only)
        self.notes, self.passed, self.failures = found.notes, [], {}
        for test in tests:
            outcome, reason, _ = found.results.get(test, ("failed", self._absent(test, found), 0.0))
            if outcome == "passed":
                self.passed.append(test)
            else:
                self.failures[test] = reason if outcome == "failed" else f"[{outcome}] {reason}"
        self.seconds = time.perf_counter() - began

    @staticmethod
    def _absent(test, found) -> str:
        reason = found.imports.get(wheel.file_of(test))
        return f"its file does not import: {reason}" if reason else (found.notes or ["not collected"])[-1]

    def news(self) -> list[str]:
        """What the list of known failures does not say: tests that fail anew, and tests that pass by now."""
        listed = known.load()
        failing = [f"{t}: {reason}" for t, reason in self.failures.items() if t not in listed]
        return failing + [f"{t}: passes; take it out of known_failures.txt" for t in self.passed if t in listed]


def chosen(names: list[str]) -> dict[str, list[str]]:
    """Files by group, of groups that are or begin with the names; all by default.

    Raises:
        SystemExit: for a name that is no group's.
    """
    groups = wheel.files()
    for name in names:
        if not any(g == name or g.startswith(f"{name}.") for g in groups):
            raise SystemExit(f"no group {name}; there are {', '.join(groups)}")
    return {g: f for g, f in groups.items() if not names or any(g == n or g.startswith(f"{n}.") for n in names)}


def main(arguments: list[str]) -> int:
    """0 if nothing fails that is not known."""
    parser = argparse.ArgumentParser(prog="python -m parity --keras-tests", description=__doc__.split("\n")[0])
    parser.add_argument("groups", nargs="*")
    parser.add_argument("-k", "--only", metavar="REGEX", help="only tests whose names match")
    parser.add_argument("--why", action="store_true", help="print the reasons of failures")
    parser.add_argument("--write", metavar="FILE", help="put the table between the file's marks")
    parser.add_argument("--update", action="store_true", help="take what passes out of the list of known failures")
    parser.add_argument("--workers", type=int, default=2, help="groups at a time")
    options = parser.parse_args(arguments)
    if options.write and (options.groups or options.only):
        parser.error("--write puts down the whole suite; leave out groups and -k")
    groups, outcomes = chosen(options.groups), {}
    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        waiting = {pool.submit(Outcome, files, options.only): group for group, files in groups.items()}
        for done in concurrent.futures.as_completed(waiting):
            group, outcome = waiting[done], done.result()
            outcomes[group] = outcome
            print(table.line(group, len(outcome.passed), len(outcome.passed) + len(outcome.failures), outcome.seconds))
            for note in outcome.notes:
                print(f"    {note}")
    return _report(options, {g: outcomes[g] for g in groups})


def _report(options, outcomes) -> int:
    rows = {g: (len(o.passed), len(o.passed) + len(o.failures)) for g, o in outcomes.items()}
    print(table.line("all", *map(sum, zip(*rows.values())), sum(o.seconds for o in outcomes.values())))
    lacking = wheel.absent_oracles()
    if lacking:
        print("left out, their oracle is not installed: " + ", ".join(f"{k} {n}" for k, n in lacking.items()))
    if options.why:
        _print_reasons(outcomes)
    if options.write:
        if lacking:
            raise SystemExit(f"nothing is written: install {', '.join(lacking)} for the whole count")
        table.write(options.write, rows)
    if options.update:
        passed = {t for o in outcomes.values() for t in o.passed}
        known.save({t: reason for t, reason in known.load().items() if t not in passed})
    news = [line for o in outcomes.values() for line in o.news()]
    print("\n".join(news))
    return 1 if news else 0


def _print_reasons(outcomes) -> None:
    reasons = collections.Counter(
        re.sub(r"\d+(\.\d+)?(e[-+]?\d+)?", "N", reason)[:200]
        for o in outcomes.values()
        for reason in o.failures.values()
    )
    for reason, count in reasons.most_common():
        print(f"{count:6}  {reason}")
