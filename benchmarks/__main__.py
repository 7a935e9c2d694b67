"""`python -m benchmarks`: measure speed and memory beside the peers, in one interleaved run.

    python -m benchmarks                           everything, about 25 minutes on two cores
    python -m benchmarks --quick                   two models, one round, a few minutes
    python -m benchmarks --write README.md         put the table between the README's speed marks
    python -m benchmarks --from results.json       only make the table
    python -m benchmarks --resume results.json     go on where a run stopped
    python -m benchmarks --libraries kerasish,torch --workloads mnist,script

Run it when nothing else runs: the load at the start stands in the results, and a busy machine is warned of.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from pathlib import Path

from benchmarks.libraries import LIBRARIES, ROOT
from benchmarks.machine import machine, slug
from benchmarks.report import disagreements, table, write_table
from benchmarks.run import SCRIPTS, Plan, Results, run, say
from benchmarks.worker import EFFORTS
from benchmarks.workloads import WORKLOADS

EVERYTHING = [*SCRIPTS, *WORKLOADS]
QUICK = [*SCRIPTS, "mnist", "depthwise"]


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 0 if every measurement succeeded and all contestants agree."""
    args = _arguments(argv)
    results = _measured(args)
    print(table(results))
    if args.write:
        write_table(args.write, results)
    wrong = disagreements(results)
    failed = [f"{r['library']} failed on {r['workload']}: {r['error']}" for r in results.records if "error" in r]
    for line in wrong + failed:
        say(line)
    return 1 if wrong or failed else 0


def _arguments(argv) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, help="how often all take turns: 3, or 1 with --quick")
    parser.add_argument("--workloads", type=_among(EVERYTHING), metavar="A,B", help=", ".join(EVERYTHING))
    parser.add_argument("--libraries", type=_among(LIBRARIES), metavar="X,Y", help=", ".join(LIBRARIES))
    parser.add_argument("--quick", action="store_true", help="shorter measurements of less")
    parser.add_argument("--effort", choices=EFFORTS, help="how long each measurement is")
    parser.add_argument("--batch", type=int, help="images in a step, instead of each workload's number")
    parser.add_argument("--minutes", type=float, default=26, help="begin no round that would end later; 26 by default")
    parser.add_argument("--write", metavar="FILE", help="put the table between the file's speed marks")
    parser.add_argument("--out", metavar="FILE", type=Path, help="where the results go; benchmarks/results/ by default")
    parser.add_argument("--resume", metavar="FILE", type=Path, help="results to go on with")
    parser.add_argument("--from", metavar="FILE", type=Path, dest="source", help="results to show, measuring nothing")
    return parser.parse_args(argv)


def _among(known):
    """A reader of names separated by commas."""

    def read(text: str) -> list[str]:
        names = text.split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not among {', '.join(known)}")
        return names

    return read


def _measured(args) -> Results:
    """The results that are asked for: read from a file, or of a run."""
    if args.source:
        return Results.read(args.source)
    results = Results.read(args.resume) if args.resume else Results(args.out or _default_path())
    plan = Plan(
        rounds=args.rounds or (1 if args.quick else 3),
        workloads=args.workloads or (QUICK if args.quick else EVERYTHING),
        libraries=args.libraries or list(LIBRARIES),
        effort=args.effort or ("quick" if args.quick else "full"),
        minutes=args.minutes,
        batch=args.batch,
    )
    run(plan, results)
    say(f"results are in {results.path}")
    return results


def _default_path() -> Path:
    return ROOT / "benchmarks" / "results" / f"{datetime.date.today()}-{slug(machine())}.json"


if __name__ == "__main__":
    sys.exit(main())
