"""Optimizer: the base class. What it owns, how gradients reach it, and what happens around each step."""

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kerasish.core.autodiff import no_recording
from kerasish.core.dtypes import floatx
from kerasish.core.scopes import auto_name, name_scope
from kerasish.core.tensor import Tensor, as_array
from kerasish.core.variable import Variable, writing
from kerasish.core.whole import whole
from kerasish.device import on
from kerasish.optimizers.clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from kerasish.optimizers.schedules.learning_rate_schedule import LearningRateSchedule
from kerasish.optimizers.state import OptimizerState
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


class Optimizer(OptimizerState):
    """Base class of optimizers.

    A subclass of your own adds its state in `build` and says in `update_step` what a gradient does to a variable.

    Args:
        learning_rate: A number, a `keras.optimizers.schedules.LearningRateSchedule`, or a callable without arguments.
        weight_decay: If set, variables shrink by this times the learning rate before each step.
        clipnorm: Longest gradient of a single variable.
        clipvalue: Largest element of a gradient.
        global_clipnorm: Longest that all gradients together may be.
        use_ema: Whether to keep a moving average of the variables.
        ema_momentum: Weight of the old average.
        ema_overwrite_frequency: After how many steps the average is written into the variables; if `None`, only
            `finalize_variable_values` does it.
        loss_scale_factor: Factor of the loss, which is divided out of the gradients again.
        gradient_accumulation_steps: How many gradients are averaged into one step.
        name: Name of the optimizer, by default made from the class's.

    Raises:
        ValueError: If an argument is out of range, or more than one kind of clipping is asked for.

    Example:

    ```python
    class Descent(keras.optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, gradient * learning_rate)
    ```
    """

    _own_arguments: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = whole(vars(cls)["build"])

    def __init__(
        self,
        learning_rate: Any,
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
        **kwargs,
    ):
        if kwargs.pop("decay", None) is not None:
            warnings.warn("Argument `decay` is no longer supported and will be ignored.", stacklevel=3)
        if kwargs:
            raise ValueError(f"Argument(s) not recognized: {kwargs}")
        self.name = name or auto_name(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum, self.ema_overwrite_frequency = use_ema, ema_momentum, ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check_common_arguments()
        self.built = False
        self._trainable_variables: list[Variable] = []
        self._index: dict[int, int] = {}
        self._not_decayed: list[Variable] = []
        self._not_decayed_names: list[str] = []
        with name_scope(self.name, caller=self), on("cpu"):  # numbers that Python reads at each step
            self._iterations = Variable(0, dtype="int64", name="iteration", trainable=False)
            self._learning_rate = self._make_learning_rate(learning_rate)

    def check_arguments(self, weight_decay: float | None) -> None:
        """Hook of the built-in optimizers: raises ValueError if an own argument is out of range."""

    def _check_common_arguments(self):
        limits = (self.clipnorm, self.clipvalue, self.global_clipnorm)
        if sum(limit is not None for limit in limits) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"clipnorm={limits[0]}, clipvalue={limits[1]}, global_clipnorm={limits[2]}"
            )
        frequency, steps = self.ema_overwrite_frequency, self.gradient_accumulation_steps
        if self.use_ema and not 0 <= self.ema_momentum <= 1:
            raise ValueError(f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={self.ema_momentum}")
        if self.use_ema and frequency is not None and (not isinstance(frequency, int) or frequency < 1):
            raise ValueError(
                "`ema_overwrite_frequency` must be an integer >= 1 or None. "
                f"Received: ema_overwrite_frequency={frequency}"
            )
        if steps is not None and (not isinstance(steps, int) or steps < 2):
            raise ValueError(
                f"`gradient_accumulation_steps` must be an integer >= 2. Received: gradient_accumulation_steps={steps}"
            )

    @property
    def iterations(self) -> Any:
        """How many steps were taken."""
        if self.gradient_accumulation_steps:
            return Tensor(self._iterations.array // self.gradient_accumulation_steps)
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The present learning rate; assign a number or a schedule to change it."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            with on("cpu"):
                return rate(self._iterations)
        return rate if isinstance(rate, Variable) else rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        before = self._learning_rate
        if callable(value) and not isinstance(value, (Variable, Tensor)):
            self._learning_rate = value
            self._variables = [v for v in self._variables if v is not before]
        elif isinstance(before, LearningRateSchedule):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor "
                "argument, hence its learning rate is not settable. If you need the learning rate to be settable, "
                "you should instantiate the optimizer with a float `learning_rate` argument."
            )
        elif isinstance(before, Variable):
            before.assign(value)
        else:
            with name_scope(self.name, caller=self):
                self._learning_rate = self._make_learning_rate(value)

    def _make_learning_rate(self, rate: Any) -> Any:
        if isinstance(rate, (LearningRateSchedule, Variable)) or callable(rate):
            return rate
        if isinstance(rate, (bool, str)) or rate is None or np.ndim(rate):
            raise ValueError(
                "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, or a callable "
                "(that takes in the current iteration value and returns the corresponding learning rate value). "
                f"Received instead: learning_rate={rate}"
            )
        return Variable(rate, dtype=floatx(), name="learning_rate", trainable=False)

    @whole
    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the state for these variables.

        Args:
            variables: The variables that will be trained.
        """
        if self.built:
            return
        self._trainable_variables = list(variables)
        self._index = {id(v): i for i, v in enumerate(self._trainable_variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulators = self.add_optimizer_variables(variables, "gradient_accumulator")
        self.built = True

    def _get_variable_index(self, variable: Variable) -> int:
        try:
            return self._index[id(variable)]
        except KeyError:
            raise ValueError(
                f"Unknown variable: {variable}. This optimizer can only be called for the variables it was "
                "originally built with. When working with a new set of variables, you should recreate a new "
                "optimizer instance."
            ) from None

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """Takes a step along pairs of gradient and variable; returns `iterations`."""
        grads, variables = zip(*grads_and_vars)
        self.apply(grads, variables)
        return self._iterations

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None = None) -> None:
        """Takes a step.

        Args:
            grads: A gradient for each variable; `None` leaves a variable alone.
            trainable_variables: The variables; by default those that the optimizer was built with.

        Raises:
            ValueError: If all gradients are `None`, their number is wrong, or a variable is not known.
        """
        grads = list(grads)
        if not grads:
            return
        pairs = self._overwrite(self._with_gradients(grads, self._variables_for(grads, trainable_variables)))
        if not pairs:
            return
        variables = [v for _, v in pairs]
        with no_recording(), np.errstate(all="ignore"), writing(variables):
            self._take_step([g for g, _ in pairs], variables)
        self._iterations.mutable_array()[...] += 1

    def _variables_for(self, grads: list[Any], variables: Iterable[Variable] | None) -> list[Variable]:
        if variables is not None:
            variables = list(variables)
            if not self.built:
                with name_scope(self.name, caller=self):
                    self.build(variables)
            for variable in variables:
                self._get_variable_index(variable)
            return variables
        if not self.built:
            raise ValueError(
                "When passing `grads` without `variables`, the optimizer must already be built on a list of "
                "variables. Call `optimizer.build(trainable_variables)` first."
            )
        if len(grads) != len(self._trainable_variables):
            raise ValueError(
                "When passing `grads` as a list of gradient tensors, the gradients must match `optimizer.variables` "
                f"one-to-one. Received a list of {len(grads)} gradients, but the optimizer is tracking "
                f"{len(self._trainable_variables)} trainable variables."
            )
        return self._trainable_variables

    def _with_gradients(self, grads: list[Any], variables: list[Variable]) -> list[tuple[Any, Variable]]:
        """Pairs of array and variable, without those that have no gradient."""
        pairs = [(as_array(g, v.dtype), v) for g, v in zip(grads, variables) if g is not None]
        if not pairs:
            raise ValueError("No gradients provided for any variable.")
        for g, v in pairs:
            if g.shape != v.shape:
                raise ValueError(
                    f"Optimizer '{self.name}': the gradient of variable '{v.path}' has shape {g.shape}, "
                    f"expected the variable's shape {v.shape}."
                )
        if len(pairs) < len(grads):
            missing = [v.name for g, v in zip(grads, variables) if g is None]
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss. "
                "If using `model.compile()`, did you forget to provide a `loss` argument?",
                stacklevel=4,
            )
        return pairs

    def _overwrite(self, pairs: list[tuple[Any, Variable]]) -> list[tuple[Any, Variable]]:
        """Variables that take their gradient as their value take it now; the other pairs are left."""
        for g, v in pairs:
            if v.overwrite_with_gradient:
                v.assign(g)
        return [pair for pair in pairs if not pair[1].overwrite_with_gradient]

    def _take_step(self, grads: list[Any], variables: list[Variable]) -> None:
        if self.loss_scale_factor is not None:
            grads = [g / self.loss_scale_factor for g in grads]
        if self.gradient_accumulation_steps:
            grads = self._accumulate(grads, variables)
        if grads:
            grads = self._clip_gradients(grads)
            self.update_all(grads, variables, self.learning_rate)
        if self.use_ema:
            self._average(self._trainable_variables)
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))

    def _accumulate(self, grads: list[Any], variables: list[Variable]) -> list[Any]:
        """Adds to the accumulators; returns the mean when it is time for a step, else nothing."""
        sums = [self._accumulators[self._index[id(v)]].mutable_array() for v in variables]
        for total, g in zip(sums, grads):
            total += g
        steps = self.gradient_accumulation_steps
        if (int(self._iterations) + 1) % steps:
            return []
        means = [total / steps for total in sums]
        for accumulator in self._accumulators:
            accumulator.mutable_array()[...] = 0
        return means

    def _clip_gradients(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm and self.clipnorm > 0:
            return clip_by_norm(grads, self.clipnorm)
        if self.global_clipnorm and self.global_clipnorm > 0:
            return clip_by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue and self.clipvalue > 0:
            return clip_by_value(grads, self.clipvalue)
        return grads

    def update_all(self, grads: list[Any], variables: list[Variable], learning_rate: Any) -> None:
        """Decays and updates all variables: by `update_step`, one after the other."""
        for g, v in zip(grads, variables):
            decay = self.decay_factor(v, float(learning_rate))
            if decay != 1.0:
                v.mutable_array()[...] *= decay
            rate = learning_rate if isinstance(g, np.ndarray) else Tensor(as_array(learning_rate, like=g))
            self.update_step(Tensor(g), v, rate)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """What one gradient does to its variable; subclasses say.

        Args:
            gradient: The gradient.
            variable: The variable to change.
            learning_rate: The present learning rate.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `update_step`.")

    def decay_factor(self, variable: Variable, learning_rate: float) -> float:
        """What weight decay leaves of a variable in a step."""
        rate = self.decay_rate(variable)
        if not rate or any(v is variable for v in self._not_decayed):
            return 1.0
        if any(re.search(pattern, variable.name) for pattern in self._not_decayed_names):
            return 1.0
        return 1.0 - rate * learning_rate

    def decay_rate(self, variable: Variable) -> float | None:
        """The weight decay of a variable, or None."""
        return self.weight_decay

    def _average(self, variables: list[Variable]) -> None:
        momentum = self.ema_momentum if int(self.iterations) else 0.0
        for variable, average in zip(variables, self._averages):
            mean = average.mutable_array()
            mean *= momentum
            mean += (1 - momentum) * variable.array
        frequency = self.ema_overwrite_frequency
        if frequency and (int(self.iterations) + 1) % frequency == 0:
            self.finalize_variable_values(variables)

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Writes the moving averages, if there are any, into the variables.

        Args:
            var_list: Which variables to overwrite.
        """
        if not self.use_ema:
            return
        with writing(var_list := list(var_list)):
            for variable in var_list:
                variable.mutable_array()[...] = self._averages[self._get_variable_index(variable)].array

    def exclude_from_weight_decay(self, var_list: Iterable[Variable] | None = None, var_names: Any = None) -> None:
        """Spares variables from weight decay.

        Args:
            var_list: Variables to spare.
            var_names: Regular expressions; a variable is spared if one is found in its name.
        """
        self._not_decayed = list(var_list or ())
        self._not_decayed_names = list(var_names or ())

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`; differentiate this one."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer (without its state)."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            rate = float(rate)
        else:
            rate = serialize_keras_object(rate)
        common = (
            "weight_decay",
            "clipnorm",
            "global_clipnorm",
            "clipvalue",
            "use_ema",
            "ema_momentum",
            "ema_overwrite_frequency",
            "loss_scale_factor",
            "gradient_accumulation_steps",
        )
        named = {key: getattr(self, key) for key in (*common, *self._own_arguments)}
        return {"name": self.name, "learning_rate": rate, **named}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "Optimizer":
        """An optimizer from what `get_config` returned."""
        if isinstance(config.get("learning_rate"), dict):
            rate = deserialize_keras_object(config["learning_rate"], custom_objects=custom_objects)
            config = config | {"learning_rate": rate}
        return cls(**config)
