"""Functions under TensorFlow's names and with its arguments, made from rows over keras.ops.

A row is `"name": "op parameter parameter=ops_parameter ..."`: the op of keras.ops, then TensorFlow's parameters in
their order, each with the op's name for it where that differs, and TensorFlow's default after a colon where that
differs. Every function also takes TensorFlow's `name`, which labels a node of a graph; there are no graphs here.
"""

import ast
import importlib
import sys
import types
from collections.abc import Callable
from typing import Any

PACKAGE = "kerasish.compat."


def lookup(module: str, rows: dict[str, str] | None = None, homes: dict[str, str] | None = None) -> Callable:
    """The `__getattr__` of a stand-in module: makes or imports what is used first, explains what is not there.

    Args:
        module: The module's `__name__`.
        rows: A row for each function that keras.ops has.
        homes: Where other names are found: "module:name", or a module that is what the name means.
    """
    public, namespace = module.removeprefix(PACKAGE), vars(sys.modules[module])
    rows, homes = rows or {}, homes or {}

    def __getattr__(name: str) -> Any:
        if name in rows:
            value = make(f"{public}.{name}", rows[name])
        elif name in homes:
            home, _, attribute = homes[name].partition(":")
            value = importlib.import_module(home)
            value = getattr(value, attribute) if attribute else value
        else:
            raise _error(public, module, name, sys._getframe(1))
        namespace[name] = value
        return value

    return __getattr__


class Part(types.SimpleNamespace):
    """A part of the stand-in that is no module of its own.

    Args:
        public: TensorFlow's name of it.
        **names: What it has.
    """

    def __init__(self, public: str, **names: Any):
        super().__init__(**names)
        self.__dict__["__name__"] = public

    def __getattr__(self, name: str) -> Any:
        raise _error(self.__dict__.get("__name__", "tensorflow"), PACKAGE, name, sys._getframe(1))


def _error(public, module, name, frame):
    """The exception for a name that a part of the stand-in lacks."""
    if name.startswith("__"):
        return AttributeError(f"module '{public}' has no attribute '{name}'")
    from kerasish.compat.advice import tensorflow_advice
    from kerasish.names.reasons import exception

    return exception(public, module, name, tensorflow_advice(public, name), frame)


def make(public_name: str, row: str) -> Callable:
    """The function that a row describes."""
    from kerasish import ops

    operation, *parameters = row.split()
    renamed, defaults = {}, {}
    for entry in parameters:
        entry, _, default = entry.partition(":")
        parameter, _, ops_parameter = entry.partition("=")
        renamed[parameter] = ops_parameter or parameter
        if default:
            defaults[parameter] = ast.literal_eval(default)
    target = getattr(ops, operation)

    def function(*args, name=None, **kwargs):
        given = defaults | bind(public_name, tuple(renamed), args, kwargs)
        return target(**{renamed[parameter]: value for parameter, value in given.items()})

    function.__name__ = function.__qualname__ = public_name.rpartition(".")[2]
    function.__doc__ = f"keras.ops.{operation}, with TensorFlow's arguments: {', '.join(renamed)}."
    return function


def bind(public_name: str, names: tuple[str, ...], args: tuple, kwargs: dict) -> dict:
    """Positional and keyword arguments by name; TypeError for what is unknown or given twice."""
    surplus = sorted(set(kwargs) - set(names)) or [repr(value) for value in args[len(names) :]]
    if surplus:
        raise TypeError(
            f"{public_name}() got an argument that kerasish's stand-in for TensorFlow does not have: "
            f"{', '.join(surplus)}; it takes {', '.join(names)}"
        )
    given = dict(zip(names, args))
    twice = sorted(set(given) & set(kwargs))
    if twice:
        raise TypeError(f"{public_name}() got multiple values for argument '{twice[0]}'")
    return given | kwargs
