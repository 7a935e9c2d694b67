"""Functions under TensorFlow's names and with its arguments, made from rows over keras.ops.

A row is `"name": "op parameter parameter=ops_parameter ..."`: the op of keras.ops, then TensorFlow's parameters in
their order, each with the op's name for it where that differs, and TensorFlow's default after a colon where that
differs. Every function also takes TensorFlow's `name`, which labels a node of a graph; there are no graphs here.
"""

import ast
from collections.abc import Callable

from kerasish.compat.advice import missing_tensorflow_name


def lookup(module: str, rows: dict[str, str], namespace: dict) -> Callable[[str], Callable]:
    """The `__getattr__` of a stand-in module: makes the function at its first use, explains an unknown name."""
    public = module.removeprefix("kerasish.compat.")

    def find(name):
        if name not in rows:
            raise AttributeError(missing_tensorflow_name(public, name))
        namespace[name] = make(f"{public}.{name}", rows[name])
        return namespace[name]

    return find


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
