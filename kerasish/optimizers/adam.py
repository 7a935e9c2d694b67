"""Adam and AdamW."""

from typing import Any

from kerasish.kernels import twin_of
from kerasish.optimizers.constructor import Rate, constructor
from kerasish.optimizers.slotted import SlottedOptimizer


class Adam(SlottedOptimizer):
    """Gradient descent along a running mean, scaled by the root of a running mean of squares (Kingma and Ba, 2014).

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        beta_1: Decay of the mean.
        beta_2: Decay of the mean of squares.
        epsilon: Added to the root.
        amsgrad: Whether to use the largest mean of squares so far (Reddi et al., 2018).
    """

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        amsgrad: bool = False,
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
        return (("momentum", "velocity"), ("velocity_hat",)) if self.amsgrad else (("momentum", "velocity"),)

    def step_all(self, params: list[Any], grads: list[Any], slots: list[list[Any]], lr: float, decay: float) -> None:
        kernels = twin_of(params[0])
        update = kernels.adam_amsgrad if self.amsgrad else kernels.adam
        update(params, grads, *slots, lr, self.beta_1, self.beta_2, self.epsilon, self.count, decay)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2017).

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        weight_decay: Variables shrink by this times the learning rate before each step.
        beta_1: Decay of the mean.
        beta_2: Decay of the mean of squares.
        epsilon: Added to the root.
        amsgrad: Whether to use the largest mean of squares so far.
    """

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None")
