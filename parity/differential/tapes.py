"""Gradients of a random projection, through either library's tape."""

from __future__ import annotations

import numpy as np

from parity.libraries import real, tensorflow


def gradients(keras, function, arrays, variables=()):
    """(results, gradients): those of `function(*tensors)`, and a projection's by float arrays and variables.

    None where a tape finds no way.
    """
    theirs = keras is real()
    tensors = [tensorflow().constant(a) if theirs else keras.ops.convert_to_tensor(a) for a in arrays]
    watched = [t for t, a in zip(tensors, arrays) if "float" in a.dtype.name]
    with tensorflow().GradientTape() if theirs else keras.GradientTape() as tape:
        tape.watch(watched)
        results = function(*tensors)
        floats = [y for y in _leaves(results) if "float" in keras.backend.standardize_dtype(y.dtype)]
        loss = sum((keras.ops.sum(keras.ops.cast(y, "float32") * _projection(y)) for y in floats), 0.0)
    if not floats:
        return results, []
    sources = watched + [v.value if theirs else v for v in variables]
    found = tape.gradient(loss, sources)
    return results, [
        None if g is None else np.asarray((tensorflow().convert_to_tensor(g) if theirs else g).numpy()) for g in found
    ]


def _projection(y):
    return np.random.default_rng(7).standard_normal(tuple(y.shape)).astype("float32")


def _leaves(y):
    if isinstance(y, dict):
        y = list(y.values())
    return [v for part in y for v in _leaves(part)] if isinstance(y, (list, tuple)) else [y]
