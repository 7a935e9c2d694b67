"""Strategies that subjects share, and the arrays that their data stands for."""

from __future__ import annotations

import ml_dtypes  # noqa: F401  (lets NumPy know bfloat16)
import numpy as np
from hypothesis import strategies as st

FLOATS = ("float32", "float64", "float16", "bfloat16")
INTEGERS = ("int32", "int64", "int8", "uint8", "int16")
DTYPES = (*FLOATS, *INTEGERS, "bool")

seeds = st.integers(0, 999)
booleans = st.booleans()
dims = st.integers(1, 4)
batches = st.sampled_from((2, 3, 1))


def one(*values):
    """One of some values; shrinks to the first."""
    return st.sampled_from(values)


def mostly(usual, rare, times=4):
    """A strategy, or so many times less often another; `one_of` would leave out what it has already."""
    return one(*[usual] * times, rare).flatmap(lambda strategy: strategy)


def some(**arguments):
    """A dict with any of some keyword arguments: what is left out keeps its default."""
    return st.fixed_dictionaries({}, optional=arguments)


def with_required(required: dict, optional: dict):
    """A dict of strategies: the required ones, and any of the optional ones."""
    return st.fixed_dictionaries(required, optional={k: v for k, v in optional.items() if k not in required})


def shapes(least=0, most=4, dim=dims):
    """Shapes of some ranks."""
    return st.lists(dim, min_size=least, max_size=most).map(tuple)


def array(shape, dtype=one("float32"), values=one("normal"), **more):
    """Data of an array: `made` gives it. `shape` is a strategy or a tuple."""
    shape = st.just(shape) if isinstance(shape, tuple) else shape
    return st.fixed_dictionaries({"shape": shape, "dtype": dtype, "values": values, "seed": seeds, **more})


def made(data) -> np.ndarray:
    """The array that `array`'s data stands for; other data as it is."""
    if not (isinstance(data, dict) and "values" in data):
        return data
    rng, shape = np.random.default_rng(data["seed"]), tuple(data["shape"])
    return np.asarray(VALUES[data["values"]](rng, shape, data)).astype(data["dtype"])


def _special(rng, shape, data):
    """Normal numbers with zeros, infinities and NaN among them."""
    x = rng.standard_normal(shape) * 3
    return np.where(rng.random(shape) < 0.3, rng.choice([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0], shape), x)


def _labels(rng, shape, data):
    return rng.integers(data.get("least", 0), data["classes"], shape) + data.get("shift", 0)


def _probabilities(rng, shape, data):
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1]) if shape and shape[-1] else rng.random(shape)


VALUES = {
    "normal": lambda rng, shape, data: rng.standard_normal(shape) * (3 if "int" in data["dtype"] else 1),
    "positive": lambda rng, shape, data: rng.random(shape) * 3 + 0.25,
    "inside": lambda rng, shape, data: rng.uniform(-0.9, 0.9, shape),
    "unit": lambda rng, shape, data: rng.random(shape),
    "ties": lambda rng, shape, data: rng.integers(-2, 3, shape),
    "small": lambda rng, shape, data: rng.integers(0, 4, shape),
    "bits": lambda rng, shape, data: rng.integers(0, 2, shape),
    "signs": lambda rng, shape, data: rng.choice([-1, 1], shape),
    "special": _special,
    "labels": _labels,
    "sorted labels": lambda rng, shape, data: np.sort(_labels(rng, shape, data)),
    "sorted": lambda rng, shape, data: np.sort(rng.integers(-2, 3, shape)),
    "tens": lambda rng, shape, data: rng.standard_normal(shape) * 100,
    "given": lambda rng, shape, data: data["given"],
    "probabilities": _probabilities,
    "one_hot": lambda rng, shape, data: np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])],
    "zeros": lambda rng, shape, data: np.zeros(shape),
}


@st.composite
def broadcastable(draw, most=3):
    """Two shapes that broadcast, either way round."""
    shape = draw(shapes(0, most))
    other = tuple(1 if draw(one(False, False, True)) else d for d in shape)[draw(st.integers(0, len(shape))) :]
    return (other, shape) if draw(booleans) else (shape, other)


def axes(rank: int, several=True):
    """An axis, None, or a tuple of axes."""
    if not rank:
        return st.none()
    axis = st.integers(-rank, rank - 1)
    options = [st.none(), axis]
    if several:
        options.append(st.lists(st.integers(0, rank - 1), min_size=1, max_size=rank, unique=True).map(tuple))
    return st.one_of(*options)
