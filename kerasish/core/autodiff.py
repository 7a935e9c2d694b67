"""The tape: what ran, and how to walk it backwards."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable

import numpy as np

from kerasish.core import nest
from kerasish.core.operators import op
from kerasish.core.tensor import Tensor, convert_to_tensor
from kerasish.core.variable import Variable, on_read
from kerasish.core.whole import restored_later
from kerasish.device import array_module


class _Tapes(threading.local):
    def __init__(self):
        self.active: list[GradientTape] = []


_tapes = _Tapes()
restored_later(_tapes, "active")
_keys = itertools.count(1)


def key_of(x) -> int:
    """The number under which tapes know x, given at the first call."""
    if x.key is None:
        x.key = next(_keys)
    return x.key


def recording() -> bool:
    """Whether any tape records on this thread."""
    return bool(_tapes.active)


class Entry:
    """One op that ran: how to go back through it, and which tensors went in and came out."""

    __slots__ = ("backward", "context", "sources", "results", "needs")

    def __init__(self, backward, context, sources, results, needs):
        self.backward, self.context, self.needs = backward, context, needs
        self.sources, self.results = sources, results


@on_read
def _watch_read(variable: Variable) -> None:
    """Let the active tapes know that a variable's value was taken."""
    for tape in _tapes.active:
        tape.follows(variable)


def watchers(inputs) -> list[tuple[GradientTape, tuple[bool, ...]]]:
    """The active tapes that follow one of the inputs, each with which of them it follows."""
    found = []
    for tape in _tapes.active:
        needs = tuple([tape.follows(x) for x in inputs])
        if True in needs:
            found.append((tape, needs))
    return found


def record(watching, backward: Callable, context, inputs, outputs) -> None:
    """Put an op on the tapes that watch it; `backward(context, *gy)` gives a gradient, or None, for each input."""
    results = [key_of(y) for y in outputs]
    for tape, needs in watching:
        sources = [key_of(x) if need else None for x, need in zip(inputs, needs)]
        tape.entries.append(Entry(backward, context, sources, results, needs))
        tape.known.update(results)


class GradientTape:
    """Records what happens to watched tensors, and differentiates it; with TensorFlow's meaning.

    Args:
        persistent: keep what was recorded after `gradient`, so that it can be called again.
        watch_accessed_variables: watch trainable variables as they are used.

    Example:
        >>> x = keras.ops.convert_to_tensor(3.0)
        >>> with keras.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = x * x
        >>> float(tape.gradient(y, x))
        6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True):
        self.persistent = persistent
        self.watch_accessed_variables = watch_accessed_variables
        self.entries: list[Entry] = []
        self.known: set[int] = set()
        self._watched: dict[int, Variable] = {}
        self._spent = False

    def __enter__(self):
        if self in _tapes.active:
            raise ValueError("Tape is still recording, This can happen if you try to re-enter an already-active tape.")
        _tapes.active.append(self)
        return self

    def __exit__(self, *exc):
        if self in _tapes.active:
            _tapes.active.remove(self)

    def follows(self, x) -> bool:
        """Whether x is watched or was made from something watched."""
        key = getattr(x, "key", None)
        if key is not None and key in self.known:
            return True
        if isinstance(x, Variable) and x.trainable and self.watch_accessed_variables:
            self.watch(x)
            return True
        return False

    def watch(self, tensor) -> None:
        """Follow a tensor, a variable, or each in a nested structure.

        Raises:
            ValueError: for anything else.
        """
        for x in nest.flatten(tensor):
            if not isinstance(x, (Tensor, Variable)):
                raise ValueError(f"Passed in object {x} of type '{type(x).__name__}', not Tensor or Variable")
            self.known.add(key_of(x))
            if isinstance(x, Variable):
                self._watched[x.key] = x
                if self.persistent:
                    x.share()

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables followed so far, in the order in which they were first used."""
        return tuple(self._watched.values())

    def reset(self) -> None:
        """Forget everything recorded."""
        self.entries, self.known, self._watched, self._spent = [], set(), {}, False

    def stop_recording(self) -> _Paused:
        """A context in which this tape records nothing."""
        return _Paused([self])

    def gradient(self, target, sources, output_gradients=None, unconnected_gradients: str = "none"):
        """The derivative of target's sum with respect to sources.

        Args:
            target: a tensor or a nested structure of tensors.
            sources: a tensor or variable, or a nested structure of them.
            output_gradients: gradients to start from, in the structure of `target`; ones by default.
            unconnected_gradients: "none" or "zero", what to give for a source that does not lead to target.

        Returns:
            Tensors (or None) in the structure of `sources`.

        Raises:
            RuntimeError: if a tape that is not persistent was used before.
            ValueError: for another word in `unconnected_gradients`.
        """
        if self._spent:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)"
            )
        unconnected = getattr(unconnected_gradients, "value", unconnected_gradients)
        if unconnected not in ("none", "zero"):
            raise ValueError(f"unconnected_gradients must be 'none' or 'zero'. Received: {unconnected_gradients}")
        wanted = nest.flatten(sources)
        with _Paused([] if self.persistent else [self]):
            found = self._walk(_seeds(target, output_gradients), {x.key for x in wanted})
            result = [found.get(x.key) for x in wanted]
            if unconnected == "zero":
                result = [
                    Tensor(_module(x).zeros(x.shape, x.dtype)) if g is None else g for x, g in zip(wanted, result)
                ]
        if not self.persistent:
            self.entries, self._spent = [], True
        return nest.pack_as(sources, result)

    def _walk(self, grads: dict, wanted: set) -> dict:
        """Gradients by key, going through the entries from last to first and dropping each as it passes."""
        entries = list(self.entries) if self.persistent else self.entries
        kept = {}
        while entries and grads:
            entry = entries.pop()
            gys = [grads.pop(key, None) for key in entry.results]
            kept.update({k: g for k, g in zip(entry.results, gys) if g is not None and k in wanted})
            if all(g is None for g in gys):
                continue
            entry.context.needs = entry.needs
            gxs = entry.backward(entry.context, *gys)
            for key, g in zip(entry.sources, gxs if isinstance(gxs, (tuple, list)) else (gxs,)):
                if key is not None and g is not None:
                    grads[key] = grads[key] + g if key in grads else g
        return {**grads, **kept}

    def jacobian(self, target, sources, unconnected_gradients: str = "none"):
        """The matrix of derivatives, one backward walk for each element of target; needs `persistent=True`.

        Returns:
            For each source a tensor of shape `target.shape + source.shape`.

        Raises:
            RuntimeError: if the tape is not persistent.
        """
        if not self.persistent:
            raise RuntimeError(
                "jacobian walks the tape once for each element of target: use GradientTape(persistent=True)"
            )
        target = convert_to_tensor(target)
        rows = []
        for i in range(target.size):
            one = _module(target).zeros(target.size, target.dtype)
            one[i] = 1
            seed = Tensor(one.reshape(target.shape))
            rows.append(self.gradient(target, sources, seed, unconnected_gradients))
        return nest.map_structure(lambda *r: _stack(r, target.shape), *rows)


