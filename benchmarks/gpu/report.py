"""The records in Markdown: verdicts, training steps, large convolutions; and all rows, for the screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from benchmarks.gpu.steps import CONTESTANTS
from benchmarks.gpu.verdicts import verdicts
from benchmarks.marks import put_between

START, END = "<!-- gpu:start -->", "<!-- gpu:end -->"


def write(path: str, results: dict) -> None:
    """Replace what stands between the file's marks by the summary.

    Raises:
        ValueError: if the file has no marks.
    """
    put_between(path, START, END, summary(results))


def summary(results: dict) -> str:
    """What the README shows."""
    records = results["records"]
    parts = [_verdicts(records, bool(results.get("only"))), _steps(records), _convolutions(records), _notes(results)]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _verdicts(records: list[dict], partial: bool) -> list[str]:
    lines = ["| on the card | | |", "|---|---|---|"]
    return [*lines, *(f"| {v.claim} | {v.word} | {v.figures} |" for v in verdicts(records, partial))]


def _steps(records: list[dict]) -> list[str]:
    """Milliseconds and memory of a training step, a row a network."""
    found = {(r["network"], r["contestant"]): r for r in records if r["group"] == "steps" and "ms" in r}
    networks = list(dict.fromkeys(network for network, _ in found))
    if not networks:
        return []
    lines = [f"| training step, ms (GB) | {' | '.join(CONTESTANTS)} |", "|---|--:|--:|--:|"]
    for network in networks:
        cells = [_step(found.get((network, name))) for name in CONTESTANTS]
        lines.append(f"| {network} | {' | '.join(cells)} |")
    return lines


def _step(record: dict | None) -> str:
    if record is None:
        return ""
    wrong = "" if record["right"] else " did not learn"
    return f"{record['ms']:.1f} ({record['memory_mb'] / 1024:.1f}){wrong}"


def _convolutions(records: list[dict]) -> list[str]:
    """The large convolutions, in float32 and tf32."""
    rows = [r for r in records if r.get("large") and r["precision"] in ("float32", "tf32")]
    if not rows:
        return []
    lines = [
        "| convolution | | kerasish, us | cuDNN, us | TFLOP/s | of the float32 peak |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for r in rows:
        share = f"{100 * r['peak_share']:.0f}%" if "peak_share" in r else ""
        cells = [r["precision"], _us(r, "ours_us"), _us(r, "torch_us"), f"{r['tflops']:.1f}", share]
        lines.append(f"| {r['name'].split(' [')[0]} | {' | '.join(cells)} |")
    return lines


def _us(record: dict, key: str) -> str:
    return f"{record[key]:.0f}" if key in record else ""


def _notes(results: dict) -> list[str]:
    card, versions = results["card"], ", ".join(f"{k} {v}" for k, v in results["versions"].items() if v)
    peak = f", {card['peak_tflops']:.1f} TFLOP/s of float32 at most" if card["peak_tflops"] else ""
    return [
        f"Written by `python -m benchmarks.gpu --write README.md FILE.json` from figures of {results['date']}: "
        f"{card['name']}, {card['multiprocessors']} multiprocessors at {card['clock_ghz']:.2f} GHz{peak}; {versions}. "
        "Kernels: medians by device events, inputs taking turns. Steps: medians by the wall clock, each giving its "
        "loss to the host, in a process of its own."
    ]


def all_rows(records: list[dict]) -> str:
    """Every row of kernels, and what was skipped or failed elsewhere."""
    lines = ["| kernel | error | kerasish, us | PyTorch, us | rate |", "|---|--:|--:|--:|--:|"]
    return "\n".join([*lines, *map(_row, _kernels(records)), "", *_troubles(records)])


def _kernels(records: list[dict]) -> Iterator[dict]:
    return (r for r in records if r["group"] in ("kernels", "more kernels") and "ours_us" in r)


def _row(r: dict) -> str:
    wrong = "" if r["right"] else " WRONG"
    error = r["error"] if isinstance(r["error"], str) else f"{r['error']:.0e}"
    rate = f"{r['tflops']:.1f} TFLOP/s" if "tflops" in r else f"{r['gbs_read']:.0f} GB/s read"
    return f"| {r['name']} | {error}{wrong} | {_us(r, 'ours_us')} | {_us(r, 'torch_us')} | {rate} |"


def _troubles(records: list[dict]) -> Iterator[str]:
    """Everything that failed or is wrong, by name, and how much was left out."""
    for r in records:
        why = r.get("failed") or (r.get("differs") or "wrong" if r.get("right") is False else "")
        if why:
            yield f"{r['group']}: {r['name']}: {why}"
    for group, count in Counter(r["group"] for r in records if "skipped" in r).items():
        yield f"{group}: {count} skipped"
