"""Constructors of optimizers, made of their own arguments and those that all of them share."""

import inspect
from collections.abc import Callable
from typing import Any

from kerasish.optimizers.optimizer import Optimizer

COMMON = {
    k: p.default for k, p in inspect.signature(Optimizer).parameters.items() if k not in ("learning_rate", "kwargs")
}


def constructor(after: dict[str, Any] | None = None, **own: Any) -> Callable:
    """An `__init__` that takes an optimizer's own arguments, then those of `Optimizer`, with these defaults.

    Own arguments become attributes and part of the config.

    Args:
        after: Own arguments that Keras places behind the common ones.
        **own: Own arguments in front of the common ones (an `Optimizer`'s argument may stand among them).
    """
    defaults = {**own, **{k: v for k, v in COMMON.items() if k not in own}, **(after or {})}
    names = tuple(k for k in defaults if k not in COMMON and k != "learning_rate")
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(k, kind, default=v) for k, v in defaults.items()]
    parameters.append(inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD))
    signature = inspect.Signature(parameters)

    def __init__(self, *args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        values = bound.arguments
        unknown = values.pop("kwargs")
        for name in names:
            setattr(self, name, values.pop(name))
        self._own_arguments = names
        self.check_arguments(values["weight_decay"])
        Optimizer.__init__(self, **values, **unknown)

    __init__.__signature__ = signature.replace(parameters=[inspect.Parameter("self", kind), *parameters])
    return __init__
