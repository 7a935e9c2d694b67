"""`python -m parity [words ...]`: run the cases whose names hold all the words, and print the table.

python -m parity                    every case
python -m parity conv2d same        those about conv2d with same padding
python -m parity --write README.md  put the summary between the README's parity marks
python -m parity --script file.py   compare a script's printed output in both libraries
python -m parity --build file.py    compare the model that the file's `build(keras)` makes
python -m parity --keras-tests      run Keras's own unit tests against kerasish (`--keras-tests --help`)
python -m parity --device gpu:0     kerasish on a card; beside kerasish on the CPU where TensorFlow is not installed
"""

from __future__ import annotations

import argparse
import runpy
import sys
import time

from parity.case import Case, Finding, load_all
from parity.compare import compare_models
from parity.libraries import CPU, has_twin, use
from parity.report import write_summary
from parity.scripts import compare_script


def main(argv=None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    if "--keras-tests" in argv:
        from parity.keras_tests import command

        return command.main([a for a in argv if a != "--keras-tests"])
    parser = argparse.ArgumentParser(prog="python -m parity", description="Compare kerasish with real Keras.")
    parser.add_argument("words", nargs="*", help="only cases whose names hold all of these")
    parser.add_argument("--write", metavar="FILE", help="write the summary table between the file's parity marks")
    parser.add_argument("--script", metavar="FILE", help="compare what a script prints")
    parser.add_argument("--build", metavar="FILE", help="compare the model made by the file's build(keras)")
    parser.add_argument("--device", default=CPU, help="where kerasish runs: cpu:0, or gpu:0, in float32")
    args = parser.parse_args(argv)
    if args.write and args.device != CPU:
        parser.error("--write puts down how kerasish compares on the CPU; leave --device out")
    use(args.device)
    if args.script:
        return compare_script(args.script)
    if args.build:
        cases = [Case(args.build, "yours", compare_models, runpy.run_path(args.build)["build"])]
    else:
        cases = [c for c in load_all() if all(w.lower() in str(c).lower() for w in args.words)]
    results = [(case, *run(case)) for case in cases]
    print_table(results)
    if args.write:
        write_summary(args.write, results)
    return 0 if all(f.holds for _, findings, _ in results for f in findings) else 1


def run(case):
    """A case's findings and the seconds they took; an exception is a finding too."""
    start = time.perf_counter()
    try:
        findings = case.run(case)
    except Exception as error:
        findings = [Finding("ran", False, detail=f"{type(error).__name__}: {error}")]
    return findings, time.perf_counter() - start


def print_table(results) -> None:
    """The table, one row a case, and what did not hold below it."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 140)
    table = Table("case", "compared", "largest error", "")
    for case, findings, _ in results:
        worst = max((f.error for f in findings), default=0.0)
        held = all(f.holds for f in findings)
        what = ", ".join(f.what for f in findings if not f.what.startswith("says"))
        table.add_row(str(case), what, f"{worst:.0e}" if worst else "equal", "ok" if held else "[red]DIFFERS[/red]")
    console.print(table)
    for case, findings, _ in results:
        for f in findings:
            if not f.holds:
                console.print(f"[red]{case}[/red]: {f.what}", markup=True)
                console.print(f.detail, markup=False, highlight=False)
    held = sum(all(f.holds for f in findings) for _, findings, _ in results)
    whom = "kerasish on the CPU" if has_twin() else "real Keras"
    console.print(f"{held} of {len(results)} cases equal {whom}")


if __name__ == "__main__":
    sys.exit(main())
