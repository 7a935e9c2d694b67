"""A training step's passes forward and back, recorded together and replayed one after the other.

What the pass back reads of the pass forward stays in the recording's memory; the loss lies between them and is computed
by whoever replays. Weights are read where they lie, so steps may change them in place.
"""

import contextlib
from collections.abc import Callable

import numpy as np

from kerasish.device import memory
from kerasish.kernels import Busy
from kerasish.kernels.cpu.random import start_of
from kerasish.kernels.cpu.replay import Calls, Tape, paused, recording, working_in

SEED = 4  # where the seed's four words begin in the plan of a call that draws

Pass = Callable[[list[np.ndarray]], list[np.ndarray]]
Between = Callable[[list[np.ndarray]], list[np.ndarray | None]]


class Step:
    """Both passes.

    Attributes:
        outputs: what `forward` writes; its gradients go to `backward`.
        gradients: what `backward` writes.
    """

    def __init__(self, tape: Tape, inputs, outputs, given, gradients, border):
        self._kept, self._inputs, self.outputs, self._given, self.gradients = tape, inputs, outputs, given, gradients
        entries = tape.recorder.entries
        self._forward, self._backward = Calls(entries[:border]), Calls(entries[border:])
        self._drawing = [entries[i].before for i in tape.recorder.drawing]

    def forward(self, inputs: list[np.ndarray], seeds: list[tuple[int, int]]) -> list[np.ndarray]:
        """The outputs, valid until the next call; `seeds` are pairs, in the order in which the pass drew."""
        for plan, pair in zip(self._drawing, seeds, strict=True):
            plan[SEED : SEED + 4] = start_of(pair)
        for place, x in zip(self._inputs, inputs, strict=True):
            np.copyto(place, x)
        self._forward()
        return self.outputs

    def backward(self, given: list[np.ndarray | None]) -> list[np.ndarray]:
        """The gradients, valid until the next call, for gradients of the outputs; None stands for zeros."""
        for place, g in zip(self._given, given, strict=True):
            np.copyto(place, 0 if g is None else g)
        self._backward()
        return self.gradients

    def beside(self, forward: Pass, between: Between, backward: Pass, inputs: list[np.ndarray]) -> tuple[list, list]:
        """Copies of the outputs and gradients of passes as they were recorded, which need the same memory: this one's.

        Nothing of theirs may be kept: the next replay writes over it.
        """
        with working_in(self._kept.arena) as alone:
            outputs = forward(inputs)
            with memory.drawing_on(None) if alone else contextlib.nullcontext():
                given, kept = between(outputs), [y.copy() for y in outputs]
            gradients = backward(given)
        return kept, [None if g is None else g.copy() for g in gradients]

    @property
    def used(self) -> int:
        """How many pieces of its memory belong to an array that lives."""
        return self._kept.arena.used


def record_step(forward: Pass, between: Between, backward: Pass, inputs: list[np.ndarray]) -> Step:
    """Run a pass forward and one back, and keep their calls.

    Args:
        forward: of inputs to outputs.
        between: of outputs to gradients of the outputs, None for those without one; it is not recorded.
        backward: of gradients of the outputs to gradients of the weights.
        inputs: what the passes run on.

    Returns:
        The recorded step, whose last results are those of this run.

    Raises:
        Busy: if another thread records.
    """
    with recording([]) as tape:
        if tape is None:
            raise Busy("another thread records a pass, or kernels are not compiled")
        places = [tape.place(x) for x in inputs]
        outputs = forward(places)
        border = len(tape.recorder.entries)
        with paused():
            found = between(outputs)
        given = [tape.place(np.zeros_like(y) if g is None else g) for y, g in zip(outputs, found, strict=True)]
        gradients = backward(given)
    return Step(tape, places, outputs, given, gradients, border)
