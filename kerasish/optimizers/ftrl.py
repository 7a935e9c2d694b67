"""FTRL."""

from typing import Any

import numpy as np

from kerasish.optimizers.constructor import Rate, constructor
from kerasish.optimizers.rmsprop import Filled
from kerasish.optimizers.slotted import SlottedOptimizer


class Ftrl(SlottedOptimizer):
    """Follow the regularized leader, for wide and sparse linear models (McMahan et al., 2013).

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        learning_rate_power: How the rate falls with the squares seen; 0 not at all. Not positive.
        initial_accumulator_value: Where the sum of squares starts.
        l1_regularization_strength: Pulls weights to exactly zero.
        l2_regularization_strength: Pulls weights towards zero.
        l2_shrinkage_regularization_strength: Like L2, but through the gradient.
        beta: Beta of the paper.
    """

    slots = (("accumulator", "linear"),)

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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

    def check_arguments(self, weight_decay: float | None) -> None:
        for name in (
            "initial_accumulator_value",
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
        ):
            if getattr(self, name) < 0:
                raise ValueError(f"`{name}` needs to be positive or zero. Received: {name}={getattr(self, name)}.")
        if self.learning_rate_power > 0:
            raise ValueError(
                "`learning_rate_power` needs to be negative or zero. "
                f"Received: learning_rate_power={self.learning_rate_power}."
            )

    def slot_start(self, name: str) -> Any:
        return Filled(self.initial_accumulator_value) if name == "accumulator" else super().slot_start(name)

    def step(self, p: Any, g: Any, lr: Any, squares: Any, linear: Any) -> None:
        power = -self.learning_rate_power
        before = squares**power
        squares += g * g
        after = squares**power
        shrunk = g + 2 * self.l2_shrinkage_regularization_strength * p
        linear += shrunk - (after - before) / lr * p
        l1 = self.l1_regularization_strength
        l2 = self.l2_regularization_strength + self.beta / (2 * lr)
        p[...] = (np.clip(linear, -l1, l1) - linear) / (after / lr + 2 * l2)
