"""Inference without Python between kernels: a model's forward pass, recorded for each shape that comes again.

The third batch of one shape is recorded (`kernels/cpu/replay.py`), as a whole or for parts of it, and from then on the
pass is replayed, as long as no weight and no layer has changed. Layers say themselves whether their inference is native
calls and nothing else; and a recording counts only if it gives, bit for bit, what the layers give for other inputs than
it was made with.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from kerasish import kernels
from kerasish.core import nest
from kerasish.core.tensor import Tensor
from kerasish.models.plans import Plan
from kerasish.models.stamp import Values
from kerasish.models.telling import tell

ORDINARY, MANY = 2, 10  # passes of one shape before it is recorded; before batches that take long are
QUICK, LONG = 2e-3, 0.05  # seconds that a pass takes: less than batches that take long; more than can be tried out
SHAPES = 4  # recordings that a model keeps


def described(key: tuple) -> str:
    """The shapes and dtypes of a model's inputs, by which its recordings are kept."""
    return ", ".join(f"{shape} {np.dtype(char).name}" for shape, char in key)


class Replay:
    """What runs the pass, and the state of the model in which it was recorded.

    Attributes:
        way: how much of a batch is run at once, in words.
    """

    def __init__(self, replay, plan: Plan, values: Values, rows: int):
        self.replay, self.plan, self.values = replay, plan, values
        self.way = f"in parts of {rows} of a batch" if rows else "as a whole"

    def holds(self, plan: Plan) -> bool:
        """Whether the model is as it was, for the plan that it has now."""
        return self.plan is plan and self.values.holds()


class Replays:
    """The recordings of a model.

    Args:
        model: a `Functional`.

    Attributes:
        refused: why batches of a shape and dtype are not replayed, as it was found out last.
    """

    def __init__(self, model):
        self.model, self.known, self.chosen, self.refused = model, {}, {}, {}

    def __deepcopy__(self, memo):
        return Replays(memo[id(self.model)])  # recordings hold addresses

    def run(self, values: list[Tensor], plan: Plan, ordinary: Callable):
        """The model's outputs for values; `ordinary(values)` computes them along the plan."""
        if plan.obstacle is not None:
            return ordinary(values)
        arrays = [x.value for x in values]
        key = tuple([(x.shape, x.dtype.char) for x in arrays])
        found = self.known.get(key, 0)
        if type(found) is Replay:
            if found.holds(plan):
                outputs = found.replay.run(arrays)
                if outputs is None:  # another thread is in it
                    return ordinary(values)
                return nest.pack_as(self.model._outputs_struct, [Tensor(y) for y in outputs])
            found = self.known[key] = 0
            tell(self.model, f"the recording for batches {described(key)} is dropped: weights or layers have changed")
        elif type(found) is Refusal:
            if found.plan is plan:
                return ordinary(values)
            found = 0
        stamp = Values(self.model.variables) if found >= ORDINARY else None
        began = time.perf_counter()
        results = ordinary(values)
        self._note(key, found, time.perf_counter() - began, arrays, nest.flatten(results), plan, stamp, ordinary)
        return results

    def _note(self, key, count, seconds, arrays, results, plan, stamp, ordinary):
        """Count a pass; record when it is time to."""
        chosen = self.chosen.get(key)
        first = (chosen is None or chosen[1] is not plan) and len(arrays[0]) > 1 and seconds > QUICK
        if stamp is None or count < (MANY if first else ORDINARY):
            if count == 0 and len(self.known) >= SHAPES:
                self.known.pop(next(iter(self.known)), None)
            self.known[key] = count + 1
            return
        results = [y.value for y in results]
        if not stamp.quiet or not all(np.isfinite(y).all() for y in results):
            return  # somebody writes weights; nothing could be compared
        try:
            replay = self._replay(key, seconds, arrays, results, plan, stamp, ordinary)
        except Exception as error:  # passes go on as before, whatever is wrong with this recording
            kernels.abandon(arrays[0])
            if stamp.holds() and plan.stamp.holds():  # else it may be due to the change
                refused = isinstance(error, kernels.Refused)
                self.refused[key] = str(error) if refused else f"{type(error).__name__}: {error}"
                tell(self.model, f"batches {described(key)} are not recorded: {self.refused[key]}")
                self.known[key] = 0 if isinstance(error, kernels.Busy) else Refusal(plan)
            return
        except BaseException:
            kernels.abandon(arrays[0])
            raise
        if stamp.holds() and plan.stamp.holds():
            found = self.known[key] = Replay(replay, plan, stamp, self.chosen.get(key, (0, plan))[0])
            tell(self.model, f"batches {described(key)} are replayed {found.way}")

    def _replay(self, key, seconds, arrays, results, plan, stamp, ordinary):
        """What gives `results` for `arrays`. Where nothing but weights has changed, the choice stands.

        Batches that take long are tried with a few of their images, and worth replaying in parts only.
        """
        replays = kernels.replays_of(arrays[0])
        if replays is None:
            raise kernels.Refused("the batch is not in the host's memory")
        constants = stamp.arrays
        constants += [x for step in plan.steps or () for x in getattr(step.operation, "constants", list)()]
        forward = lambda given: _values(ordinary([Tensor(x) for x in given]))
        rows, made_for = self.chosen.get(key, (None, None))
        if made_for is plan:
            return replays.again(forward, arrays, constants, rows)
        few = max(2, int(len(arrays[0]) * LONG / seconds))
        long = few < len(arrays[0])
        tried = ([x[:few] for x in arrays], [y[:few] for y in results]) if long else (arrays, results)
        replay, rows = replays.fastest(forward, *tried, constants)
        if long and rows == replays.WHOLE:
            raise kernels.Refused("calls cost nothing beside what they do, and parts are no faster")
        if len(self.chosen) > 16 * SHAPES:
            self.chosen.clear()
        self.chosen[key] = rows, plan
        return replays.again(forward, arrays, constants, rows) if long else replay


class Refusal:
    """Stands for a shape that is not replayed along a plan."""

    def __init__(self, plan: Plan):
        self.plan = plan


def _values(results) -> list[np.ndarray]:
    return [y.value for y in nest.flatten(results)]
