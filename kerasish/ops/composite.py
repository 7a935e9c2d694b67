"""Functions made of several ops that stand in a model's graph as one node, under Keras's name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable

from kerasish.core import scopes
from kerasish.core.op import Spec
from kerasish.core.operation import Operation, read_config
from kerasish.core.symbolic import KerasTensor
from kerasish.ops.table import camel


class Composite(Operation):
    """A call of a composite function in a graph; `composite` makes a subclass for each function."""

    module: str
    function: Callable
    infer: Callable | None = None
    tensors: tuple[str, ...]  # the function's arguments that a call takes, in order; others are in the config
    starred: str | None  # the name of further ones

    def __init__(self, name: str | None = None, **config):
        super().__init__(name)
        self.config = config

    def call(self, *args, **kwargs):
        return self._apply(type(self).function, args, kwargs)

    def compute_output_spec(self, *args, **kwargs):
        if type(self).infer is None:
            return self._traced(args, kwargs)
        return symbols(self._apply(type(self).infer, args, kwargs))

    def _traced(self, args, kwargs):
        """The specs by running the function: with open dimensions, which ops understand, or with stand-ins for them,
        which could clash with known ones, where the function computes with lengths."""
        try:
            with scopes.shape_scope():
                return self.call(*args, **kwargs)
        except TypeError:
            return super().compute_output_spec(*args, **kwargs)

    def _apply(self, function, args, kwargs):
        if self.starred is not None:
            return function(*args, **kwargs, **self.config)
        return function(**dict(zip(self.tensors, args)), **kwargs, **self.config)

    def get_config(self) -> dict:
        """The name and the function's arguments that are no tensors."""
        return {"name": self.name, **self.config}

    @classmethod
    def from_config(cls, config: dict):
        """The operation made again from its config."""
        return cls(**read_config(config))


def symbols(specs):
    """Specs, in lists, tuples or dicts, as KerasTensors."""
    if isinstance(specs, Spec):
        return KerasTensor(specs.shape, specs.dtype)
    if isinstance(specs, dict):
        return {key: symbols(s) for key, s in specs.items()}
    return type(specs)(symbols(s) for s in specs) if isinstance(specs, (list, tuple)) else specs


def holds_symbolic(x) -> bool:
    """Whether x is a KerasTensor or a list, tuple or dict that holds one."""
    if isinstance(x, (list, tuple)):
        return any(holds_symbolic(v) for v in x)
    return any(holds_symbolic(v) for v in x.values()) if isinstance(x, dict) else isinstance(x, KerasTensor)


def _parameters(function) -> tuple[list[str], str | None, str | None]:
    """The names of a function's parameters, of `*args` and of `**kwargs`: read off its code, for speed at import."""
    code = inspect.unwrap(function).__code__
    count = code.co_argcount + code.co_kwonlyargcount
    more = iter(code.co_varnames[count:])
    starred = next(more) if code.co_flags & inspect.CO_VARARGS else None
    extra = next(more) if code.co_flags & inspect.CO_VARKEYWORDS else None
    return list(code.co_varnames[:count]), starred, extra


def composite(
    module: str,
    inputs: int | tuple[str, ...] = 1,
    keywords: tuple[str, ...] = (),
    class_name: str | None = None,
    infer: Callable | None = None,
):
    """Decorator: on symbolic tensors the function leaves one node, not those of the ops that it is made of.

    Args:
        module: where Keras keeps the op's class, such as "keras.src.ops.numpy".
        inputs: how many of the first arguments are tensors, or the names of those that are.
        keywords: names of further arguments that are tensors. All others go to the op's config.
        class_name: the class's name in Keras, if it is not the function's in camel case.
        infer: the Specs of the results, given the function's arguments. A function that only runs on values, or whose
            shapes depend on them, needs it; by default the function is run on symbolic tensors.
    """

    def decorate(function):
        names, starred, extra = _parameters(function)
        tensors = tuple(names[:inputs]) if isinstance(inputs, int) else inputs
        options = [name for name in names if name not in (*tensors, *keywords)]
        body = {"module": module, "function": staticmethod(function), "__doc__": function.__doc__}
        body |= {"tensors": tensors, "starred": starred}
        if infer is not None:
            body["infer"] = staticmethod(infer)
        cls = type(class_name or camel(function.__name__), (Composite,), {**body, "__module__": function.__module__})

        @functools.wraps(function)
        def public(*args, **kwargs):
            if not any(holds_symbolic(x) for x in (*args, *kwargs.values())):
                return function(*args, **kwargs)
            if scopes.shapes_only():
                return function(*args, **kwargs) if infer is None else symbols(infer(*args, **kwargs))
            bound = inspect.signature(function).bind(*args, **kwargs)
            bound.apply_defaults()
            given = bound.arguments
            op = cls(**{name: given[name] for name in options}, **given.get(extra, {}))
            found = [given[name] for name in tensors]
            return op(*found, *given.get(starred, ()), **{name: given[name] for name in keywords})

        return public

    return decorate
