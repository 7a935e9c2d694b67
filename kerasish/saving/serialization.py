"""Objects as Keras 3's dictionaries: `module`, `class_name`, `config`, `registered_name`, and the way back."""

import inspect
import threading
import types
import warnings
from typing import Any

import numpy as np

from kerasish.core import dtypes
from kerasish.core.operators import bind
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import convert_to_tensor, is_tensor
from kerasish.core.variable import Variable
from kerasish.device import on_card
from kerasish.saving.lambdas import dump_function, load_function, refuse_lambda
from kerasish.saving.public_names import find_object, public_name
from kerasish.saving.registration import CustomObjectScope, get_custom_objects, get_registered_name, scope_objects
from kerasish.saving.scopes import SafeModeScope, in_safe_mode, sharing_scope
from kerasish.saving.unknown import ExplainedUnknownError, UnknownObjectError, explain_unknown

_PLAIN = (str, int, float, bool)
_LOCAL = threading.local()


def serialize_keras_object(obj: Any) -> Any:
    """Turns an object into plain data that `deserialize_keras_object` turns back.

    Args:
        obj: A layer, model, optimizer or other object with `get_config()`; a function; a tensor or array; or any
            nesting of lists, tuples and dictionaries of such.

    Returns:
        For a Keras object a dictionary with the keys `module`, `class_name`, `config` and `registered_name`.

    Raises:
        TypeError: If an object has no `get_config()`.

    Example:

    ```python
    config = keras.saving.serialize_keras_object(keras.layers.Dense(3))
    layer = keras.saving.deserialize_keras_object(config)
    ```
    """
    if isinstance(obj, (list, tuple)):
        items = [serialize_keras_object(item) for item in obj]
        return items if isinstance(obj, list) else tuple(items)
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if obj is None or (isinstance(obj, _PLAIN) and not isinstance(obj, np.generic)):
        return obj
    value = _serialize_value(obj)
    return _serialize_object(obj) if value is None else value


def _serialize_value(obj: Any) -> Any | None:
    """Values that need more than JSON has; None for all else."""
    if isinstance(obj, bytes):
        return _tagged("__bytes__", value=obj.decode("utf-8"))
    if obj is Ellipsis:
        return _tagged("__ellipsis__")
    if isinstance(obj, slice):
        return _tagged("__slice__", **{k: serialize_keras_object(getattr(obj, k)) for k in ("start", "stop", "step")})
    if isinstance(obj, KerasTensor):
        history = getattr(obj, "_keras_history", None)
        place = [history.operation.name, history.node_index, history.tensor_index] if history else None
        return _tagged("__keras_tensor__", shape=obj.shape, dtype=obj.dtype, keras_history=place)
    if is_tensor(obj) or isinstance(obj, Variable):
        return _tagged("__tensor__", value=np.asarray(obj.numpy()).tolist(), dtype=obj.dtype)
    if isinstance(obj, (np.ndarray, np.generic)) or on_card(obj):
        return obj.item() if obj.ndim == 0 else _tagged("__numpy__", value=obj.tolist(), dtype=obj.dtype.name)
    if isinstance(obj, np.dtype):
        return obj.name
    if isinstance(obj, types.FunctionType) and obj.__name__ == "<lambda>":
        warnings.warn(
            f"The object being serialized includes a `lambda` (line {obj.__code__.co_firstlineno} of "
            f"{obj.__code__.co_filename}). This is unsafe. In order to reload the object, you will have to pass "
            "`safe_mode=False` to the loading function. Please avoid using `lambda` in the future, and use named "
            "Python functions instead.",
            stacklevel=3,
        )
        return _tagged("__lambda__", value=dump_function(obj))
    return None


