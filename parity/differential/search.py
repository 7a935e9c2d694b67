"""Drawing cases of one subject, and shrinking one that differs."""

from __future__ import annotations

import contextlib
import zlib
from dataclasses import dataclass, field

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from parity.differential.outcome import differences
from parity.differential.subject import Subject

# what a case costs, about, beside one of an op: costly families get fewer
COSTS = {"ops": 1, "layers": 4, "losses": 1, "metrics": 1, "optimizers": 2, "models": 30, "training": 30}
LEAST = 2  # cases of a subject
REFUSED, MANY = 0.7, 10  # the part of many cases that libraries may refuse: more of them compare too little


class Differs(Exception):
    """Raised in a case that differs, for hypothesis to shrink."""


@dataclass
class Result:
    """What the cases of one subject showed.

    Attributes:
        subject: its name.
        cases: how many were compared, without those of shrinking.
        refused: how many of them both libraries refused.
        data: the smallest case that differs, as Python source.
        found: its differences, as text.
        died: a case in which real Keras ended the process.
    """

    subject: str
    cases: int = 0
    refused: int = 0
    data: str = ""
    found: list[str] = field(default_factory=list)
    died: str = ""

    def __str__(self):
        again = f'python -m parity.differential --case {self.subject} "{self.data}"'
        return "\n  ".join([f"{self.subject}: {self.data}", *self.found, again]) + "\n"


def shares(subjects: list[Subject], cases: int) -> list[int]:
    """How many of so many cases each subject gets: at least `LEAST`, more in families whose cases are cheap or wide."""
    weights = [COSTS[s.family] ** -0.5 * s.width for s in subjects]
    return [max(LEAST, round(cases * w / sum(weights))) for w in weights]


def search(subject: Subject, cases: int, seed: int) -> Result:
    """The result of so many cases of a subject."""
    result = Result(str(subject))

    @hypothesis.seed(seed ^ zlib.crc32(result.subject.encode()))
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    @given(subject.draw)
    def compare(data):
        result.cases += not result.found
        found, refused = differences(subject, data)
        result.refused += refused
        if found:
            result.data, result.found = repr(data), list(map(str, found))
            raise Differs

    with contextlib.suppress(Differs):  # the last one to differ, which is kept, is the smallest
        compare()
    if not result.found and result.cases >= MANY and result.refused > REFUSED * result.cases:
        result.found = [f"{result.refused} of {result.cases} cases are refused by both: the strategy draws badly"]
    return result
