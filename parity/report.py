"""The README's parity table, written by the run that measured it."""

from __future__ import annotations

import datetime
import platform

from benchmarks.marks import put_between
from parity.libraries import real, tensorflow

START, END = "<!-- parity:start -->", "<!-- parity:end -->"


def write_summary(path: str, results) -> None:
    """Replace what stands between the marks by a table with one row a family."""
    put_between(path, START, END, summary(results))


def summary(results) -> str:
    """The table in Markdown."""
    families: dict[str, list] = {}
    for case, findings, _ in results:
        families.setdefault(case.family, []).append(findings)
    lines = ["| what | cases | equal | largest relative error |", "|---|--:|--:|--:|"]
    for family, rows in families.items():
        held = sum(all(f.holds for f in findings) for findings in rows)
        worst = max((f.error for findings in rows for f in findings if f.holds), default=0.0)
        lines.append(f"| {family} | {len(rows)} | {held} | {f'{worst:.0e}' if worst else 'equal'} |")
    versions = (
        f"Keras {real().__version__} on TensorFlow {tensorflow().__version__}, Python {platform.python_version()}"
    )
    lines.append(f"\nWritten by `python -m parity --write README.md` on {datetime.date.today()}, against {versions}.")
    return "\n".join(lines)
