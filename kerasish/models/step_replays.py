"""Training steps without Python between kernels: the model's passes recorded once, the loss as ever.

After a few ordinary steps with batches of one shape the passes forward and back of a step are recorded while they run
(`kernels/cpu/replay_step.py`). The next step, on another batch and with other weights, is taken by the layers' own
calls and replayed beside it: the recording counts only if outputs, gradients and moving averages are the same bits.
From then on a step replays the passes; the loss, its gradient, the optimizer and the metrics stay Python. Nothing is
tried out on the model's own weights, which other threads may read meanwhile.
"""

from __future__ import annotations

import threading
import time
import zlib

import numpy as np

from kerasish import kernels
from kerasish.core import nest
from kerasish.core.autodiff import GradientTape
from kerasish.core.tensor import Tensor
from kerasish.core.variable import writing
from kerasish.device import memory
from kerasish.models.stamp import Values, is_own
from kerasish.models.telling import tell
from kerasish.random.seed import draw_pair, noting_draws

ORDINARY = 4  # steps before one is recorded; four times as many after each recording that did not last
LONG = 1.0  # seconds: Python does not count in steps that take longer


class Recorded:
    """A recorded step, and the state in which it was made.

    Attributes:
        proven: whether a replay gave the bits of an ordinary step.
        uses: how often it was replayed.
    """

    def __init__(self, step, key, plan, template, seeds, variables, moved, drawn, fixed):
        moving = [v for v, g in zip(variables, step.gradients, strict=True) if g is not None and g.any()]
        self._contents = [(v, _digest(v.array)) for v in moving]
        self.step, self.key, self.plan, self.template, self.seeds = step, key, plan, template, seeds
        self.trained, self.moving = ([(v, v.array) for v in group] for group in (variables, moved))
        self.moved, self.drawn, self.fixed = moved, drawn, fixed
        self.thread, self.proven, self.uses, self._asked = threading.get_ident(), False, 0, 0

    def holds(self, plan, variables) -> bool:
        """Whether the model is as it was, for the plan that it has now."""
        return (
            self.plan is plan
            and self.thread == threading.get_ident()
            and len(self.trained) == len(variables)
            and all(v is w and v.array is array for (v, array), w in zip(self.trained, variables))
            and all(v.array is array and not v.is_shared for v, array in self.moving)
            and self.fixed.holds()
        )

    def can_be_proven(self) -> bool:
        """Whether weights have changed since: a recording that took in the old ones would show.

        At first all must have, whose gradients say so: an interrupt may have kept a step from changing some. But steps
        may be too small for some weights.
        """
        changed = [_digest(v.array) != was for v, was in self._contents]
        self._asked += 1
        return all(changed) or (self._asked > 1 and any(changed))

    def settle(self) -> None:
        """Take the recording as proven."""
        self.proven, self._contents = True, []

    def forward(self, arrays):
        """The results of the pass forward; moving averages move on."""
        with writing(self.moved):
            for v in self.moved:
                v.mutable_array()
            return _copies(self.step.forward(arrays, [draw_pair(seed) for seed in self.seeds]))


