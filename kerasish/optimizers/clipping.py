"""Gradients cut to size, as arrays."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasish.kernels import twin_of
from kerasish.kernels.reference.precision import accumulator


def clip_by_value(grads: Sequence[Any], limit: float) -> list[Any]:
    """Each element within [-limit, limit]."""
    return [np.clip(g, -limit, limit) for g in grads]


def clip_by_norm(grads: Sequence[Any], limit: float) -> list[Any]:
    """Each array no longer than `limit`."""
    if not isinstance(grads[0], np.ndarray):
        return [_clipped_on_card(g, limit) for g in grads]
    return [g * limit / max(_norm([g]), limit) for g in grads]


def _clipped_on_card(g: Any, limit: float) -> Any:
    """`clip_by_norm` without reading the norm back, which would mean to wait for the card."""
    norm = np.sqrt(np.sum(np.square(g.astype(accumulator(g.dtype))), dtype="float64"))
    return g * (limit / np.maximum(norm, limit)).astype(g.dtype)


def clip_by_global_norm(grads: Sequence[Any], limit: float) -> list[Any]:
    """All arrays together no longer than `limit`; NaN if their length is not finite, as in Keras."""
    norm = _norm(grads)
    scale = min(limit / norm, 1.0) if norm and math.isfinite(norm) else 1.0 if norm == 0 else math.nan
    return [g * scale for g in grads]


def _norm(arrays: Sequence[Any]) -> float:
    return math.sqrt(twin_of(arrays[0]).sum_of_squares(arrays))
