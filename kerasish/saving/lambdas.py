"""Python lambdas as data. Loading one runs code from the file, so callers ask for permission first."""

import base64
import marshal
import types
from collections.abc import Callable, Sequence
from typing import Any

from kerasish.saving.scopes import in_safe_mode


def dump_function(function: Callable) -> tuple[str, tuple | None, tuple | None]:
    """The bytecode (in base64), default arguments and closed-over values of a Python function."""
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    cells = function.__closure__
    return code, function.__defaults__, tuple(cell.cell_contents for cell in cells) if cells else None


def load_function(code: str | Sequence, defaults: Sequence | None = None, closure: Sequence | None = None) -> Callable:
    """Makes the function again, with `keras`, `ops` and `np` as its globals.

    Args:
        code: What `dump_function` returned first, or all that it returned.
        defaults: The default arguments.
        closure: The closed-over values.

    Returns:
        The function.

    Raises:
        ValueError: If the bytecode is not of this version of Python.
    """
    import numpy as np

    import kerasish

    if not isinstance(code, str):
        code, defaults, closure = code
    try:
        code_object = marshal.loads(base64.decodebytes(code.encode("ascii")))
    except (ValueError, EOFError, TypeError) as error:
        raise ValueError(
            f"The bytecode of a saved Python lambda cannot be read ({error}): it was written by another version of "
            "Python. Define a named function, register it with `@keras.saving.register_keras_serializable()`, and use "
            "it in place of the lambda."
        ) from None
    cells = tuple(types.CellType(value) for value in closure) if closure else None
    names = {"keras": kerasish, "ops": kerasish.ops, "np": np}
    return types.FunctionType(code_object, names, "<lambda>", tuple(_as_tuples(defaults)) if defaults else None, cells)


def _as_tuples(value: Any) -> Any:
    """JSON turns tuples into lists; default arguments were tuples more often."""
    return tuple(_as_tuples(item) for item in value) if isinstance(value, (list, tuple)) else value


def refuse_lambda(what: str, safe_mode: bool | None = None) -> None:
    """Raises unless code from files is allowed here.

    Args:
        what: What was about to be loaded, for the message, such as `"a Python lambda"`.
        safe_mode: What the caller asked for, where no scope has said anything.

    Raises:
        ValueError: In safe mode.
    """
    scope = in_safe_mode()
    if scope if scope is not None else safe_mode in (None, True):
        raise ValueError(
            f"Requested the deserialization of {what}. This carries a potential risk of arbitrary code execution and "
            "thus it is disallowed by default. If you trust the source of the artifact, you can override this error "
            "by passing `safe_mode=False` to the loading function, or calling "
            "`keras.config.enable_unsafe_deserialization()`."
        )
