"""`python -m benchmarks.gpu.worker GROUP`: does the jobs whose names come as JSON, and writes a line for each.

A job that fails gives a record that says so. If the card answers no more after that, an illegal address say, the
process says that it is lost and ends, for nothing that it would still do could succeed.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from benchmarks.gpu.jobs import GROUPS, Job

MARK = "@@ "  # begins a line that is meant for `run.py`


def main(argv: list[str]) -> int:
    """Do the jobs that standard input names."""
    jobs = GROUPS[argv[0]].jobs()
    wanted = {name: jobs[name] for name in json.load(sys.stdin)}
    for event in work(wanted, card_answers):
        print(MARK + json.dumps(event), flush=True)
    return 0


def work(jobs: dict[str, Job], answers: Callable[[], bool]) -> Iterator[dict]:
    """Events: {"begin": name}, {"name": name, "records": [...]}; after a failure {"asks": name}, whether the card still
    answers, and {"lost": name} if it does not."""
    for name, job in jobs.items():
        yield {"begin": name}
        try:
            found = job()
            records = [{"name": name, **record} for record in (found if isinstance(found, list) else [found])]
            yield {"name": name, "records": [plain(record) for record in records]}
        except Exception as failure:  # a failure is a finding; the other jobs are wanted too
            yield {"name": name, "records": [{"name": name, "failed": told(failure)}]}
            yield {"asks": name}
            if not answers():
                yield {"lost": name}
                return


def told(failure: Exception) -> str:
    """An exception in two lines: what, and where."""
    frames = traceback.extract_tb(failure.__traceback__)
    text = f"{type(failure).__name__}: {failure}"[:600]
    ours = [f for f in frames if "kerasish" in f.filename] or frames
    where = f"{ours[-1].filename.rsplit('kerasish/', 1)[-1]}:{ours[-1].lineno}" if ours else "nowhere"
    return f"{text} [{where}]"


def plain(value: Any) -> Any:
    """Numbers of NumPy as Python's, infinities as text, for JSON."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(part) for part in value]
    value = value.item() if hasattr(value, "item") else value
    return str(value) if isinstance(value, float) and value in (float("inf"), float("-inf")) else value


def card_answers() -> bool:
    """Whether the card still computes."""
    from benchmarks.gpu import card

    return card.answers(card.open_card())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
