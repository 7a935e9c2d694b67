"""What was to be shown, and whether it was: met, not met or not measured, with the figures."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import NamedTuple

PEAK_SHARE, FLOAT32_RATIO, TF32_RATIO = 0.6, 1.0, 0.5
WORDS = {True: "met", False: "NOT MET", None: "not measured"}
NAMED = 5  # culprits that are named


class Verdict(NamedTuple):
    """A claim; `met` is None where too little was measured to tell."""

    claim: str
    met: bool | None
    figures: str

    @property
    def word(self) -> str:
        """In words."""
        return WORDS[self.met]


def verdicts(records: list[dict], partial: bool = False) -> list[Verdict]:
    """Every claim, from the records of a run; `partial` if it was asked for some jobs only."""
    group = lambda *names: [r for r in records if r["group"] in names]
    rows, steps = group("kernels", "more kernels"), group("steps")
    agreement = group("agreement")
    named = lambda *starts: [r for r in agreement if r["name"].startswith(starts)]
    one = lambda name: [r for r in steps if r["name"] == name]
    return [
        compiled(group("compile")),
        all_right("Every kernel gives what float64 gives", rows),
        launched(group("compile"), rows, partial),
        at_least("float32 convolutions on large layers: 60% of the card's float32 peak", rows, "float32", "peak_share"),
        at_least("float32 convolutions on large layers: cuDNN's speed", rows, "float32", "ratio"),
        at_least("tf32 convolutions on large layers: half of cuDNN's speed", rows, "tf32", "ratio"),
        faster("A training step of ResNet-50: as fast as Keras on PyTorch", steps),
        all_right(
            "The MNIST script trains on the card, to the CPU's loss", [*one("MNIST epoch"), *one("MNIST script")]
        ),
        copied(one("MNIST copies")),
        all_right("Card and CPU draw the same dropout masks and initial weights", named("dropout", "initial")),
        all_right("A model saved on card or CPU opens on the other", named("saved")),
        all_right("Every parity case holds on the card", group("parity")),
    ]


def compiled(records: list[dict]) -> Verdict:
    """Whether every kernel became machine code, and how long that took."""
    met, figures = _tally(records, lambda r: "seconds" in r)
    fresh = {r["name"]: r["seconds"] for r in records if "seconds" in r and not r["kept"]}
    if fresh:
        slowest = max(fresh, key=fresh.get)
        figures += f"; a kernel in {statistics.median(fresh.values()):.1f} s, {slowest} in {fresh[slowest]:.1f} s"
    return Verdict("Every kernel compiles for the card", met, figures)


def all_right(claim: str, records: list[dict]) -> Verdict:
    """Whether all records are right; those that failed are not."""
    met, figures = _tally(records, lambda r: r.get("right", False))
    errors = [r["error"] for r in records if r.get("right") and isinstance(r.get("error"), float)]
    return Verdict(claim, met, figures + (f"; largest error {max(errors):.0e}" if errors else ""))


def _tally(records: list[dict], good) -> tuple[bool | None, str]:
    """Whether all that was done is good, and all was done; how many, and who is not."""
    done = [r for r in records if "skipped" not in r]
    bad = [r["name"] for r in done if not good(r)]
    figures = f"{len(done) - len(bad)} of {len(done)}"
    if len(done) < len(records):
        figures += f", {len(records) - len(done)} skipped"
    if bad:
        return False, f"{figures}; not: {_list(bad)}"
    return (True if done and len(done) == len(records) else None), figures


def _list(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def launched(compiled: list[dict], rows: list[dict], partial: bool) -> Verdict:
    """Whether the rows launched every kernel that there is."""
    claim = "Every kernel was launched"
    known = {r["name"] for r in compiled if "seconds" in r or "failed" in r}
    seen = {name for row in rows for name in row.get("launched", ())}
    missing = sorted(known - seen)
    figures = f"{len(known & seen)} of {len(known)}" + (f"; not: {_list(missing)}" if missing else "")
    undecided = not known or (missing and (partial or any("skipped" in r for r in rows)))
    return Verdict(claim, None if undecided else not missing, figures)


def at_least(claim: str, rows: list[dict], precision: str, key: str) -> Verdict:
    """Whether a figure of all large rows of a precision is at least its bound; a wrong result does not count."""
    bound = {"peak_share": PEAK_SHARE}.get(key, FLOAT32_RATIO if precision == "float32" else TF32_RATIO)
    wanted = [r for r in rows if r.get("large") and r["precision"] == precision and r["right"] and key in r]
    skipped = any(f"[{precision}]" in r["name"] and ("skipped" in r or "failed" in r) for r in rows)
    if not wanted:
        return Verdict(claim, None, "")
    worst = min(wanted, key=lambda r: r[key])
    figures = f"{worst[key]:.2f} ({worst['name']}) to {max(r[key] for r in wanted):.2f}"
    figures += f", median {statistics.median(r[key] for r in wanted):.2f}, of {len(wanted)} rows; wanted {bound:g}"
    held = worst[key] >= bound
    return Verdict(claim, None if held and skipped else held, figures)


def faster(claim: str, steps: Iterable[dict]) -> Verdict:
    """Whether kerasish is as fast as Keras on PyTorch, at the largest batch that both managed."""
    times = {(r["network"], r["contestant"]): r for r in steps if "ms" in r}
    for (network, contestant), ours in times.items():
        theirs = times.get((network, "Keras on PyTorch"))
        if contestant != "kerasish" or not network.startswith("ResNet-50") or theirs is None:
            continue
        plain = times.get((network, "PyTorch"))
        figures = f"{network}: {ours['ms']:.1f} ms, Keras on PyTorch {theirs['ms']:.1f} ms"
        figures += f", PyTorch {plain['ms']:.1f} ms" if plain else ""
        return Verdict(claim, ours["ms"] <= theirs["ms"] and ours["right"], figures)
    return Verdict(claim, None, "")


def copied(records: list[dict]) -> Verdict:
    """Whether nothing goes between host and card within a step whose batch lies on the card."""
    claim = "No copies between host and card inside of a step"
    done = [r for r in records if "right" in r]
    if not done:
        return Verdict(claim, False if any("failed" in r for r in records) else None, "")
    parts = []
    for way in ("asked", "driver"):
        found = done[0][f"{way}, data on the card"]
        size = f" of {found['bytes_up'] + found.get('bytes_down', 0):.0f} bytes" if "bytes_up" in found else ""
        parts.append(
            f"{way} {found.get('up', 0):g} up, {found.get('down', 0):g} down{size}" if found else f"{way} unknown"
        )
    return Verdict(claim, done[0]["right"], "a step: " + "; ".join(parts))
