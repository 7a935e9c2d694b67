"""`python -m benchmarks.gpu`: everything that a card is to show, in one run.

    python -m benchmarks.gpu                              all of it, in 8 minutes; writes gpu.json
    python -m benchmarks.gpu --minutes 3 --only conv2d    only the jobs whose names hold a text
    python -m benchmarks.gpu gpu.json                     shows what a run found
    python -m benchmarks.gpu --write README.md gpu.json   puts that between the README's marks

Needs CuPy and numba-cuda; PyTorch and Keras for the comparisons. See docs/gpu.md.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import sys
from pathlib import Path

from benchmarks.gpu import card
from benchmarks.gpu.report import all_rows, summary, write
from benchmarks.gpu.run import Results, run
from benchmarks.gpu.verdicts import verdicts

PACKAGES = ("kerasish", "numpy", "numba", "numba-cuda", "cuda-core", "cupy-cuda13x", "torch", "keras")


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 0 if nothing that was measured falls short."""
    arguments = _arguments(argv)
    if arguments.source:
        results = json.loads(Path(arguments.source).read_text(encoding="utf-8"))
    else:
        results = _measured(arguments)
        if results is None:
            return 1
    print(all_rows(results["records"]), summary(results), sep="\n\n")
    if arguments.write:
        write(arguments.write, results)
    found = verdicts(results["records"], bool(results.get("only")))
    return 1 if any(verdict.met is False for verdict in found) else 0


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="?", metavar="FILE.json", help="show what a run found, and measure nothing")
    parser.add_argument("--minutes", type=float, default=8.0, help="end after that, whatever is left; 8 by default")
    parser.add_argument("--out", default="gpu.json", metavar="FILE", help="where the records go, gpu.json by default")
    parser.add_argument("--only", default="", metavar="TEXT", help="only jobs whose group and name hold this")
    parser.add_argument("--write", metavar="FILE", help="put the summary between this file's marks")
    return parser.parse_args(argv)


def _measured(arguments: argparse.Namespace) -> dict | None:
    """What a run finds; None without a card."""
    try:
        about = {"card": card.describe(card.open_card())}
    except RuntimeError as failure:
        print(failure, file=sys.stderr)
        return None
    about["date"] = datetime.date.today().isoformat()
    about["only"] = arguments.only
    about["versions"] = {name: version(name) for name in PACKAGES}
    results = Results(Path(arguments.out), about)
    run(results, arguments.minutes, arguments.only)
    return {**about, "records": results.records}


def version(package: str) -> str | None:
    """A package's version, or None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
