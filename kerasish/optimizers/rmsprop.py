"""RMSprop, Adagrad and Adadelta: steps scaled by the history of squared gradients."""

from typing import Any

import numpy as np

from kerasish.kernels import twin_of
from kerasish.optimizers.constructor import Rate, constructor
from kerasish.optimizers.slotted import SlottedOptimizer


class RMSprop(SlottedOptimizer):
    """Divides gradients by the root of a running mean of their squares.

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        rho: Decay of the mean of squares.
        momentum: How much of the last update is kept.
        epsilon: Added to the mean of squares.
        centered: Whether to divide by the variance instead of the mean of squares.
    """

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-07,
        centered: bool = False,
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

    @property
    def slots(self) -> tuple[tuple[str, ...], ...]:
        wanted = (("velocity", True), ("momentum", self.momentum > 0), ("average_gradient", self.centered))
        return tuple((name,) for name, on in wanted if on)

    def step_all(self, params: list[Any], grads: list[Any], slots: list[list[Any]], lr: float, decay: float) -> None:
        if len(slots) > 1:
            return super().step_all(params, grads, slots, lr, decay)
        twin_of(params[0]).rmsprop(params, grads, *slots, lr, self.rho, self.epsilon, decay)

    def step(self, p: Any, g: Any, lr: Any, velocity: Any, *state: Any) -> None:
        velocity *= self.rho
        velocity += (1 - self.rho) * g * g
        denominator = velocity + self.epsilon
        if self.centered:
            mean = state[-1]
            mean *= self.rho
            mean += (1 - self.rho) * g
            denominator -= mean * mean
        update = lr * g / np.sqrt(denominator)
        if self.momentum > 0:
            momentum = state[0]
            momentum *= self.momentum
            momentum += update
            update = momentum
        p -= update


class Adagrad(SlottedOptimizer):
    """Divides gradients by the root of the sum of all their squares so far (Duchi et al., 2011).

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        initial_accumulator_value: Where the sum starts.
        epsilon: Added to the sum.
    """

    slots = (("accumulator",),)

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-07,
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

    def slot_start(self, name: str) -> Any:
        return Filled(self.initial_accumulator_value)

    def step_all(self, params: list[Any], grads: list[Any], slots: list[list[Any]], lr: float, decay: float) -> None:
        twin_of(params[0]).adagrad(params, grads, *slots, lr, self.epsilon, decay)


class Adadelta(SlottedOptimizer):
    """Scales gradients by the running size of updates over that of gradients (Zeiler, 2012).

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        rho: Decay of the running means.
        epsilon: Added under the roots.
    """

    slots = (("accumulated_grad", "accumulated_delta_var"),)

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-07,
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

    def step(self, p: Any, g: Any, lr: Any, grad_squares: Any, delta_squares: Any) -> None:
        grad_squares *= self.rho
        grad_squares += (1 - self.rho) * g * g
        delta = np.sqrt(delta_squares + self.epsilon) * g / np.sqrt(grad_squares + self.epsilon)
        delta_squares *= self.rho
        delta_squares += (1 - self.rho) * delta * delta
        p -= lr * delta


class Filled:
    """Initializer of state that starts at a constant."""

    def __init__(self, value: float):
        self.value = value

    def __call__(self, shape, dtype=None):
        return np.full(shape, self.value, dtype)
