"""Adafactor."""

from typing import Any

import numpy as np

from kerasish.core.variable import Variable
from kerasish.optimizers.constructor import Rate, constructor
from kerasish.optimizers.slotted import SlottedOptimizer
from kerasish.optimizers.state import zeros


class Adafactor(SlottedOptimizer):
    """Adam's scaling from row and column means of the squares alone (Shazeer and Stern, 2018).

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        beta_2_decay: How the decay of the means approaches 1.
        epsilon_1: Added to squared gradients.
        epsilon_2: Smallest size of a parameter that its step is scaled by.
        clip_threshold: Largest root mean square of an update.
        relative_step: Whether a constant learning rate is bounded by 1 / sqrt(step). Keras bounds the size of each
            step by that in any case, so this changes no number.
    """

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 0.001,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        rows, columns, squares = [], [], []
        for variable in self._trainable_variables:
            rows.append(self._mean_variable(variable, variable.shape[:-1]))
            columns.append(self._mean_variable(variable, (*variable.shape[:-2], *variable.shape[-1:])))
            squares.append(self.add_variable_from_reference(variable, "velocity"))
        self._slots = [rows, columns, squares]

    def _mean_variable(self, variable: Variable, shape: tuple[int, ...]) -> Variable:
        """A mean over an axis, or the placeholder that Keras keeps for vectors and scalars."""
        if variable.ndim >= 2:
            return self.add_variable(shape, zeros, variable.dtype, name=variable.name)
        placeholder = Variable(0, name=variable.name, trainable=False)
        self._track(placeholder)
        return placeholder

    def step(self, p: Any, g: Any, lr: Any, rows: Any, columns: Any, squares: Any) -> None:
        t = p.dtype.type(self.count)
        rate = min(lr, 1 / np.sqrt(t))
        decay = 1 - t**self.beta_2_decay
        square = g * g + self.epsilon_1
        if p.ndim >= 2:
            blend(rows, square.mean(axis=-1), decay)
            blend(columns, square.mean(axis=-2), decay)
            squares[...] = (rows / rows.mean(axis=-1, keepdims=True))[..., None] * columns[..., None, :]
        else:
            blend(squares, square, decay)
        update = g / np.sqrt(squares)
        update = update / np.maximum(p.dtype.type(1), root_mean_square(update) / self.clip_threshold)
        p -= np.maximum(p.dtype.type(self.epsilon_2), root_mean_square(p)) * rate * update


def blend(mean: Any, value: Any, decay: Any) -> None:
    """`mean = decay * mean + (1 - decay) * value`, in place."""
    mean *= decay
    mean += (1 - decay) * value


def root_mean_square(x: Any) -> Any:
    """The root of the mean of squares."""
    return np.sqrt(np.mean(x * x))