class StepReplays:
    """The recorded step of a model, for the losses that it was compiled with.

    Args:
        model: what is trained.

    Attributes:
        refused: why steps are not replayed, as it was found out last; None if nothing stands against it.
    """

    def __init__(self, model):
        self.model, self.recorded, self.count, self.needed, self.seconds = model, None, 0, ORDINARY, 0.0
        self.refused, self._refused_plan = None, None

    def __deepcopy__(self, memo):
        return None  # recordings hold addresses; the copy makes its own

    def gradients(self, x, y, sample_weight, variables):
        """The loss of a batch, the outputs, and the gradients of the scaled loss."""
        leaves = nest.flatten(x)
        plan = self._plan(leaves, variables)
        if plan is None:
            return self.model._step_by_step(x, y, sample_weight, variables)
        arrays = [leaf.value for leaf in leaves]
        key, recorded = tuple([(a.shape, a.dtype.char) for a in arrays]), self.recorded
        if recorded is not None and recorded.key == key:
            if recorded.holds(plan, variables):
                if recorded.proven:
                    return self._replayed(recorded, arrays, x, y, sample_weight, variables)
                return self._beside(recorded, plan, arrays, x, y, sample_weight, variables)
            self._drop()
        self.count += 1
        if self.recorded is not None or self.count <= self.needed:
            began = time.perf_counter()
            result = self.model._step_by_step(x, y, sample_weight, variables)
            self.seconds = time.perf_counter() - began
            return result
        return self._record(key, plan, arrays, x, y, sample_weight, variables)

    def _plan(self, leaves, variables):
        """The plan along which steps may be replayed, or None."""
        obstacle = self._obstacle(leaves, variables)
        if obstacle is None:
            plan = self.model._graph._plan_for(leaves, True)
            if plan is not None and plan is self._refused_plan:
                return None
            obstacle = "masks travel in the model, or it changes" if plan is None else plan.obstacle
            if obstacle is None:
                return plan
        self.refused = obstacle
        return None

    def _obstacle(self, leaves, variables) -> str | None:
        """What stands against replaying steps beside the layers, which the plan knows."""
        model = self.model
        if model._graph is None:
            return "the model is no graph"
        if model.run_eagerly:
            return "the model is to run eagerly"
        if "call" in vars(model) or not is_own(type(model).call) or not is_own(type(model).__call__):
            return "the model has a `call` of its own"
        if "compute_loss" in vars(model):
            return "the model has a `compute_loss` of its own"
        if any(v.regularizer is not None for v in variables):
            return "weights have regularizers"
        if not all(type(leaf) is Tensor for leaf in leaves) or kernels.replays_of(leaves[0].value) is None:
            return "the batch is not in the host's memory"
        return None

    def _refuse(self, plan, reason):
        tell(self.model, f"training steps are not recorded: {reason}")
        self.recorded, self._refused_plan, self.refused = None, plan, reason

    def _drop(self):
        tell(self.model, "the recording of training steps is dropped: the model is not as it was, or not its thread")
        if self.recorded.uses < 10 * self.needed:
            self.needed *= 4
        self.recorded, self.count = None, 0

    def _replayed(self, recorded, arrays, x, y, sample_weight, variables):
        recorded.uses += 1
        y_pred, leaves = recorded.template.filled(recorded.forward(arrays))
        loss, given, more = self._loss(x, y, y_pred, leaves, sample_weight, variables)
        return loss, y_pred, _added(self._given(recorded.step.backward(_arrays(given))), more)

    def _loss(self, x, y, y_pred, leaves, sample_weight, variables):
        """The loss, the gradients of the scaled loss by `leaves`, and by variables where the loss itself reads some."""
        model = self.model
        with GradientTape() as tape:
            tape.watch(leaves)
            loss = model._loss_of(x, y, y_pred, sample_weight, training=True)
            scaled = model.optimizer.scale_loss(loss)
        read = tape.watched_variables()
        if not any(v is w for v in read for w in variables):
            return loss, tape.gradient(scaled, leaves), None
        found = tape.gradient(scaled, [*leaves, *variables])
        return loss, found[: len(leaves)], found[len(leaves) :]

    def _given(self, gradients):
        """Gradients for the optimizer: copies if it may keep them, for the next replay writes over them."""
        return gradients if _is_own_optimizer(self.model.optimizer) else _copies(gradients)

    def _step(self, passes, arrays, x, y, sample_weight, run):
        """A step: `run(forward, between, backward)`, with the loss between the passes, gives the gradients."""
        found = {}

        def between(outputs):
            y_pred, leaves = passes.template.filled(_copies(outputs))  # a loss may keep them
            loss, given, more = self._loss(x, y, y_pred, leaves, sample_weight, passes.variables)
            found.update(loss=loss, given=_arrays(given), more=more, y_pred=y_pred)
            return found["given"]

        found["gradients"] = run(passes.forward, between, passes.backward)
        return found

    def _record(self, key, plan, arrays, x, y, sample_weight, variables):
        """A step whose passes are recorded as they run."""
        self.count = 0
        if self.seconds >= LONG:
            self._refuse(plan, "a step takes long, calls cost nothing beside it")
            return self.model._step_by_step(x, y, sample_weight, variables)
        state = [v for v in self.model.variables if not any(v is w for w in variables)]
        before, held = [Checkpoint(v) for v in state], [(v, v.version) for v in state]
        passes, replays = Passes(self.model, x, variables), kernels.replays_of(arrays[0])
        memory.release()  # what the recording takes in its place
        try:
            with noting_draws() as seeds:
                record = lambda *parts: replays.record_step(*parts, arrays)
                found = self._step(passes, arrays, x, y, sample_weight, record)
            step, drawn = found["gradients"], [seed.state for seed in seeds if hasattr(seed, "state")]
            moved = [v for v, version in held if v.version != version and not any(v is w for w in drawn)]
            fixed = Values(v for v in state if not any(v is w for w in (*moved, *drawn)))
            self.recorded = Recorded(step, key, plan, passes.template, seeds, variables, moved, drawn, fixed)
            return found["loss"], found["y_pred"], _added(self._given(step.gradients), found["more"])
        except Exception as error:  # the step is taken as ever, whatever is wrong with its recording
            kernels.abandon(arrays[0])
            _all(before)
            if isinstance(error, kernels.Busy):
                self.refused = str(error)
            else:
                self._refuse(plan, f"{type(error).__name__}: {error}")
            return self.model._step_by_step(x, y, sample_weight, variables)
        except BaseException:
            kernels.abandon(arrays[0])
            raise

    def _beside(self, recorded, plan, arrays, x, y, sample_weight, variables):
        """An ordinary step, in the recorded one's memory, and whether that one does the same."""
        state = [*recorded.moved, *recorded.drawn]
        before, passes = [Checkpoint(v) for v in state], Passes(self.model, x, variables)
        to_prove, used = recorded.can_be_proven(), recorded.step.used

        def run(*parts):
            outputs, gradients = recorded.step.beside(*parts, arrays)
            passes.end(outputs)
            return gradients

        try:
            found = self._step(passes, arrays, x, y, sample_weight, run)
        except BaseException:
            kernels.abandon(arrays[0])
            raise
        if recorded.step.used != used:
            self._refuse(plan, "arrays of a step are kept after it")
        elif to_prove:
            self._prove(recorded, plan, arrays, passes, found, before)
        return found["loss"], found["y_pred"], _added(found["gradients"], found["more"])

    def _prove(self, recorded, plan, arrays, passes, found, before):
        """Replay the step that was found, from the state before it, and leave the state that it left."""
        after = [Checkpoint(checkpoint.variable) for checkpoint in before]
        try:
            _all(before)
            reason = _differs(recorded, arrays, passes, found, after)
            _all(after)
        except Exception as error:
            _all(after)
            reason = f"{type(error).__name__}: {error}"
        except BaseException:  # an interrupt may have come while the state was being brought back
            _all(after)
            raise
        if reason is None:
            recorded.settle()
            tell(self.model, "training steps are replayed")
        else:
            self._refuse(plan, reason)


