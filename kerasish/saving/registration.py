"""The registry of users' classes and functions, and the scopes that add to it for a while."""

import inspect
import threading
from collections.abc import Callable
from typing import Any

_OBJECTS: dict[str, Any] = {}  # "package>name" -> object
_NAMES: dict[Any, str] = {}  # object -> "package>name"
_LOCAL = threading.local()


def scope_objects() -> dict[str, Any]:
    """What the `CustomObjectScope`s open in this thread add, the innermost winning."""
    return getattr(_LOCAL, "objects", {})


class CustomObjectScope:
    """Makes custom classes and functions known while loading, inside a `with` block.

    Scopes nest (an inner name hides an outer one) and hold for the current thread only.

    Args:
        custom_objects: Dictionary `{name: class or function}`.

    Example:

    ```python
    with keras.saving.CustomObjectScope({"MyLayer": MyLayer}):
        model = keras.saving.load_model("model.keras")
    ```
    """

    def __init__(self, custom_objects: dict[str, Any] | None):
        self.custom_objects = custom_objects or {}
        self.backup: list[dict[str, Any]] = []

    def __enter__(self):
        self.backup.append(scope_objects())
        _LOCAL.objects = {**self.backup[-1], **self.custom_objects}
        return self

    def __exit__(self, *exc_info):
        _LOCAL.objects = self.backup.pop()


custom_object_scope = CustomObjectScope


def get_custom_objects() -> dict[str, Any]:
    """The live dictionary `{"package>name": object}` of everything registered; it may be edited."""
    return _OBJECTS


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable:
    """Decorator that lets a class or function be saved and loaded without `custom_objects`.

    Args:
        package: The package that the object belongs to; the key is `"package>name"`.
        name: The name inside the package; the object's own name if not given.

    Returns:
        A decorator that registers the object and returns it unchanged.

    Raises:
        ValueError: If a class has no `get_config()` method.

    Example:

    ```python
    @keras.saving.register_keras_serializable(package="my_package")
    class MyDense(keras.layers.Dense):
        pass
    ```
    """

    def decorator(obj):
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ValueError(
                f"Cannot register a class that does not have a get_config() method: {obj.__name__}. "
                "Add `def get_config(self)` returning the arguments of its `__init__` as a dictionary."
            )
        registered_name = f"{package}>{obj.__name__ if name is None else name}"
        _OBJECTS[registered_name] = obj
        _NAMES[obj] = registered_name
        return obj

    return decorator


def get_registered_name(obj: Any) -> str:
    """The name that `obj` is registered under, or its Python name if it is not.

    Args:
        obj: A class or function.

    Returns:
        `"package>name"`, or `obj.__name__`.
    """
    registered = _NAMES.get(obj)
    return obj.__name__ if registered is None else registered


def get_registered_object(
    name: str, custom_objects: dict[str, Any] | None = None, module_objects: dict[str, Any] | None = None
) -> Any | None:
    """Looks a name up in the open scopes, the registry, `custom_objects` and `module_objects`, in that order.

    Args:
        name: The name to look up, `"package>name"` for a registered object.
        custom_objects: Dictionary of the user's own objects.
        module_objects: Dictionary of a library's objects.

    Returns:
        The class or function, or `None` if there is none of that name.
    """
    for objects in (scope_objects(), _OBJECTS, custom_objects or {}, module_objects or {}):
        if name in objects:
            return objects[name]
    return None
