"""Schedule-free AdamW."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasish.core.variable import Variable
from kerasish.optimizers.constructor import Rate, constructor
from kerasish.optimizers.slotted import SlottedOptimizer


class ScheduleFreeAdamW(SlottedOptimizer):
    """Adam whose parameters are the mean of all iterates; needs no decay of the rate (Defazio et al., 2024).

    As in Keras 3.15, gradients are taken at the mean itself.

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        beta_1: Position, in the paper, between iterate and mean at which gradients are taken; since Keras takes them
            at the mean, it changes no number.
        beta_2: Decay of the mean of squares.
        epsilon: Added to the root.
        warmup_steps: Over how many steps the rate rises to `learning_rate`.
    """

    slots = (("momentum", "velocity"),)

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-08,
        warmup_steps: int = 0,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ): ...

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        for variable, iterate in zip(self._trainable_variables, self._slots[0]):
            iterate.assign(variable.value)

    def step(self, p: Any, g: Any, lr: Any, iterate: Any, v: Any) -> None:
        t = p.dtype.type(self.count)
        if self.warmup_steps > 0:
            lr = lr * min(t / self.warmup_steps, 1)
        v += (g * g - v) * (1 - self.beta_2)
        iterate -= lr * g / (np.sqrt(v / (1 - self.beta_2**t)) + self.epsilon)
        p += (iterate - p) / t