def _differs(recorded, arrays, passes, found, after) -> str | None:
    """What a replay does otherwise than the ordinary step: results, gradients, the state that it leaves; or None."""
    if not all(map(_same, recorded.forward(arrays), passes.outputs)):
        return "replayed, the pass forward gives other results"
    if not all(map(_same, recorded.step.backward(found["given"]), found["gradients"])):
        return "replayed, the pass back gives other gradients"
    same = all(checkpoint.is_now() for checkpoint in after) and recorded.fixed.holds()
    return None if same else "replayed, the step leaves another state"


def _is_own_optimizer(optimizer) -> bool:
    """Whether an optimizer, and the one that it may wrap, is this library's, with no method replaced."""
    inner = getattr(optimizer, "inner_optimizer", None)
    replaced = any(name in vars(optimizer) for name in ("apply", "apply_gradients", "update_step"))
    return is_own(type(optimizer)) and not replaced and (inner is None or _is_own_optimizer(inner))


def _copies(arrays) -> list:
    return [None if a is None else a.copy() for a in arrays]


def _arrays(tensors) -> list:
    return [None if t is None else t.value for t in tensors]


def _added(gradients, more) -> list:
    """Gradients as tensors, with those that the loss gave besides."""
    tensors = [None if g is None else Tensor(g) for g in gradients]
    if more is None:
        return tensors
    return [g if m is None else m if g is None else g + m for g, m in zip(tensors, more)]


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
        self.outputs = [leaf.value for leaf in self.leaves]
        return self.outputs

    def backward(self, arrays):
        """The gradients of the weights; None among `arrays` for outputs without one."""
        pairs = [(leaf, Tensor(a)) for leaf, a in zip(self.leaves, arrays) if a is not None]
        self.leaves = None
        found = self.tape.gradient([leaf for leaf, _ in pairs], self.variables, [g for _, g in pairs])
        return [g if g is None else g.value for g in found]

    def end(self, outputs):
        """Let go of all arrays; `outputs` are copies of what the pass forward gave."""
        self.tape = self.template = self.leaves = None
        self.outputs = outputs


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
        return _same(self.variable.array, self.content)


def _same(a, b):
    """Whether two arrays hold the same numbers, and NaN in the same places: a run that diverges is replayed, too."""
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _digest(array) -> int:
    """A number that tells whether an array is as it was."""
    return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8))


def _all(checkpoints):
    for checkpoint in checkpoints:
        checkpoint.restore()
