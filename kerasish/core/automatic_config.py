"""The config of an operation whose class has no `get_config` of its own."""

from __future__ import annotations

import inspect

from kerasish.core import nest


def automatic_config(operation) -> dict:
    """The arguments of an `__init__` whose class has no `get_config` of its own.

    Raises:
        NotImplementedError: for arguments that are not plain values, or that cannot be given by name.
    """
    args, kwargs = operation._init_arguments
    signature = inspect.signature(type(operation).__init__)
    bound = signature.bind(operation, *args, **kwargs)
    bound.apply_defaults()
    kinds, found = inspect.Parameter, {}
    for name, value in list(bound.arguments.items())[1:]:
        kind = signature.parameters[name].kind
        if kind is kinds.VAR_KEYWORD:
            found.update(value)
        elif kind is kinds.POSITIONAL_ONLY or (kind is kinds.VAR_POSITIONAL and value):
            raise NotImplementedError(
                f"Object {type(operation).__name__} was created by passing positional only or variadic positional "
                f"arguments (e.g., `*args`) to `__init__()` ({name}={value!r}), which is not supported by the "
                "automatic config generation. Give them names, or override `get_config()` and `from_config()`."
            )
        elif kind is not kinds.VAR_POSITIONAL:
            found[name] = value
    for name, value in found.items():
        if not all(x is None or isinstance(x, (str, int, float, bool)) for x in nest.flatten(value)):
            raise NotImplementedError(
                f"Object {type(operation).__name__} was created by passing non-serializable argument values in "
                f"`__init__()` ({name}={value!r}), and therefore the object must override `get_config()` in order "
                "to be serializable."
            )
    found.pop("name", None)
    kwargs = signature.parameters.get("kwargs")
    named = "name" in signature.parameters or (kwargs is not None and kwargs.kind is kinds.VAR_KEYWORD)
    return {"name": operation.name, **found} if named else found
