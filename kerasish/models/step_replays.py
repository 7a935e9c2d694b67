"""Training steps without Python between kernels: the model's passes recorded once, the loss as ever.

After a few ordinary steps with batches of one shape the passes forward and back are recorded
(`kernels/cpu/replay_step.py`). From then on a step replays them; the loss, its gradient, the optimizer and the metrics
stay Python. Only models made of this library's plain layers are recorded, and a recording counts only if outputs,
gradients and moving averages are, bit for bit, those of an ordinary step.
"""

from __future__ import annotations

import contextlib
import time

import numpy as np

from kerasish import kernels
from kerasish.core import nest
from kerasish.core.autodiff import GradientTape
from kerasish.core.tensor import Tensor
from kerasish.device import memory
from kerasish.layers import tracking
from kerasish.models.replays import replayable
from kerasish.random.seed import draw_pair, noting_draws

ORDINARY = 4  # steps before one is recorded; four times as many after each recording that did not last
LONG = 1.0  # seconds: Python does not count in steps that take longer


class Recorded:
    """A recorded step, and the state in which it was made."""

    def __init__(self, step, key, template, seeds, moving, variables, fixed):
        self.step, self.key, self.template, self.seeds = step, key, template, seeds
        self.trained, self.moving = ([(v, v.array) for v in group] for group in (variables, moving))
        self.fixed = [(v, v.array, v.version) for v in fixed]
        self.changes, self.uses = tracking.changes(), 0

    def holds(self, key, variables) -> bool:
        """Whether it fits a batch, and the model is as it was."""
        return (
            self.key == key
            and self.changes == tracking.changes()
            and len(self.trained) == len(variables)
            and all(v is w and v.array is array for (v, array), w in zip(self.trained, variables))
            and all(v.array is array and v.version == version for v, array, version in self.fixed)
            and all(v.mutable_array() is array for v, array in self.moving)
        )


class StepReplays:
    """The recorded step of a model, for the losses that it was compiled with.

    Args:
        model: what is trained.
    """

    def __init__(self, model):
        self.model, self.recorded, self.count, self.needed = model, None, 0, ORDINARY
        functional = getattr(model, "_functional", model)
        layers = [layer for layer in model._flatten_layers() if layer is not model and layer is not functional]
        own_call = not type(model).call.__module__.startswith("kerasish.")
        penalties = any(v.regularizer is not None for v in model.variables)
        graph = hasattr(functional, "_lean") and not own_call and not penalties and not model.run_eagerly
        self.possible = graph and all(map(replayable, layers))

    def __deepcopy__(self, memo):
        return None  # recordings hold addresses; the copy makes its own

    def gradients(self, x, y, sample_weight, variables):
        """The loss of a batch, the outputs, and the gradients of the scaled loss."""
        leaves = nest.flatten(x)
        if not self.possible or not all(type(leaf) is Tensor for leaf in leaves):
            return self.model._step_by_step(x, y, sample_weight, variables)
        arrays = [leaf.value for leaf in leaves]
        if kernels.replays_of(arrays[0]) is None:
            return self.model._step_by_step(x, y, sample_weight, variables)
        key = tuple([(a.shape, a.dtype.char) for a in arrays])
        if self.recorded is not None and self.recorded.key == key:
            if self.recorded.holds(key, variables):
                return self._replayed(arrays, x, y, sample_weight)
            self._drop()
        self.count += 1
        if self.recorded is not None or self.count <= self.needed:
            return self.model._step_by_step(x, y, sample_weight, variables)
        return self._record(key, arrays, x, y, sample_weight, variables)

    def _drop(self):
        if self.recorded.uses < 10 * self.needed:
            self.needed *= 4
        self.recorded, self.count = None, 0

    def _replayed(self, arrays, x, y, sample_weight):
        recorded = self.recorded
        recorded.uses += 1
        outputs = recorded.step.forward(arrays, [draw_pair(seed) for seed in recorded.seeds])
        y_pred, leaves = recorded.template.filled(outputs)
        loss, given = self._loss(x, y, y_pred, leaves, sample_weight)
        gradients = recorded.step.backward([None if g is None else g.value for g in given])
        return loss, y_pred, [Tensor(g) for g in gradients]

    def _loss(self, x, y, y_pred, leaves, sample_weight):
        """The loss, and the gradients of the scaled loss by `leaves`."""
        model = self.model
        with GradientTape() as tape:
            tape.watch(leaves)
            loss = model._loss_of(x, y, y_pred, sample_weight, training=True)
            scaled = model.optimizer.scale_loss(loss)
        return loss, tape.gradient(scaled, leaves)

    def _record(self, key, arrays, x, y, sample_weight, variables):
        """An ordinary step, and a recording, which is kept if it does what the step does."""
        self.count, state = 0, [v for v in self.model.variables if not any(v is w for w in variables)]
        before, versions = [Checkpoint(v) for v in state], [(v.version, v.array) for v in state]
        began, passes = time.perf_counter(), Passes(self.model, x, variables)
        outputs = passes.forward(arrays)
        y_pred, leaves = passes.template.structure, passes.leaves
        loss, given = self._loss(x, y, y_pred, leaves, sample_weight)
        gradients = passes.backward([None if g is None else g.value for g in given])
        seconds = time.perf_counter() - began
        moved = [v for v, (version, array) in zip(state, versions) if v.version != version and v.array is array]
        drawn = [v for v, (version, array) in zip(state, versions) if v.array is not array]
        after = [Checkpoint(v) for v in state]
        memory.release()  # what the recording takes in its place
        self.possible = False
        if seconds < LONG:
            with contextlib.suppress(Exception):  # steps go on as before, whatever is wrong with this one's recording
                step, template, seeds = self._recording(arrays, x, variables, before, moved)
                _all(before)
                self.possible = _is_right(step, seeds, arrays, outputs, given, gradients, after)
        _all(after)
        if self.possible:
            fixed = [v for v in state if not any(v is w for w in (*moved, *drawn))]
            self.recorded = Recorded(step, key, template, seeds, moved, variables, fixed)
        return loss, y_pred, [g if g is None else Tensor(g) for g in gradients]

    def _recording(self, arrays, x, variables, before, moved):
        """(the recorded step, the template of its outputs, what drew): made with other weights than the model has."""
        passes, weights = Passes(self.model, x, variables), [Checkpoint(v) for v in variables]
        _all(before)
        try:
            for v in (*variables, *moved):
                _disturb(v.array)  # what is not read anew in each replay will show
            with noting_draws() as seeds:
                step = kernels.replays_of(arrays[0]).record_step(passes.forward, passes.backward, arrays)
        finally:
            _all(weights)
        return step, passes.template, seeds


