"""`python -m parity.differential`: random cases against real Keras.

python -m parity.differential --cases 500 --seed 7          some of every family
python -m parity.differential layers ops/add --cases 2000   of those subjects whose names start so
python -m parity.differential --case layers/Dense "{...}"   one case again, as it was printed
"""

from __future__ import annotations

import argparse
import ast
import sys
import time

from parity.differential.outcome import differences
from parity.differential.subject import load_all, named
from parity.differential.workers import search_all


def main(arguments: list[str] | None = None) -> int:
    """0 if nothing differs."""
    parser = argparse.ArgumentParser(prog="python -m parity.differential", description=__doc__.split("\n\n")[0])
    parser.add_argument("subjects", nargs="*", help="beginnings of subjects' names; all by default")
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true", help="say what each subject got")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--case", nargs=2, metavar=("SUBJECT", "DATA"), help="run one case again")
    parser.add_argument("--list", action="store_true", help="print the subjects")
    options = parser.parse_args(arguments)
    if options.case:
        found, _ = differences(named(options.case[0]), ast.literal_eval(options.case[1]))
        print("\n".join(map(str, found)) or "nothing differs")
        return 1 if found else 0
    chosen = [s for s in load_all() if not options.subjects or str(s).startswith(tuple(options.subjects))]
    if options.list:
        print("\n".join(map(str, chosen)))
        return 0
    began, cases, refused, differing = time.perf_counter(), 0, 0, 0
    for result in search_all(chosen, options.cases, options.seed, options.workers):
        cases, refused = cases + result.cases, refused + result.refused
        if options.verbose:
            print(f"{result.subject}: {result.cases} cases, {result.refused} refused", file=sys.stderr, flush=True)
        if result.found:
            differing += 1
            print(result, flush=True)
        if result.died:
            print(f"{result.subject}: real Keras ended the process at {result.died}", file=sys.stderr)
    seconds = time.perf_counter() - began
    print(
        f"{cases} cases ({refused} refused by both) of {len(chosen)} subjects, seed {options.seed}, {seconds:.0f} s: "
        f"{differing} subjects differ"
    )
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
