"""Gradients compared with differences: `check_gradients`. It is kerasish's own; Keras has no such name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kerasish.core import dtypes
from kerasish.core.autodiff import GradientTape, no_recording
from kerasish.core.tensor import Tensor, as_array

STEPS = 10.0 ** -np.arange(1, 8)  # relative to the inputs
ROUNDING = {"float64": 1e-6, "float32": 1e-2}  # the relative error that is allowed in any case


class Comparison(NamedTuple):
    """The slope along a random direction of one input: by the gradient, and by differences."""

    input: int
    gradient: float
    difference: float
    uncertainty: float
    allowed: float

    @property
    def right(self) -> bool:
        return abs(self.gradient - self.difference) <= self.allowed

    def __str__(self):
        verdict = "right" if self.right else "WRONG"
        return (
            f"input {self.input}: by the gradient {self.gradient:.6g}, by differences {self.difference:.6g} "
            f"(known to {self.uncertainty:.1g}): {verdict}"
        )


class Report(NamedTuple):
    """What `check_gradients` found."""

    dtype: str
    rows: list[Comparison]

    @property
    def right(self) -> bool:
        return all(row.right for row in self.rows)

    def __str__(self):
        return "\n".join([f"slopes in random directions, in {self.dtype}", *map(str, self.rows)])


def check_gradients(function: Callable, *inputs: Any, directions: int = 3, seed: int = 0, **options: Any) -> Report:
    """Compare the gradients of a function of tensors with differences, along random directions.

    It computes in float64 where the function does, else in the inputs' own dtypes; and compares with the differences
    whose steps agree best. At a kink the gradient is one of many: choose inputs away from it.

    Args:
        function: of tensors, such as an op made by `numba_op`; gives a tensor, or a tuple of some.
        inputs: what to call it with. Gradients of those of floats are compared.
        directions: how many for each input.
        seed: of the random directions.
        options: keyword arguments for the function.

    Returns:
        The report: `print` shows each slope. Its `rows` hold the numbers.

    Raises:
        ValueError: if a gradient is wrong; the message is the report.

    Example:

    ```python
    print(keras.ops.check_gradients(square, np.linspace(-1, 1, 12).reshape(3, 4)))
    ```
    """
    arrays = [as_array(x) for x in inputs]
    call = lambda *given: function(*given, **options)
    wide = [x.astype(np.float64) if dtypes.is_float(dtypes.name_of(x)) else x for x in arrays]
    try:
        arrays = wide if all(y.dtype != "float32" for y in _several(call(*map(Tensor, wide)))) else arrays
    except Exception:  # it does not take float64; what is wrong beside that, it will say of the inputs themselves
        pass
    chosen = [i for i, x in enumerate(arrays) if dtypes.is_float(dtypes.name_of(x))]
    if not chosen:
        raise ValueError("check_gradients: none of the inputs is of floats, so there are no gradients")
    dtype = min(
        (dtypes.name_of(arrays[i]) for i in chosen), key=lambda name: np.dtype(dtypes.numpy_dtype(name)).itemsize
    )
    rng = np.random.default_rng(seed)
    rows = [_compared(call, arrays, i, ROUNDING.get(dtype, 0.1), rng) for i in chosen for _ in range(directions)]
    report = Report(dtype, rows)
    if not report.right:
        raise ValueError(f"check_gradients of {getattr(function, '__name__', function)}: {report}")
    return report


def _compared(call, arrays, i, rounding, rng) -> Comparison:
    """The slope along a direction of input i of a weighed sum of all results."""
    tensors = [Tensor(x) for x in arrays]
    with GradientTape() as tape:
        tape.watch(tensors[i])
        results = _several(call(*tensors))
    weights = [rng.standard_normal(tuple(y.shape)) for y in results]
    seeds = [Tensor(as_array(w, y.dtype, y.value)) for w, y in zip(weights, results)]
    gradient = tape.gradient(list(results), tensors[i], seeds, unconnected_gradients="zero")
    direction = rng.standard_normal(arrays[i].shape)

    def value(step):
        moved = arrays[i] + as_array(step * direction, dtypes.name_of(arrays[i]), arrays[i])
        given = [Tensor(moved) if j == i else Tensor(x) for j, x in enumerate(arrays)]
        with no_recording():
            found = _several(call(*given))
        return sum(float((_wide(y) * w).sum()) for y, w in zip(found, weights))

    slope = float((_wide(gradient) * direction).sum())
    scale = max(1.0, float(np.abs(_wide(Tensor(arrays[i]))).max(initial=0)))
    slopes = np.array([(value(h) - value(-h)) / (2 * h) for h in STEPS * scale])
    three = np.sort(
        [slopes[:-2], slopes[1:-1], slopes[2:]], 0
    )  # neighbours, of which the closest say how near they are
    apart = np.nan_to_num(three[2] - three[0], nan=np.inf)
    best = int(np.argmin(apart))
    size = float(np.abs(_wide(gradient) * direction).sum())  # of which the slope may be a small difference
    allowed = max(rounding * max(size, abs(three[1][best])), 2 * apart[best])
    return Comparison(i, slope, float(three[1][best]), float(apart[best]), float(allowed))


def _wide(x: Tensor) -> np.ndarray:
    return x.numpy().astype(np.float64)


def _several(found) -> tuple:
    return tuple(found) if isinstance(found, (tuple, list)) else (found,)
