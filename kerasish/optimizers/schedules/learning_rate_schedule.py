"""Learning rates that change with the step."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasish.core import dtypes
from kerasish.core.tensor import Tensor


class LearningRateSchedule:
    """Base class of schedules: callables that turn the number of the step into a learning rate.

    Example:

    ```python
    class Halving(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.1 * 0.5 ** (step // 1000)
    ```
    """

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `get_config()` in order to be serializable."
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LearningRateSchedule":
        return cls(**config)


class BuiltinSchedule(LearningRateSchedule):
    """A schedule whose `rate` is a formula in the default float dtype, and whose arguments are its attributes."""

    arguments: tuple[str, ...] = ()

    def __call__(self, step: Any) -> Tensor:
        number = dtypes.numpy_dtype(dtypes.floatx()).type
        with np.errstate(all="ignore"):
            return Tensor(np.asarray(self.rate(number(float(step))), number))

    def rate(self, step: Any) -> Any:
        """The learning rate at a step, in the step's dtype."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.arguments}


class ExponentialDecay(BuiltinSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: After how many steps the rate has been multiplied by `decay_rate`.
        decay_rate: The factor.
        staircase: Whether the rate falls in jumps, every `decay_steps`.
        name: Name of the schedule.
    """

    arguments = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        require_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def rate(self, step: Any) -> Any:
        passed = step / self.decay_steps
        if self.staircase:
            passed = np.floor(passed)
        return self.initial_learning_rate * self.decay_rate**passed


class InverseTimeDecay(BuiltinSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: How often the decay is applied.
        decay_rate: How fast the rate falls.
        staircase: Whether the rate falls in jumps, every `decay_steps`.
        name: Name of the schedule.
    """

    arguments = ExponentialDecay.arguments

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        require_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def rate(self, step: Any) -> Any:
        passed = step / self.decay_steps
        if self.staircase:
            passed = np.floor(passed)
        return self.initial_learning_rate / (1 + self.decay_rate * passed)


class PiecewiseConstantDecay(BuiltinSchedule):
    """A constant up to each boundary.

    Args:
        boundaries: Increasing steps; the value changes after each.
        values: One rate more than there are boundaries.
        name: Name of the schedule.

    Raises:
        ValueError: If the numbers of boundaries and values do not fit.
    """

    arguments = ("boundaries", "values", "name")

    def __init__(self, boundaries: Sequence[int], values: Sequence[float], name: str = "PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of length {len(values)}."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def rate(self, step: Any) -> Any:
        return next((v for b, v in zip(self.boundaries, self.values) if step <= b), self.values[-1])


class PolynomialDecay(BuiltinSchedule):
    """From one rate to another along a power of the time left.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: When the end is reached.
        end_learning_rate: The rate from then on.
        power: 1 is a straight line.
        cycle: Whether `decay_steps` grows to its next multiple instead of stopping at the end.
        name: Name of the schedule.
    """

    arguments = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        require_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def rate(self, step: Any) -> Any:
        total = step.dtype.type(self.decay_steps)
        if self.cycle:
            total *= max(1, math.ceil(step / total))
        left = 1 - min(step, total) / total
        return (self.initial_learning_rate - self.end_learning_rate) * left**self.power + self.end_learning_rate


class CosineDecay(BuiltinSchedule):
    """Half a wave of a cosine, after a linear warm-up if wanted (Loshchilov and Hutter, 2016).

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Length of the decay, which begins after the warm-up.
        alpha: Where the decay ends, as a fraction of where it began.
        name: Name of the schedule.
        warmup_target: The rate that the warm-up leads to; `None` for no warm-up.
        warmup_steps: Length of the warm-up.
    """

    arguments = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        require_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def rate(self, step: Any) -> Any:
        if self.warmup_target is None:
            return self._decay(step, self.initial_learning_rate)
        if step < self.warmup_steps:
            rise = self.warmup_target - self.initial_learning_rate
            return rise * (step / self.warmup_steps) + self.initial_learning_rate
        return self._decay(step - self.warmup_steps, self.warmup_target)

    def _decay(self, step: Any, start: float) -> Any:
        passed = min(step, step.dtype.type(self.decay_steps)) / self.decay_steps
        return start * ((1 - self.alpha) * half_wave(passed) + self.alpha)


class CosineDecayRestarts(BuiltinSchedule):
    """Half waves of a cosine, one after the other (Loshchilov and Hutter, 2016).

    Args:
        initial_learning_rate: The rate at step 0.
        first_decay_steps: Length of the first wave.
        t_mul: How much longer each wave is than the one before.
        m_mul: Where each wave starts, as a fraction of the one before.
        alpha: Where the waves end, as a fraction of `initial_learning_rate`.
        name: Name of the schedule.
    """

    arguments = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        require_positive("first_decay_steps", first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def rate(self, step: Any) -> Any:
        passed = step / self.first_decay_steps
        if self.t_mul == 1:
            wave = np.floor(passed)
            passed -= wave
        else:
            wave = np.floor(np.log(1 - passed * (1 - self.t_mul)) / np.log(type(step)(self.t_mul)))
            before = (1 - self.t_mul**wave) / (1 - self.t_mul)
            passed = (passed - before) / self.t_mul**wave
        height = self.m_mul**wave * half_wave(passed)
        return self.initial_learning_rate * ((1 - self.alpha) * height + self.alpha)


def half_wave(passed: Any) -> Any:
    """From 1 to 0 along a cosine, as `passed` goes from 0 to 1."""
    return 0.5 * (1 + np.cos(type(passed)(math.pi) * passed))


def require_positive(name: str, steps: Any) -> None:
    """Refuses a length that is not positive."""
    if steps <= 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={steps}")