def _tagged(class_name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


def _serialize_object(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    inner = _inner_config(obj)
    public = public_name(cls)
    if public is None:
        module = None if cls.__module__ == "__main__" else cls.__module__
        config = {"module": module, "class_name": cls.__name__, "config": inner}
        config["registered_name"] = get_registered_name(cls)
    else:
        module, name, exported = public
        config = {"module": module, "class_name": name, "config": inner, "registered_name": None if exported else name}
    config.update(_build_and_compile_config(obj))
    if (scope := sharing_scope()) is not None:
        scope.saved(obj, config)
    return config


def _inner_config(obj: Any) -> Any:
    if isinstance(obj, types.FunctionType) or not hasattr(obj, "get_config"):
        if hasattr(obj, "__name__") and (inspect.isroutine(obj) or inspect.isclass(obj)):
            return get_registered_name(obj)
        raise TypeError(
            f"Cannot serialize object {obj} of type {type(obj)}. "
            "To be serializable, a class must implement the `get_config()` method."
        )
    config = obj.get_config()
    if not isinstance(config, dict):
        raise TypeError(f"The `get_config()` method of {obj} should return a dict. It returned: {config}")
    return serialize_keras_object(config)


def _build_and_compile_config(obj: Any) -> dict[str, Any]:
    configs = {}
    for kind in ("build", "compile"):
        get = getattr(obj, f"get_{kind}_config", None)
        config = get() if get is not None else None
        if config is not None:
            configs[f"{kind}_config"] = serialize_keras_object(config)
    return configs


def deserialize_keras_object(
    config: Any,
    custom_objects: dict[str, Any] | None = None,
    safe_mode: bool = True,
    module_objects: dict[str, Any] | None = None,
) -> Any:
    """Makes an object again from what `serialize_keras_object` returned.

    Nothing is imported on the word of `config`: classes come from Keras's public packages, from
    `register_keras_serializable`, and from `custom_objects`.

    Args:
        config: The data, also as real Keras writes it.
        custom_objects: Dictionary of custom classes and functions by name.
        safe_mode: Whether Python lambdas are refused.
        module_objects: Dictionary of the classes and functions that a bare name in `config` may stand for.

    Returns:
        The object.

    Raises:
        TypeError: If a class or function is not known (the text lists all of them), or does not take its config.
        ValueError: If `config` holds a lambda and `safe_mode` is on.
    """
    scope = in_safe_mode()
    objects = {**(custom_objects or {}), **scope_objects(), **get_custom_objects()}
    reader = _Reader(objects, safe_mode if scope is None else scope)
    if getattr(_LOCAL, "reading", False):
        return reader.read(config, module_objects)
    _LOCAL.reading = True
    try:
        return reader.read(config, module_objects)
    except UnknownObjectError as error:
        raise ExplainedUnknownError(explain_unknown(error, config, objects)) from None
    finally:
        _LOCAL.reading = False


class _Reader:
    """One call of `deserialize_keras_object`: the objects it may use, and how it treats lambdas."""

    def __init__(self, custom_objects: dict[str, Any], safe_mode: bool):
        self.custom_objects = custom_objects
        self.safe_mode = safe_mode

    def read(self, config: Any, module_objects: dict[str, Any] | None = None) -> Any:
        if isinstance(config, str) and self.custom_objects.get(config) is not None:
            return self.custom_objects[config]
        if isinstance(config, (list, tuple)):
            return [self.read(item) for item in config]
        if module_objects is not None:
            return self.read_among(config, module_objects)
        if config is None or isinstance(config, _PLAIN):
            return config
        if not isinstance(config, dict):
            raise TypeError(f"Could not parse config: {config}")
        if "class_name" not in config or "config" not in config:
            return {key: self.read(value) for key, value in config.items()}
        special = _SPECIAL.get(config["class_name"])
        return self.read_object(config) if special is None else special(self, config["config"] or {})

    def read_among(self, config: Any, module_objects: dict[str, Any]) -> Any:
        """Bare names, and configs without a module (as Keras 2 wrote), stand for members of `module_objects`."""
        if isinstance(config, str):
            return self.make(module_objects[config], {}) if config in module_objects else config
        if not isinstance(config, dict):
            return self.read(config)
        if "class_name" not in config:
            raise ValueError(f"Unknown `config` as a `dict`, config={config}")
        name = config["class_name"]
        inner = config.get("config")
        name, inner = (inner, {}) if name == "function" else (name, inner)
        known = name in module_objects and not self._is_custom(config)
        if known and config.get("module") in (None, "builtins"):
            return self.make(module_objects[name], inner or {}, config)
        return self.read(config)

    def _is_custom(self, config: dict[str, Any]) -> bool:
        names = (config["class_name"], config.get("registered_name"), config.get("config"))
        return any(isinstance(name, str) and name in self.custom_objects for name in names)

    def read_object(self, config: dict[str, Any]) -> Any:
        name, inner = config["class_name"], config["config"] if config["config"] is not None else {}
        if name == "function":
            return self.find(config)
        if not isinstance(inner, dict):
            raise TypeError(
                f"Expected 'config' to be a dict for {name},\ninstead got {type(inner)}\nFull config: {config}"
            )
        scope, number = sharing_scope(), config.get("shared_object_id")
        shared = scope.find(number) if scope is not None else None
        if shared is not None:
            return shared
        obj = self.make(self.find(config), inner, config)
        if scope is not None and number is not None:
            scope.loaded(number, obj)
        return obj

    def find(self, config: dict[str, Any]) -> Any:
        """The class or function of a config: a custom one first, else one of kerasish's own."""
        found = find_object(config, self.custom_objects)
        if found is None:
            raise UnknownObjectError(config)
        return found

    def make(self, cls: Any, inner: dict[str, Any], config: dict[str, Any] | None = None) -> Any:
        """An instance of `cls`, built and compiled as the config says; functions are returned as they are."""
        if not inspect.isclass(cls):
            return cls
        if not hasattr(cls, "from_config"):
            raise TypeError(
                f"Unable to reconstruct an instance of '{cls.__name__}' because the class is missing a "
                f"`from_config()` method. Full object config: {config}"
            )
        config = config or {}
        with CustomObjectScope(self.custom_objects), SafeModeScope(self.safe_mode):
            instance = _from_config(cls, inner, config)
            if (build_config := config.get("build_config")) and not getattr(instance, "built", True):
                instance.build_from_config(build_config)
                instance.built = True
            if compile_config := config.get("compile_config"):
                instance.compile_from_config(compile_config)
                instance.compiled = True
        return instance

    def read_tensor_spec(self, inner: dict[str, Any]) -> Any:
        tensor = KerasTensor(tuple(inner["shape"]), dtype=inner["dtype"])
        tensor._pre_serialization_keras_history = inner["keras_history"]
        return tensor

    def read_tensor(self, inner: dict[str, Any]) -> Any:
        return convert_to_tensor(inner["value"], dtype=inner["dtype"])

    def read_numpy(self, inner: dict[str, Any]) -> np.ndarray:
        return np.array(inner["value"], dtype=dtypes.numpy_dtype(inner["dtype"]))

    def read_slice(self, inner: dict[str, Any]) -> slice:
        return slice(*(self.read(inner[key]) for key in ("start", "stop", "step")))

    def read_lambda(self, inner: dict[str, Any]) -> Any:
        with SafeModeScope(self.safe_mode):
            refuse_lambda("a Python lambda")
        return load_function(
            inner["value"] if "value" in inner else [inner[k] for k in ("code", "defaults", "closure")]
        )

    def refuse_typespec(self, inner: Any) -> Any:
        raise TypeError(
            f"The config holds a TensorFlow type specification ({inner}), which exists only in TensorFlow. "
            "Save the model with `keras.KerasTensor` or `keras.Input` in its place."
        )


_SPECIAL = {
    "__keras_tensor__": _Reader.read_tensor_spec,
    "__tensor__": _Reader.read_tensor,
    "__numpy__": _Reader.read_numpy,
    "__bytes__": lambda reader, inner: inner["value"].encode("utf-8"),
    "__ellipsis__": lambda reader, inner: Ellipsis,
    "__slice__": _Reader.read_slice,
    "__lambda__": _Reader.read_lambda,
    "__typespec__": _Reader.refuse_typespec,
}


def _from_config(cls: type, inner: dict[str, Any], config: dict[str, Any]) -> Any:
    try:
        return cls.from_config(dict(inner))
    except UnknownObjectError:
        raise
    except TypeError as error:
        raise TypeError(
            f"{cls} could not be deserialized properly. Please ensure that components that are Python object "
            "instances (layers, models, etc.) returned by `get_config()` are explicitly deserialized in the model's "
            f"`from_config()` method.\n\nconfig={config}.\n\nException encountered: {error}"
        ) from error


bind("deserialize", deserialize_keras_object)