def _stack(rows, lead):
    if rows[0] is None:
        return None
    stacked = np.stack([r.value for r in rows])
    return Tensor(stacked.reshape(lead + stacked.shape[1:]))


def _module(x):
    """The array module of a tensor or variable."""
    return array_module(x.value if isinstance(x, Tensor) else getattr(x, "array", None))


def _seeds(target, output_gradients) -> dict:
    targets = nest.flatten(target)
    given = nest.flatten(output_gradients) if output_gradients is not None else [None] * len(targets)
    seeds: dict = {}
    for y, g in zip(targets, given, strict=True):
        key = getattr(y, "key", None)
        if key is None:
            continue
        g = Tensor(_module(y).ones(y.shape, y.dtype)) if g is None else convert_to_tensor(g, y.dtype)
        seeds[key] = seeds[key] + g if key in seeds else g
    return seeds


class _Paused:
    """A context in which some tapes record nothing."""

    def __init__(self, tapes):
        self._tapes = tapes

    def __enter__(self):
        self._before = list(_tapes.active)
        _tapes.active[:] = [t for t in _tapes.active if t not in self._tapes]
        return self

    def __exit__(self, *exc):
        _tapes.active[:] = self._before


def stop_gradient(x):
    """x, of which tapes know nothing: no gradient passes through the result.

    Args:
        x: a tensor, variable, symbolic tensor, or a nested structure of them.
    """
    return nest.map_structure(lambda v: v if not hasattr(v, "shape") else op("stop_gradient")(v), x)


def no_recording() -> _Paused:
    """A context in which no tape of this thread records."""
    return _Paused(list(_tapes.active))


class _Rule:
    """The context of a `custom_gradient` call on the tape."""

    __slots__ = ("grad", "needs")

    def __init__(self, grad):
        self.grad, self.needs = grad, ()


def _custom_backward(context, *gys):
    return context.grad(*gys)


def custom_gradient(f: Callable) -> Callable:
    """Give a function its own gradient.

    Args:
        f: takes tensors, returns `(result, grad)`, where `grad(*upstream)` gives one gradient for each argument.

    Returns:
        A function that returns `result` and is differentiated by `grad`.
    """

    @functools.wraps(f)
    def wrapped(*args, **kwargs):
        inputs = [convert_to_tensor(x) if not isinstance(x, Variable) else x for x in args]
        watching = watchers(inputs)
        with no_recording():
            result, grad = f(*args, **kwargs)
        if not watching:
            return result
        outputs = [Tensor(convert_to_tensor(y).value) for y in nest.flatten(result)]
        record(watching, _custom_backward, _Rule(grad), inputs, outputs)
        return nest.pack_as(result, outputs)

    return wrapped
