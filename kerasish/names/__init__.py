"""Keras's public names: what a package says of a name that it does not have.

`keras_3.txt` lists the names of the Keras that kerasish equals (`python -m parity.names` writes it from the installed
one). A name is there; or it is Keras's and not in kerasish yet; or it belonged to Keras 2; or nobody has it. The last
three are told apart here, for attributes, for `from ... import` and for files, each with what to do instead.
"""

import functools
import importlib
import sys
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("keras_3.txt")
LEGACY = "legacy"  # what `tf.keras` still has of Keras 2, and `keras` has not


class Entry(NamedTuple):
    """What the list says of a name."""

    kind: str  # class, function, module
    needs: str  # the part of Keras that it belongs to, LEGACY, or "-" for a module


@functools.cache
def listed() -> dict[str, Entry]:
    """The list: every public name with its module, such as "keras.layers.Dense"."""
    found = {}
    for line in FILE.read_text(encoding="utf-8").replace("\n  ", " ").splitlines():
        if not line.startswith("#"):
            module, kind, needs, *group = line.split()
            found.update({f"{module}.{name}": Entry(kind, needs) for name in group})
    return found


def explain(package: str) -> None:
    """Let a module whose names are all there explain those that are not.

    Type checkers do not see its `__getattr__`, so that to them a name that is not there is an error.

    Args:
        package: The module's `__name__`.
    """

    def __getattr__(name: str) -> Any:
        raise _error(package, name, sys._getframe(1))

    vars(sys.modules[package])["__getattr__"] = __getattr__


def lazy(package: str, homes: dict[str, str]) -> None:
    """Let a package import its names when they are first used, and explain those that are not there.

    Args:
        package: The package's `__name__`.
        homes: The module in which each name is found; a module that is what the name means stands for itself.
    """
    namespace = vars(sys.modules[package])

    def __getattr__(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise _error(package, name, sys._getframe(1))
        module = importlib.import_module(home)
        value = namespace[name] = module if home == f"{package}.{name}" else getattr(module, name)
        return value

    namespace.update(__getattr__=__getattr__, __dir__=lambda: sorted({*namespace, *homes}))
    there = {name for name, value in namespace.items() if callable(value) and name[0] != "_"}
    namespace.setdefault("__all__", sorted({*there, *homes}))  # for `from ... import *`


def _error(package, name, frame):
    """The exception for a name that a module lacks."""
    if name.startswith("__") or frame.f_code.co_name == "_handle_fromlist":
        # Python asks every module for the first, and for the second before it imports a submodule of that name.
        return AttributeError(f"module '{package}' has no attribute '{name}'")
    from kerasish.names import reasons

    return reasons.error(package, name, frame)


class Explainer:
    """Stands last among Python's finders, and says why there is no module `kerasish.x`."""

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: Any = None) -> None:
        """Finds nothing; raises where an import, not a question, is about to fail."""
        if not fullname.startswith("kerasish.") or not is_import(sys._getframe(2)):
            return
        from kerasish.names import reasons

        raise ModuleNotFoundError(reasons.missing_module(reasons.public(fullname)), name=fullname)


def is_import(frame: Any) -> bool:
    """Whether the frame that asks for a module is that of an import."""
    return frame.f_code.co_name == "_find_and_load_unlocked"
