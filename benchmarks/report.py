"""The table: medians, the fastest of each row in bold, and how far kerasish is ahead of its best peer."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.libraries import LIBRARIES
from benchmarks.machine import one_line
from benchmarks.marks import put_between
from benchmarks.run import Results
from benchmarks.workloads import WORKLOADS

START, END = "<!-- speed:start -->", "<!-- speed:end -->"
OURS = "kerasish"

MEASURES = {  # what a worker tells -> the rows of the table
    "fit_ms": "`fit`, ms a step",
    "predict_ms": "`predict`, ms a step",
    "image_ms": "one image, `predict(x)`, ms",
    "call_ms": "one image, `model(x)`, ms",
}
SUMMARIES = {  # the same, but one row for all workloads
    "first_batch_s": "start to first trained batch, s (all models, geometric mean)",
    "memory_mb": "peak memory of training, MB (all models, geometric mean)",
}


class Row(NamedTuple):
    """A row of the table: a median for each library that has one."""

    title: str
    values: dict[str, float]

    def lead(self) -> float | None:
        """How many times the best peer's figure is ours; None if one of them is missing."""
        peers = [value for name, value in self.values.items() if name != OURS]
        return min(peers) / self.values[OURS] if peers and OURS in self.values else None


def write_table(path: str, results: Results) -> None:
    """Replace what stands between the file's speed marks by the table.

    Args:
        path: a Markdown file with the marks.
        results: what to show.

    Raises:
        ValueError: if the file has no marks.
    """
    put_between(path, START, END, table(results))


def table(results: Results) -> str:
    """The table in Markdown.

    Args:
        results: what to show.

    Returns:
        The table, and what it was measured on.
    """
    libraries = [name for name in LIBRARIES if any(r["library"] == name for r in results.records)]
    heads = ["", *(LIBRARIES[name].title for name in libraries), "best peer / kerasish"]
    lines = [
        f"| {' | '.join(heads)} |",
        f"|---|{'--:|' * (len(libraries) + 1)}",
    ]
    for measure, title in MEASURES.items():
        rows = list(_rows(results, measure))
        if rows:
            lines.append(f"| **{title}** |{' |' * (len(libraries) + 1)}")
            lines += [_line(row, libraries) for row in rows]
            lines.append(_mean_line(rows, libraries))
    start = [row for row in _start_rows(results) if row.values]
    if start:
        lines.append(f"| **start and memory** |{' |' * (len(libraries) + 1)}")
        lines += [_line(row, libraries) for row in start]
    return "\n".join([*lines, "", *_notes(results)])


def _rows(results: Results, measure: str) -> Iterator[Row]:
    """A measure's rows, one for each workload."""
    for name in WORKLOADS:
        values = _medians(results, name, measure)
        if values:
            batch = next(r["batch"] for r in results.records if r["workload"] == name and measure in r)
            size = f", {batch} images" if measure in ("fit_ms", "predict_ms") else ""
            yield Row(f"{name}{size}", values)


def _start_rows(results: Results) -> Iterator[Row]:
    imports = _medians(results, None, "import_s")
    yield Row("import, s", {name: value for name, value in imports.items() if LIBRARIES[name].trains})
    for measure, title in SUMMARIES.items():
        rows = list(_rows(results, measure))
        everywhere = [name for name in LIBRARIES if rows and all(name in row.values for row in rows)]
        yield Row(title, {name: _mean(row.values[name] for row in rows) for name in everywhere})
    whole = _medians(results, "script", "script_s")
    yield Row("whole script (MNIST convnet, 6,400 images), s", whole)
    peers = {name: value for name, value in whole.items() if name != OURS}
    cold = _medians(results, "script-cold", "script_s")
    if cold:
        yield Row("the same, nothing compiled yet, s", {**cold, **peers})


def _medians(results: Results, workload: str | None, measure: str) -> dict[str, float]:
    """Each library's median over the rounds; over all workloads if None."""
    found: dict[str, list[float]] = {}
    for record in results.records:
        if measure in record and workload in (None, record["workload"]):
            found.setdefault(record["library"], []).append(record[measure])
    return {name: statistics.median(values) for name, values in found.items()}


def _line(row: Row, libraries: list[str]) -> str:
    best = min(row.values.values(), default=None)
    cells = [_cell(row.values.get(name), best) for name in libraries]
    return f"| {row.title} | {' | '.join(cells)} | {_factor(row.lead())} |"


def _mean_line(rows: list[Row], libraries: list[str]) -> str:
    """How many times kerasish's figure each peer's is, on average."""
    cells = []
    for name in libraries:
        factors = [row.values[name] / row.values[OURS] for row in rows if {name, OURS} <= set(row.values)]
        cells.append(_factor(_mean(factors)) if factors else "")
    leads = [lead for row in rows if (lead := row.lead())]
    last = _factor(_mean(leads)) if leads else ""
    return f"| *geometric mean, as multiple of kerasish* | {' | '.join(cells)} | {last} |"


def _mean(values) -> float:
    """The geometric mean."""
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def _cell(value: float | None, best: float | None) -> str:
    if value is None:
        return ""
    text = f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    return f"**{text}**" if value == best else text


def _factor(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}x"


def _notes(results: Results) -> Iterator[str]:
    """What was measured, on what, and when."""
    rounds = 1 + max((record["round"] for record in results.records), default=0)
    versions = ", ".join(f"{name} {version}" for name, version in results.machine["versions"].items())
    yield (
        f"Medians of {rounds} round{'s' if rounds > 1 else ''}, every figure from a fresh process, the libraries "
        "taking turns. Smaller is better; above 1.00x kerasish is ahead of its best peer. PyTorch: eager, channels "
        "last, fused Adam. ONNX Runtime: inference only."
    )
    yield ""
    yield (
        f"Written by `python -m benchmarks --write README.md` on {results.date}: {one_line(results.machine)}; "
        f"Python {results.machine['python']}, {versions}."
    )


def disagreements(results: Results) -> list[str]:
    """Who did not compute, from the same weights, what kerasish computed: a fast wrong answer is no contest."""
    outputs = {(r["workload"], r["library"]): r["outputs"] for r in results.records if "outputs" in r}
    found = []
    for (workload, library), got in outputs.items():
        want = outputs.get((workload, OURS), got)
        error = max(abs(a - b) for a, b in zip(got, want, strict=True)) / max(map(abs, want))
        if not error < 1e-3:
            found.append(f"{library} differs from kerasish on {workload} by {error:.1e} of the largest output")
    return found
