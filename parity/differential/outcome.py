"""What running a case gave, and how two of them differ."""

from __future__ import annotations

import json
import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parity.differential import known
from parity.differential.subject import Subject
from parity.libraries import each, sides

# sums in another order, exponentials of another library
TOLERANCES = {"float64": 2e-5, "float32": 2e-5, "float16": 4e-3, "bfloat16": 3e-2, "complex64": 2e-5}
HALVES = ("float16", "bfloat16")
JOURNAL = "KERASISH_DIFFERENTIAL_JOURNAL"
ENGINE_TEXTS = (  # of exceptions that TensorFlow raises under Python's own names
    "to EagerTensor of dtype",
    "`features.dtype` must be a floating point tensor",
    "when using the tensorflow backend",
    "scalar tf.int32/tf.int64 tensors are valid indices",
    "Incompatible type conversion requested to type",
    "must have the same dtype, got tf.",
    "has type <dtype: ",
    "Value passed to parameter",
    "that does not match type",
    "not in list of allowed values",
)
SMALLEST = 1e-2  # arrays of smaller numbers are compared in units of this


@dataclass
class Difference:
    """What differs in a case: the result's name, both sides of it, how far numbers are apart at most, and where."""

    what: str
    want: object
    got: object
    apart: float = float("inf")
    where: np.ndarray | None = None

    def only(self, places) -> bool:
        """Whether all numbers that differ are in some places of their array."""
        return self.where is not None and np.shape(places) == self.where.shape and not (self.where & ~places).any()

    def __str__(self):
        return f"{self.what}:\n    Keras    {_short(self.want)}\n    kerasish {_short(self.got)}"


TOO_WIDE = (Exception, BaseException, object)


@dataclass
class Raised:
    """An exception as a result."""

    error: Exception

    @property
    def kind(self) -> str:
        """The class that both libraries can share: the nearest one of Python's own."""
        return self.kinds[0]

    @property
    def kinds(self) -> list[str]:
        """All of Python's own classes that it belongs to."""
        return [c.__name__ for c in type(self.error).__mro__ if c.__module__ == "builtins" and c not in TOO_WIDE]

    @property
    def from_engine(self) -> bool:
        """Whether TensorFlow itself raised it, or NumPy under it: for what it cannot do, mostly."""
        by_class = type(self.error).__module__.startswith("tensorflow") or "DTypePromotion" in type(self.error).__name__
        return by_class or any(text in str(self.error) for text in ENGINE_TEXTS)

    def __str__(self):
        return f"{type(self.error).__name__}: {' '.join(str(self.error).split())[:300]}"


class Unreliable:
    """A result in which Keras contradicts itself: anything is as good."""


def differences(subject: Subject, data) -> tuple[list[Difference], bool]:
    """What differs between the libraries for one case, without what is known; and whether both refused it."""
    journal(f"{subject}: {data!r}")
    with tempfile.TemporaryDirectory() as folder:
        results = _results(subject, data, Path(folder))
    tolerance = max(subject.tolerance, _coarsest(data)) if subject.halves else subject.tolerance
    found = [d for d in _compare("", *results, tolerance) if known.reason(subject, data, d) is None]
    return found, not found and isinstance(results[0], Raised)


def _coarsest(data) -> float:
    """The tolerance of the coarsest dtype, or policy of one, that stands in some data."""
    if isinstance(data, dict):
        data = list(data.values())
    if isinstance(data, (list, tuple)):
        return max(map(_coarsest, data), default=0.0)
    return TOLERANCES.get(data.removeprefix("mixed_"), 0.0) if isinstance(data, str) else 0.0


def _results(subject, data, folder):
    """What either library gives, and what it makes of the other's files."""
    if subject.exchange is None:
        return each(lambda keras: _attempt(subject.run, keras, data))
    names = [side.keras.__name__ for side in sides()]
    for name in names:
        (folder / name).mkdir()
    results = each(lambda keras: _attempt(subject.run, keras, data, folder / keras.__name__))
    others = dict(zip(names, reversed(names)))
    exchanged = each(lambda keras: _attempt(subject.exchange, keras, data, folder / others[keras.__name__]))
    if any(isinstance(r, Raised) for r in results):
        return results
    return [{**a, "exchanged": b} for a, b in zip(results, exchanged)]


def _attempt(function, keras, *arguments):
    journal(keras.__name__)
    return attempt(function, keras, *arguments)


def attempt(function, *arguments):
    """What a function gives, or what it raises."""
    try:
        return function(*arguments)
    except Exception as error:
        return Raised(error)


def journal(line: str) -> None:
    """Leave a line where whoever started this process finds it if the process dies."""
    path = os.environ.get(JOURNAL)
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")


