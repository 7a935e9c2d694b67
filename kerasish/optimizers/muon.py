"""Muon."""

import math
import re
from typing import Any

import numpy as np

from kerasish.core.tensor import as_array
from kerasish.core.variable import Variable
from kerasish.kernels import twin_of
from kerasish.optimizers.constructor import Rate, constructor
from kerasish.optimizers.slotted import SlottedOptimizer


class Muon(SlottedOptimizer):
    """Momentum made orthogonal by Newton and Schulz's iteration, for hidden matrices; AdamW for all else.

    AdamW takes what is not two-dimensional, what `exclude_layers` names, and embeddings. The output layer should be
    among `exclude_layers`. See Jordan et al., 2024, and Liu et al., 2025.

    Args:
        learning_rate: See `keras.optimizers.Optimizer`, as for the arguments not listed here.
        adam_beta_1: Decay of AdamW's mean.
        adam_beta_2: Decay of AdamW's mean of squares.
        adam_weight_decay: Weight decay of the variables that AdamW takes.
        epsilon: Added to AdamW's root.
        weight_decay: Weight decay of the matrices.
        exclude_layers: Regular expressions, looked for in paths.
        exclude_embeddings: Whether AdamW takes embeddings.
        muon_a: Coefficient of x in the iteration.
        muon_b: Coefficient of its cube.
        muon_c: Coefficient of its fifth power.
        adam_lr_ratio: AdamW's learning rate over the matrices'.
        momentum: How much of the gradients so far is kept.
        ns_steps: Number of iterations.
        nesterov: Whether to look ahead along the momentum.
        rms_rate: Root mean square that updates are scaled to; `None` leaves them orthogonal.
    """

    @constructor
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float = 0.004,
        epsilon: float = 1e-07,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Any = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: int = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float = 0.2,
        **kwargs: Any,
    ): ...

    def check_arguments(self, weight_decay: float | None) -> None:
        self.exclude_layers = self.exclude_layers or []

    def uses_adam(self, variable: Variable) -> bool:
        """Whether AdamW takes this variable."""
        if variable.ndim != 2 or (self.exclude_embeddings and "embedding" in variable.path.lower()):
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._momenta: list[Variable] = []
        self._velocities: list[Variable | None] = []
        for v in self._trainable_variables:
            self._momenta.append(self.add_variable_from_reference(v, "momentum"))
            self._velocities.append(self.add_variable_from_reference(v, "velocity") if self.uses_adam(v) else None)

    def decay_rate(self, variable: Variable) -> float | None:
        return self.adam_weight_decay if self.uses_adam(variable) else self.weight_decay

    def _update_group(self, pairs: list[tuple[Any, Variable]], rate: float, decay: float) -> None:
        for g, variable in pairs:
            place = self._get_variable_index(variable)
            momentum, velocity = self._momenta[place], self._velocities[place]
            p, m = variable.mutable_array(), momentum.mutable_array()
            if velocity is None:
                if decay != 1.0:
                    p *= decay
                self.step(p, g, p.dtype.type(rate), m)
            else:
                betas = (self.adam_beta_1, self.adam_beta_2, self.epsilon)
                state = ([m], [velocity.mutable_array()])
                twin_of(p).adam([p], [g], *state, rate * self.adam_lr_ratio, *betas, self.count, decay)

    def step(self, p: Any, g: Any, lr: Any, m: Any) -> None:
        m *= self.momentum
        m += g
        g = g + self.momentum * m if self.nesterov else m
        p -= lr * self.lr_adjust(self.zeropower_via_newtonschulz5(g, self.ns_steps))

    def lr_adjust(self, x: Any) -> Any:
        """Scales an orthogonal update to a root mean square of `rms_rate`."""
        return x if self.rms_rate is None else x * (self.rms_rate * math.sqrt(max(x.shape)))

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """About the nearest matrix whose rows (or columns, if there are fewer) are orthogonal and of length 1.

        Args:
            x: Matrix.
            steps: Number of iterations.
        """
        x = as_array(x)
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x
        x = x / (np.sqrt(np.sum(x * x)) + 1e-7)
        for _ in range(steps):
            square = x @ x.T
            x = self.muon_a * x + (self.muon_b * square + self.muon_c * square @ square) @ x
        return x.T if tall else x
