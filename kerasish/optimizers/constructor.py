"""Constructors of optimizers: their declaration is all there is to say."""

import functools
import inspect
from collections.abc import Callable
from typing import TypeVar

from kerasish.optimizers.optimizer import Optimizer
from kerasish.optimizers.schedules.learning_rate_schedule import LearningRateSchedule

Rate = float | LearningRateSchedule | Callable[[], float]
Init = TypeVar("Init", bound=Callable)

COMMON = {
    k: p.default for k, p in inspect.signature(Optimizer).parameters.items() if k not in ("learning_rate", "kwargs")
}


def constructor(declared: Init) -> Init:
    """The `__init__` that a declaration without a body describes.

    Arguments that `Optimizer` has not become attributes and part of the config; the others go to `Optimizer`.

    Args:
        declared: Names and defaults of all arguments, in Keras's order.
    """
    signature = inspect.signature(declared)
    own = tuple(k for k in signature.parameters if k not in (*COMMON, "self", "learning_rate", "kwargs"))

    @functools.wraps(declared)
    def __init__(self, *args, **kwargs):
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        values = bound.arguments
        values.pop("self")
        unknown = values.pop("kwargs")
        for name in own:
            setattr(self, name, values.pop(name))
        self._own_arguments = own
        self.check_arguments(values["weight_decay"])
        Optimizer.__init__(self, **values, **unknown)

    return __init__
