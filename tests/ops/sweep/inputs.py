"""What the ops of a row are given: arrays of the dtype that is being swept, or of one that stays."""

from __future__ import annotations

import ml_dtypes
import numpy as np


class Input:
    """An input whose dtype is swept, and by which gradients are taken.

    Args:
        shape: its shape.
        draw: "real", "positive", "inside" (between -1 and 1), "above" (above 1), "distinct" (no two alike),
            "probability" (sums to 1 along the last axis), or the values themselves.
    """

    def __init__(self, *shape, draw="real"):
        self.shape, self.draw = shape, draw

    def array(self, dtype: str, rng, shape=None):
        """Its values in a dtype, the same at each call with the same generator."""
        shape = self.shape if shape is None else shape
        if not isinstance(self.draw, str):
            values = np.resize(np.asarray(self.draw, float), shape)
        else:
            values = np.asarray(getattr(self, "_" + self.draw)(dtype, rng, shape))
        return cast(values, dtype)

    @staticmethod
    def _real(dtype, rng, shape):
        return rng.standard_normal(shape) if is_float(dtype) else rng.integers(-4, 5, shape)

    @staticmethod
    def _positive(dtype, rng, shape):
        return np.abs(rng.standard_normal(shape)) + 0.5 if is_float(dtype) else rng.integers(1, 5, shape)

    @staticmethod
    def _inside(dtype, rng, shape):
        return rng.uniform(-0.8, 0.8, shape) if is_float(dtype) else rng.integers(-1, 2, shape)

    @staticmethod
    def _above(dtype, rng, shape):
        return Input._positive(dtype, rng, shape) + 1

    @staticmethod
    def _distinct(dtype, rng, shape):
        count = int(np.prod(shape))
        return (rng.permutation(count).reshape(shape) - count // 2) * (0.5 if is_float(dtype) else 1)

    @staticmethod
    def _probability(dtype, rng, shape):
        values = np.exp(rng.standard_normal(shape))
        return values / values.sum(-1, keepdims=True)


def is_float(dtype: str) -> bool:
    return "float" in dtype


def cast(values, dtype: str):
    """Values as an array of a dtype by its name, negative ones wrapped where it has no sign."""
    with np.errstate(all="ignore"):
        if dtype == "bfloat16":
            return values.astype(ml_dtypes.bfloat16)
        return np.abs(values).astype(dtype) if dtype.startswith("u") else values.astype(dtype)


def real(*shape):
    return Input(*shape)


def positive(*shape):
    return Input(*shape, draw="positive")


def inside(*shape):
    return Input(*shape, draw="inside")


def above(*shape):
    return Input(*shape, draw="above")


def distinct(*shape):
    return Input(*shape, draw="distinct")


def probability(*shape):
    return Input(*shape, draw="probability")


def given(*values):
    """These values, in one axis."""
    return Input(len(values), draw=values)


def table(*rows):
    """These rows of values."""
    return Input(len(rows), len(rows[0]), draw=rows)