def _is_right(step, seeds, arrays, outputs, given, gradients, after):
    """Whether a replay gives the results of the ordinary step, and leaves the state that this left."""
    got = step.forward(arrays, [draw_pair(seed) for seed in seeds])
    if not all(map(np.array_equal, got, outputs)):
        return False
    got = step.backward([None if g is None else g.value for g in given])
    return all(map(np.array_equal, got, gradients)) and all(checkpoint.is_now() for checkpoint in after)


class Passes:
    """The two passes of a model as functions of arrays."""

    def __init__(self, model, x, variables):
        self.model, self.x, self.variables = model, x, variables

    def forward(self, arrays):
        """The outputs, and the logits behind them where the loss would ask for those."""
        self.tape = GradientTape()
        with self.tape:
            y_pred = self.model._call_model(nest.pack_as(self.x, [Tensor(a) for a in arrays]), training=True)
        self.template = Template(y_pred)
        self.leaves = self.template.leaves(y_pred)
        return [leaf.value for leaf in self.leaves]

    def backward(self, arrays):
        """The gradients of the weights; None among `arrays` for outputs without one."""
        pairs = [(leaf, Tensor(a)) for leaf, a in zip(self.leaves, arrays) if a is not None]
        self.leaves = None
        found = self.tape.gradient([leaf for leaf, _ in pairs], self.variables, [g for _, g in pairs])
        return [g if g is None else g.value for g in found]


class Template:
    """The structure of a model's outputs, and which of them have logits behind them."""

    def __init__(self, y_pred):
        self.structure = y_pred
        self.logits = [getattr(y, "_keras_logits", None) is not None for y in nest.flatten(y_pred)]

    def leaves(self, y_pred):
        """Outputs, then logits."""
        outputs = nest.flatten(y_pred)
        return outputs + [y._keras_logits for y, has in zip(outputs, self.logits) if has]

    def filled(self, arrays):
        """(outputs, leaves): tensors over arrays in the order of `leaves`."""
        leaves = [Tensor(a) for a in arrays]
        outputs, behind = leaves[: len(self.logits)], iter(leaves[len(self.logits) :])
        for y, has in zip(outputs, self.logits):
            if has:
                y._keras_logits = next(behind)
        return nest.pack_as(self.structure, outputs), leaves


class Checkpoint:
    """A variable's value, to come back to."""

    def __init__(self, variable):
        self.variable, self.content, self.restore = variable, variable.numpy(), variable.checkpoint()

    def is_now(self) -> bool:
        """Whether the variable has this value."""
        return np.array_equal(self.variable.array, self.content)


def _disturb(array):
    if array.dtype.kind == "f":
        array *= 1.1
        array += 0.01


def _all(checkpoints):
    for checkpoint in checkpoints:
        checkpoint.restore()
