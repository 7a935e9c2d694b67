"""Keras's public name of each class of kerasish, and the way back: the allow-list of what a file may name."""

import importlib
import inspect
import types
from typing import Any

from kerasish.core.op import Op
from kerasish.names import listed

_ROOT = frozenset(
    "DTypePolicy FloatDTypePolicy Function Initializer InputSpec KerasTensor Layer Loss Metric Model Operation "
    "Optimizer Quantizer Regularizer Sequential Variable".split()
)
_FAMILIES = frozenset(
    "activations callbacks constraints distillation distribution dtype_policies initializers layers losses metrics "
    "models ops optimizers optimizers.schedules quantizers random regularizers utils wrappers".split()
)
# Functions come from these alone: nothing here touches files, the network or the interpreter.
_FUNCTION_FAMILIES = (
    "activations",
    "losses",
    "metrics",
    "constraints",
    "initializers",
    "optimizers",
    "regularizers",
    "ops",
    "random",
)
_FACTORIES = frozenset({"get", "serialize", "deserialize"})
# Classes without a public name: Keras writes where their source stands.
_PRIVATE = {"Functional": "keras.src.models.functional"}
_RENAMED = {"GroupedQueryAttention": "GroupQueryAttention"}


def public_name(cls: type) -> tuple[str, str, bool] | None:
    """Keras's name of a class of kerasish.

    Args:
        cls: Any class.

    Returns:
        `(module, name, exported)`, or `None` if the class is not one of kerasish's own.
    """
    package, _, rest = cls.__module__.partition(".")
    if package != "kerasish":
        return None
    name = _RENAMED.get(cls.__name__, cls.__name__)
    if name in _ROOT:
        return "keras", name, True
    if name in _PRIVATE:
        return _PRIVATE[name], name, False
    family = rest.split(".")[0]
    if family == "ops":
        return getattr(cls, "module", f"keras.src.{rest}"), name, False
    for public in (f"{family}.schedules", family):
        if public in _FAMILIES and getattr(_package(public), name, None) is cls:
            return f"keras.{public}", name, True
    return f"keras.src.{rest}", name, False


def find_class(module: str, name: str) -> Any | None:
    """The class (or, for `keras.ops` and its like, function) of kerasish behind Keras's public or `keras.src` name."""
    parts = module.split(".")
    if parts[0] not in ("keras", "kerasish"):
        return None
    if parts[1:2] == ["src"]:
        return _find_private(parts[2:], name)
    if len(parts) == 1:
        return _saveable(importlib.import_module("kerasish"), name) if name in _ROOT else None
    family = ".".join(parts[1:])
    return _saveable(_package(family), name) or _function(family, name) if family in _FAMILIES else None


def find_function(name: str, module: str | None = "builtins") -> types.FunctionType | None:
    """The function of kerasish that a config names; configs say `"builtins"` where it is one of the usual families."""
    families = [module.removeprefix("keras.")] if module and module.startswith("keras.") else _FUNCTION_FAMILIES[:7]
    found = (_function(family, name) for family in families)
    return next((function for function in found if function is not None), None)


def _find_private(parts: list[str], name: str) -> Any | None:
    if name in _ROOT:
        return _saveable(importlib.import_module("kerasish"), name)
    if name in _PRIVATE:
        module = _PRIVATE[name].removeprefix("keras.src.")
        return _saveable(importlib.import_module(f"kerasish.{module}"), name)
    if parts[0] in ("ops", "activations"):
        return _find_op(parts, name)
    families = [family for family in (".".join(parts[:2]), parts[0]) if family in _FAMILIES]
    return next((cls for family in families if (cls := _saveable(_package(family), name))), None)


def _find_op(parts: list[str], name: str) -> type | None:
    """The op class that Keras would have written as `name` in `keras.src` and these parts of a module's name."""
    module, home = f"keras.src.{'.'.join(parts)}", f"kerasish.{parts[0]}"
    importlib.import_module(home)
    composite = importlib.import_module("kerasish.ops.composite")
    classes = [*composite.Composite.__subclasses__(), *Op.__subclasses__()]
    for cls in classes:
        classes.extend(cls.__subclasses__())
        if cls.__name__ == name and cls.module == module and cls.__module__.startswith(f"{home}."):
            return cls
    return None


def _package(family: str) -> types.ModuleType | None:
    try:
        return importlib.import_module(f"kerasish.{family}")
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("kerasish"):
            raise
        return None


def _saveable(module: types.ModuleType | None, name: str) -> type | None:
    found = None if name.startswith("_") else getattr(module, name, None)
    own = inspect.isclass(found) and found.__module__.startswith("kerasish.")
    return found if own and hasattr(found, "from_config") else None


def _function(family: str, name: str) -> types.FunctionType | None:
    """The function, if it is one of those that Keras exports there: a module also holds what it has imported."""
    entry = listed().get(f"keras.{family}.{name}") if family in _FUNCTION_FAMILIES else None
    if entry is None or entry.kind != "function" or name in _FACTORIES:
        return None
    found = getattr(_package(family), name, None)
    if not callable(found) or inspect.isclass(found) or inspect.ismodule(found):
        return None
    return found if getattr(found, "__module__", "").startswith("kerasish.") else None


def find_object(config: dict[str, Any], custom_objects: dict[str, Any]) -> Any | None:
    """The class or function that a config names, or None.

    Raises:
        ValueError: If the config claims a registered name for one of Keras's own classes.
    """
    is_function = config["class_name"] == "function"
    name = config["config"] if is_function else config["class_name"]
    if not isinstance(name, str):
        raise TypeError(
            f"Expected 'config' to be a non-null str for a function classname,\ninstead got {type(name)}\n"
            f"Full config: {config}"
        )
    registered = name if is_function else config.get("registered_name", name)
    for key in (name,) if is_function else (registered, name if _names_no_package(registered, config) else None):
        if custom_objects.get(key) is not None:
            return custom_objects[key]
    module = config.get("module")
    own = find_function(name, module) if is_function else module and find_class(module, name)
    if own:
        _check_builtin(own, config.get("registered_name"), config)
        return own
    # A class registered after it was saved; and Keras up to 3.6 wrote `name` for functions, meaning `package>name`.
    return next((obj for key, obj in custom_objects.items() if key.endswith(f">{name}") and registered == name), None)


def _names_no_package(registered: str | None, config: dict[str, Any]) -> bool:
    """Whether the plain class name may be looked up too: not for Keras's own classes, which a user's could hide."""
    return registered is not None or not str(config.get("module", "")).startswith("keras")


def _check_builtin(own: Any, registered: str | None, config: dict[str, Any]) -> None:
    if registered and registered not in (config["class_name"], config["config"], "function", own.__name__):
        raise ValueError(
            f"`registered_name={registered!r}` was provided in the config, but '{config['module']}."
            f"{own.__name__}' resolved to a Keras built-in and does not use registered names. "
            f"Remove the `registered_name` field from the config. Full object config: {config}"
        )
