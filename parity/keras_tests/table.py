"""The suite by group, as text and in the README."""

from __future__ import annotations

import datetime
import platform

from benchmarks.marks import put_between
from parity.keras_tests import wheel

START, END = "<!-- keras-tests:start -->", "<!-- keras-tests:end -->"


def line(group: str, passed: int, counted: int, seconds: float) -> str:
    """A group's row on a terminal."""
    return f"{group:30}{passed:7} of {counted:5}  {percent(passed, counted):>6} %  {seconds:6.0f} s"


def percent(passed: int, counted: int) -> str:
    """With one digit; nothing where nothing counts."""
    return f"{100 * passed / counted:.1f}" if counted else "-"


def write(path: str, rows: dict[str, tuple[int, int]]) -> None:
    """Put the table between the file's marks."""
    put_between(path, START, END, markdown(rows))


def markdown(rows: dict[str, tuple[int, int]]) -> str:
    """Families of groups (`layers.core` and `layers.rnn` are of `layers`), and all together."""
    families: dict[str, list[int]] = {}
    for group, (passed, counted) in rows.items():
        sums = families.setdefault(group.partition(".")[0], [0, 0])
        sums[0], sums[1] = sums[0] + passed, sums[1] + counted
    total = [sum(column) for column in zip(*families.values())]
    lines = ["| Keras's own tests of | count | pass | % |", "|---|--:|--:|--:|"]
    for family, (passed, counted) in [*families.items(), ("**all**", total)]:
        if counted:
            lines.append(f"| {family} | {counted} | {passed} | {percent(passed, counted)} |")
    lines.append(
        f"\nWritten by `python -m parity --keras-tests --write README.md` on {datetime.date.today()}: the tests in the "
        f"Keras {wheel.version()} wheel that Keras itself passes by public names, Python {platform.python_version()}."
    )
    return "\n".join(lines)
