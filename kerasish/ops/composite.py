"""Functions made of several ops that stand in a model's graph as one node, under Keras's name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable

from kerasish.core import scopes
from kerasish.core.operation import Operation
from kerasish.core.symbolic import KerasTensor
from kerasish.ops.table import camel


class Composite(Operation):
    """A call of a composite function in a graph; `composite` makes a subclass for each function."""

    module: str
    function: Callable

    def __init__(self, name: str | None = None, **config):
        super().__init__(name)
        self.config = config

    def call(self, *args, **kwargs):
        return type(self).function(*args, **kwargs, **self.config)

    def get_config(self) -> dict:
        return {"name": self.name, **self.config}


def composite(module: str, inputs: int = 1, keywords: tuple[str, ...] = (), class_name: str | None = None):
    """Decorator: on symbolic tensors the function leaves one node, not those of the ops that it is made of.

    Args:
        module: where Keras keeps the op's class, such as "keras.src.ops.numpy".
        inputs: how many of the first arguments are tensors.
        keywords: names of further arguments that are tensors. All others go to the op's config.
        class_name: the class's name in Keras, if it is not the function's in camel case.
    """

    def decorate(function):
        signature = inspect.signature(function)
        names = [p.name for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        options = [name for name in names[inputs:] if name not in keywords]
        body = {"module": module, "function": staticmethod(function), "__doc__": function.__doc__}
        cls = type(class_name or camel(function.__name__), (Composite,), {**body, "__module__": function.__module__})

        @functools.wraps(function)
        def public(*args, **kwargs):
            if not any(isinstance(x, KerasTensor) for x in (*args, *kwargs.values())) or scopes.shapes_only():
                return function(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = bound.arguments
            op = cls(**{name: given[name] for name in options})
            return op(*[given[name] for name in names[:inputs]], **{name: given[name] for name in keywords})

        return public

    return decorate
