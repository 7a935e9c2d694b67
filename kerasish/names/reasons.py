"""Why a name is not here, and what to do instead."""

import difflib
import functools
import importlib.util
import sys
from opcode import opmap
from types import FrameType

from kerasish.names import LEGACY, Entry, listed
from kerasish.names.instead import instead
from kerasish.names.keras_2 import successor

_NEAR = 0.75
_IMPORT_FROM = opmap["IMPORT_FROM"]
_PRIVATE = "keras.src is private to Keras; import the public name, such as keras.layers.Conv2D"


def error(package: str, name: str, frame: FrameType) -> Exception:
    """The exception for a name that a package of Keras lacks here.

    Args:
        package: The `__name__` of kerasish's module.
        name: The name.
        frame: Who asks.
    """
    module = public(package)
    return exception(module, package, name, reason(module, name), frame)


def exception(module: str, package: str, name: str, why: str, frame: FrameType) -> Exception:
    """An ImportError if the frame is at `from module import name`, else an AttributeError."""
    if frame.f_code.co_code[frame.f_lasti] == _IMPORT_FROM:
        return ImportError(f"cannot import name '{name}' from '{module}': {why}", name=package)
    # With an object Python would add a guess of its own to the traceback: "Did you mean: 'ELU'?" after GRU.
    return AttributeError(f"module '{module}' has no attribute '{name}': {why}", name=name, obj=None)


def public(package: str) -> str:
    """Keras's name of a module of kerasish."""
    return package.replace("kerasish", "keras", 1)


def reason(module: str, name: str) -> str:
    """Why a module of Keras has no such name here, and what to do instead, as half a sentence.

    Args:
        module: Keras's name of the module, such as "keras.layers".
        name: The name.
    """
    full = f"{module}.{name}"
    if full.startswith("keras.src"):
        return _PRIVATE + "."
    entry = listed().get(full, Entry("", ""))
    if entry.kind and entry.needs != LEGACY:
        return f"it is not in kerasish yet; {instead(full, entry.needs)}."
    advice = successor(full, entry.needs == LEGACY)
    if advice:
        return f"it belongs to Keras 2; {advice}."
    near = _nearest(module, name)
    if near is None:
        return "neither Keras 3 nor kerasish has it."
    if _is_there(near):
        return f"neither Keras 3 nor kerasish has it; did you mean {near}?"
    return f"neither Keras 3 nor kerasish has it; {near} is not in kerasish yet: {instead(near, listed()[near].needs)}."


def missing_module(name: str) -> str:
    """The text for `import name`, where `name` begins with "keras." and is no module, or no longer one."""
    parts = name.split(".")
    for end in range(2, len(parts) + 1):
        full = ".".join(parts[:end])
        if belongs_to_keras_2(full) or not _is_module(full):
            break
    module, _, child = full.rpartition(".")
    if listed().get(full, Entry("module", "")).kind != "module" and _is_there(full):
        return f"No module named '{name}': {full} is no module; write `from {module} import {child}`."
    return f"No module named '{name}': {reason(module, child)}"


def belongs_to_keras_2(full: str) -> bool:
    """Whether Keras 2 had a module of that name, and Keras 3 has not."""
    return full not in listed() and successor(full, False) is not None


def keras_object(module: str | None, name: str) -> str | None:
    """Why a class or function of Keras that a file names is not here, as a sentence; None if it is none of Keras's.

    Args:
        module: The module that the file gives, public or not, if any.
        name: The name.
    """
    if module is not None and module.split(".")[0] not in ("keras", "tf_keras", "tensorflow"):
        return None
    found = [full for full in _by_name().get(name.lower(), ()) if full.endswith(f".{name}") and not _is_there(full)]
    found.sort(key=lambda full: (full.rpartition(".")[0] != module, full.count(".")))
    return f"{found[0]} is not in kerasish yet; {instead(found[0], listed()[found[0]].needs)}." if found else None


def _is_module(name):
    try:
        return importlib.util.find_spec(name.replace("keras", "kerasish", 1)) is not None
    except ImportError:
        return False


def _nearest(module, name):
    """The public name that was probably meant, here or elsewhere in Keras; None if there is none."""
    same = sorted(_by_name().get(name.lower(), ()), key=lambda full: (not full.endswith(f".{name}"), full.count(".")))
    at_home = [full for full in same if full.rpartition(".")[0] == module]
    there = [full for full in same if _is_there(full)]
    for found in (at_home, there, same):
        if found:
            return found[0]
    close = difflib.get_close_matches(name, _names_here(module), n=1, cutoff=_NEAR)
    return f"{module}.{close[0]}" if close else None


def _names_here(module):
    """The public names that a module has here."""
    found = sys.modules.get(module.replace("keras", "kerasish", 1))
    return [name for name in dir(found) if not name.startswith("_") and f"{module}.{name}" in listed()]


@functools.cache
def _by_name():
    """Keras 3's public names by their last part in lower case."""
    found: dict[str, list[str]] = {}
    for full, entry in listed().items():
        if entry.needs != LEGACY:
            found.setdefault(full.rpartition(".")[2].lower(), []).append(full)
    return found


def _is_there(full):
    module, _, name = full.rpartition(".")
    try:
        return hasattr(importlib.import_module(module.replace("keras", "kerasish", 1)), name)
    except ModuleNotFoundError:
        return False
