"""Inference without Python between kernels: a model's forward pass, recorded for each shape that comes again.

The third batch of one shape is recorded (`kernels/cpu/replay.py`), as a whole or for parts of it, and from then on the
pass is replayed, as long as no weight and no layer has changed. Layers that may be in a recorded model are those whose
inference is native calls; and a recording counts only if it gives, bit for bit, what the layers give for other inputs
than it was made with.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from kerasish import kernels
from kerasish.core import nest
from kerasish.core.tensor import Tensor
from kerasish.layers import tracking
from kerasish.layers.layer import Layer
from kerasish.models.plans.fused import kind

ORDINARY, MANY = 2, 10  # passes of one shape before it is recorded; before batches that take long are
QUICK, LONG = 2e-3, 0.05  # seconds that a pass takes: less than batches that take long; more than can be tried out
SHAPES = 4  # recordings that a model keeps
LAYERS = frozenset(
    "InputLayer Conv1D Conv2D DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D Conv2DTranspose Dense "
    "BatchNormalization LayerNormalization Activation ReLU LeakyReLU Softmax MaxPooling1D MaxPooling2D "
    "AveragePooling1D AveragePooling2D GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D "
    "GlobalMaxPooling2D Add Multiply Average Maximum Minimum Concatenate Rescaling ELU UpSampling2D ZeroPadding1D "
    "ZeroPadding2D Flatten Reshape Dropout SpatialDropout2D".split()
)


class Replay:
    """What runs the pass, and the state of the model in which it was recorded."""

    def __init__(self, replay, variables):
        self.replay = replay
        self.weights = [(v, v.array, v.version) for v in variables]
        self.changes = tracking.changes()

    def holds(self) -> bool:
        """Whether the model is as it was."""
        if self.changes != tracking.changes():
            return False
        return all(v.version == version and v.array is array for v, array, version in self.weights)


class Replays:
    """The recordings of a model.

    Args:
        model: a `Functional`.
    """

    def __init__(self, model):
        self.model, self.known, self.chosen = model, {}, {}
        self.possible = all(replayable(operation) for operation in model._operations)

    def __deepcopy__(self, memo):
        twin = object.__new__(Replays)  # recordings hold addresses
        twin.model, twin.known, twin.chosen, twin.possible = memo[id(self.model)], {}, {}, self.possible
        return twin

    def run(self, values: list[Tensor], plan: list, ordinary: Callable):
        """The model's outputs for values; `ordinary(values)` computes them step by step."""
        if not self.possible:
            return ordinary(values)
        arrays = [x.value for x in values]
        key = tuple([(x.shape, x.dtype.char) for x in arrays])
        found = self.known.get(key, 0)
        if isinstance(found, Replay) and not found.holds():
            found = self.known[key] = 0
        if isinstance(found, Replay):
            outputs = found.replay.run(arrays)
            if outputs is None:  # another thread is in it
                return ordinary(values)
            return nest.pack_as(self.model._outputs_struct, [Tensor(y) for y in outputs])
        began = time.perf_counter()
        results = ordinary(values)
        if found is not None:
            self._note(key, found, time.perf_counter() - began, arrays, nest.flatten(results), plan, ordinary)
        return results

    def _note(self, key, count, seconds, arrays, results, plan, ordinary):
        """Count a pass; record when it is time to. None stands for a shape that cannot be replayed."""
        first = key not in self.chosen and len(arrays[0]) > 1 and seconds > QUICK
        if count < (MANY if first else ORDINARY):
            if count == 0 and len(self.known) >= SHAPES:
                self.known.pop(next(iter(self.known)), None)
            self.known[key] = count + 1
            return
        results = [y.value for y in results]
        if not all(np.isfinite(y).all() for y in results):
            return  # nothing could be compared with them
        replay = self._replay(key, seconds, arrays, results, plan, ordinary)
        self.known[key] = replay and Replay(replay, self.model.variables)

    def _replay(self, key, seconds, arrays, results, plan, ordinary):
        """What gives `results` for `arrays`, or None. Where nothing but weights has changed, the choice stands.

        Batches that take long are tried with a few of their images, and worth replaying in parts only.
        """
        replays = kernels.replays_of(arrays[0])
        if replays is None:
            return None
        constants = [v.array for v in self.model.variables]
        constants += [x for step in plan for x in getattr(step.operation, "constants", list)()]
        forward = lambda given: _values(ordinary([Tensor(x) for x in given]))
        rows, changes = self.chosen.get(key, (None, None))
        if changes == tracking.changes():
            return replays.again(forward, arrays, constants, rows)
        few = max(2, int(len(arrays[0]) * LONG / seconds))
        long = few < len(arrays[0])
        tried = ([x[:few] for x in arrays], [y[:few] for y in results]) if long else (arrays, results)
        found = replays.fastest(forward, *tried, constants)
        if found is None or (long and found[1] == replays.WHOLE):
            return None
        if len(self.chosen) > 16 * SHAPES:
            self.chosen.clear()
        self.chosen[key] = found[1], tracking.changes()
        return replays.again(forward, arrays, constants, found[1]) if long else found[0]


def _values(results) -> list[np.ndarray]:
    return [y.value for y in nest.flatten(results)]


def replayable(operation) -> bool:
    """Whether a layer's kernels may be recorded: a plain one of this library's."""
    if not isinstance(operation, Layer) or kind(operation) not in LAYERS:
        return False
    return operation.activity_regularizer is None