def _compare(what, want, got, tolerance):
    if isinstance(want, Unreliable) or isinstance(got, Unreliable):
        return
    if isinstance(want, Raised) or isinstance(got, Raised):
        if not _same_refusal(want, got):
            yield Difference(what or "outcome", want, got)
    elif isinstance(want, dict) and isinstance(got, dict):
        if list(want) != list(got):
            yield Difference(f"{what} keys", list(want), list(got))
        for key in want:
            if key in got:
                yield from _compare(f"{what}.{key}".strip("."), want[key], got[key], tolerance)
    elif isinstance(want, (list, tuple)) and isinstance(got, (list, tuple)):
        if len(want) != len(got) or type(want) is not type(got):
            yield Difference(what, want, got)
        for i, (a, b) in enumerate(zip(want, got)):
            yield from _compare(f"{what}[{i}]", a, b, tolerance)
    elif isinstance(want, np.ndarray) and isinstance(got, np.ndarray):
        yield from _compare_arrays(what, want, got, tolerance)
    elif isinstance(want, float) and isinstance(got, float):
        if not (_far(np.asarray(want), np.asarray(got)) <= tolerance):
            yield Difference(what, want, got)
    elif type(want) is not type(got) or want != got:
        yield Difference(what, want, got)


def _same_refusal(want, got) -> bool:
    """Whether both refuse; what TensorFlow's own kernels cannot do, we may do or refuse as we like."""
    if isinstance(want, Raised) and want.from_engine:
        return True
    return isinstance(want, Raised) and isinstance(got, Raised) and want.kind in got.kinds


def _compare_arrays(what, want, got, tolerance):
    if want.shape != got.shape:
        yield Difference(f"{what} shape", want.shape, got.shape)
    elif want.dtype != got.dtype:
        yield Difference(f"{what} dtype", want.dtype.name, got.dtype.name)
    else:
        allowed = max(tolerance, TOLERANCES.get(want.dtype.name, 0.0)) if want.dtype.name in TOLERANCES else 0.0
        if "gradient" in what and want.dtype.name in HALVES:
            allowed *= 4  # sums of many terms, each of them rounded
        cancels = "gradient" in what or tolerance >= TOLERANCES["float16"]  # parts of gradients, of sums of halves
        error = _far(want, got, 1.0 if cancels else SMALLEST)
        if not error <= allowed:
            apart = (
                float(np.abs(want.astype("c16") - got.astype("c16")).max()) if want.dtype.kind in "biufc" else math.inf
            )
            where = _apart(want, got, allowed * max(_scale(want), 1.0 if cancels else SMALLEST))
            yield Difference(f"{what} values", f"{want!r} (relative difference {error:.1e})", got, apart, where)


def _apart(want, got, by):
    """Which numbers differ by more than an amount, or in not being finite."""
    if want.dtype.kind not in "fcV":
        return want != got
    want, got = want.astype("c16"), got.astype("c16")
    with np.errstate(invalid="ignore"):
        return ~((np.abs(want - got) <= by) | (want == got) | (np.isnan(want) & np.isnan(got)))


def _scale(x) -> float:
    """The largest of the finite numbers."""
    x = np.abs(x.astype("c16"))
    return float(x[np.isfinite(x)].max(initial=0.0))


def _far(want, got, smallest=SMALLEST) -> float:
    """The largest difference in units of the largest finite number; infinite where NaN or infinities differ."""
    if want.size == 0:
        return 0.0
    if want.dtype.kind in "biuSUO":
        return 0.0 if np.array_equal(want, got) else float("inf")
    kind = "c16" if want.dtype.kind == "c" else "f8"
    want, got = want.astype(kind), got.astype(kind)
    finite = np.isfinite(want)
    if not np.array_equal(finite, np.isfinite(got)) or not np.array_equal(want[~finite], got[~finite], equal_nan=True):
        return float("inf")
    scale = max(np.abs(want[finite]).max(initial=0.0), smallest)
    return float(np.abs(want[finite] - got[finite]).max(initial=0.0) / scale)


def _short(x) -> str:
    text = str(x) if isinstance(x, (str, Raised)) else repr(x)
    return text if len(text) < 700 else text[:700] + " ..."


def plain(x):
    """A structure of tensors, dtypes and the like as one of arrays and plain values."""
    if isinstance(x, dict):
        return {str(k): plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if x is None or isinstance(x, (bool, int, float, str)):
        return x
    return np.asarray(x.numpy() if hasattr(x, "numpy") else x)


def as_json(config) -> str:
    """A config as text, keys in order; what JSON cannot hold, by its representation."""
    return json.dumps(config, sort_keys=True, default=lambda x: plain(x).tolist() if hasattr(x, "shape") else str(x))
