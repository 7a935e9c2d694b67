"""Relatives of Adam: Adamax, Nadam, Lamb and Lion."""

from typing import Any

import numpy as np

from kerasish.core.dtypes import floatx
from kerasish.core.variable import Variable
from kerasish.optimizers.constructor import Rate, constructor
from kerasish.optimizers.slotted import SlottedOptimizer


class Adamax(SlottedOptimizer):
    """Adam with the largest gradient in place of the root of squares (Kingma and Ba, 2014, section 7.1).

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        beta_1: Decay of the mean.
        beta_2: Decay of the largest gradient.
        epsilon: Added to the largest gradient.
    """

    slots = (("momentum", "norm"),)

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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

    def step(self, p: Any, g: Any, lr: Any, m: Any, u: Any) -> None:
        t = p.dtype.type(self.count)
        m += (g - m) * (1 - self.beta_1)
        np.maximum(self.beta_2 * u, np.abs(g), out=u)
        p -= lr * m / ((1 - self.beta_1**t) * (u + self.epsilon))


class Nadam(SlottedOptimizer):
    """Adam with Nesterov's look ahead (Dozat, 2015).

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        beta_1: Decay of the mean.
        beta_2: Decay of the mean of squares.
        epsilon: Added to the root.
    """

    slots = (("momentum", "velocity"),)

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        dtype = variables[0].dtype if len(variables) else floatx()
        self._product = Variable(1.0, dtype=dtype)  # of all the momenta so far

    def momentum_at(self, t: Any) -> Any:
        """The momentum of step `t`, which warms up to `beta_1`."""
        return self.beta_1 * (1 - 0.5 * type(t)(0.96) ** t)

    def begin_step(self) -> None:
        product = self._product.mutable_array()
        product *= self.momentum_at(product.dtype.type(self.count))

    def step(self, p: Any, g: Any, lr: Any, m: Any, v: Any) -> None:
        t = p.dtype.type(self.count)
        now, ahead = self.momentum_at(t), self.momentum_at(t + 1)
        product = self._product.array.astype(p.dtype, copy=False)
        m += (g - m) * (1 - self.beta_1)
        v += (g * g - v) * (1 - self.beta_2)
        mean = ahead * m / (1 - product * ahead) + (1 - now) * g / (1 - product)
        p -= lr * mean / (np.sqrt(v / (1 - self.beta_2**t)) + self.epsilon)


class Lamb(SlottedOptimizer):
    """Adam with each layer's step scaled to the size of its weights, for large batches (You et al., 2019).

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        beta_1: Decay of the mean.
        beta_2: Decay of the mean of squares.
        epsilon: Added to the root.
    """

    slots = (("momentum", "velocity"),)

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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

    def step(self, p: Any, g: Any, lr: Any, m: Any, v: Any) -> None:
        t = p.dtype.type(self.count)
        m += (g - m) * (1 - self.beta_1)
        v += (g * g - v) * (1 - self.beta_2)
        update = m / (1 - self.beta_1**t) / (np.sqrt(v / (1 - self.beta_2**t)) + self.epsilon)
        size, length = np.sqrt(np.sum(p * p)), np.sqrt(np.sum(update * update))
        ratio = np.where((size > 0) & (length > 0), size / length, 1)
        p -= ratio * lr * update


class Lion(SlottedOptimizer):
    """Steps of one size along the sign of a running mean (Chen et al., 2023).

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        beta_1: Weight of the mean against the new gradient in the step.
        beta_2: Decay of the mean.
    """

    slots = (("momentum",),)

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if self.beta_1 <= 0 or self.beta_1 > 1:
            raise ValueError(
                "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer degenerates to SignSGD. "
                f"Received: beta_1={self.beta_1}."
            )

    def step(self, p: Any, g: Any, lr: Any, m: Any) -> None:
        p -= lr * np.sign(m * self.beta_1 + g * (1 - self.beta_1))
        m *= self.beta_2
        m += g * (1 - self.beta_2)
