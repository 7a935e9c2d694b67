"""Gradient descent."""

from typing import Any

from kerasish.kernels import twin_of
from kerasish.optimizers.constructor import Rate, constructor
from kerasish.optimizers.slotted import SlottedOptimizer


class SGD(SlottedOptimizer):
    """Gradient descent, with momentum if wanted.

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        momentum: In [0, 1]: how much of the last update is kept.
        nesterov: Whether to look ahead along the momentum.

    Example:

    ```python
    model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9), loss="mse")
    ```
    """

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        return (("momentum",),) if self.momentum else ()

    def check_arguments(self, weight_decay: float | None) -> None:
        if not isinstance(self.momentum, (int, float)) or not 0 <= self.momentum <= 1:
            raise ValueError(f"`momentum` must be a float between [0, 1]. Received: momentum={self.momentum}")

    def step_all(self, params: list[Any], grads: list[Any], slots: list[list[Any]], lr: float, decay: float) -> None:
        kernels = twin_of(params[0])
        if slots:
            kernels.sgd_momentum(params, grads, *slots, lr, self.momentum, self.nesterov, decay)
        else:
            kernels.sgd(params, grads, lr, decay)
