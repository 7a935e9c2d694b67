"""Layers that hand their input on: as it is, to a function, to another layer, or with a mask."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from kerasish import ops, saving
from kerasish.core import nest
from kerasish.core.nest import map_shapes
from kerasish.core.symbolic import KerasTensor
from kerasish.layers import arguments, calling
from kerasish.layers.activation import ElementwiseLayer
from kerasish.layers.layer import Layer
from kerasish.saving import lambdas


class Identity(ElementwiseLayer):
    """Returns its input, which may be any structure of tensors."""

    def call(self, inputs):
        return inputs

    def compute_output_spec(self, inputs):
        return nest.map_structure(lambda x: KerasTensor(x.shape, calling.dtype_seen(self, x.dtype)), inputs)


class Masking(ElementwiseLayer):
    """Marks the steps whose features all equal `mask_value`, so that the layers that follow leave them out.

    Args:
        mask_value: the number that means "nothing here".

    The marked steps themselves become 0.

    Example:

    >>> keras.layers.Masking().compute_mask(np.array([[[0.0, 0.0], [1.0, 0.0]]]))
    [[False, True]]
    """

    _role = "mask"

    def __init__(self, mask_value: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def compute_mask(self, inputs, mask=None):
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs):
        kept = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.where(kept, inputs, 0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "mask_value")}


class Lambda(Layer):
    """A function as a layer.

    Args:
        function: takes the inputs, then `arguments` by name; `mask` and `training` too if it has such arguments.
        output_shape: the output's shape without the batch axis (several in a list or dict for several outputs), or a
            function of the input's shape. By default it is found by running the function on shapes.
        mask: the output's mask, or a function `(inputs, mask)` that returns it.
        arguments: further arguments of the function, by name.

    A named function registered with `keras.saving.register_keras_serializable` can be saved and loaded anywhere; a
    Python `lambda` is saved as bytecode, which is loaded only with `safe_mode=False`.

    Example:

    >>> keras.layers.Lambda(lambda x: x**2)(np.array([1.0, 2.0]))
    [1.0, 4.0]
    """

    def __init__(
        self,
        function: Callable,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not callable(function):
            raise self._invalid(f"function={function!r}, expected a function of the inputs", TypeError)
        self.function = function
        self.arguments = arguments or {}
        self.mask = mask
        self.supports_masking = mask is not None
        self._output_shape = output_shape
        self._accepted = set(inspect.signature(function).parameters)

    def _invalid(self, message, error=ValueError):
        return arguments.invalid(self, message, error)

    def call(self, inputs, mask=None, training=None):
        offered = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{k: v for k, v in offered.items() if k in self._accepted})

    def compute_output_shape(self, input_shape):
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        if self._output_shape is not None:
            batch = nest.flatten(input_shape)[0]
            return map_shapes(lambda shape: (batch, *shape), self._output_shape)
        try:
            return super().compute_output_shape(input_shape)
        except Exception as error:
            message = "the shape of the output could not be found by running the function on shapes"
            raise self._invalid(
                f"{message} ({type(error).__name__}: {error}); give `output_shape`", NotImplementedError
            ) from error

    def compute_mask(self, inputs, mask=None):
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "function": self._serialize(self.function)}
        if self._output_shape is not None:
            config["output_shape"] = self._serialize(self._output_shape)
        if self.mask is not None:
            config["mask"] = self._serialize(self.mask)
        config["arguments"] = saving.serialize_keras_object(self.arguments)
        return config

    def _serialize(self, value):
        if inspect.isfunction(value) and value.__name__ == "<lambda>":
            code, defaults, closure = lambdas.dump_function(value)
            return {"class_name": "__lambda__", "config": {"code": code, "defaults": defaults, "closure": closure}}
        return saving.serialize_keras_object(value) if callable(value) else value

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None, safe_mode: bool | None = None):
        """A Lambda layer made again from its configuration.

        Args:
            config: what `get_config` returned.
            custom_objects: functions by name, for those that are not registered.
            safe_mode: False to load functions that were saved as bytecode, which can do anything.

        Raises:
            ValueError: if a function was saved as bytecode, and `safe_mode` is not False.
        """
        config = dict(config)
        for name in ("function", "output_shape", "mask"):
            if isinstance(config.get(name), dict):
                config[name] = _load(config[name], custom_objects, safe_mode)
        if isinstance(config.get("output_shape"), list):
            config["output_shape"] = tuple(config["output_shape"])
        config["arguments"] = saving.deserialize_keras_object(config.get("arguments") or {}, custom_objects)
        return cls(**config)


def _load(config, custom_objects, safe_mode):
    """A function from its configuration."""
    if config.get("class_name") == "__lambda__":
        lambdas.refuse_lambda("a `Lambda` layer whose `function` is a Python lambda", safe_mode)
        inner = config["config"]
        return lambdas.load_function(inner["code"], inner["defaults"], inner["closure"])
    return saving.deserialize_keras_object(config, custom_objects)


class Wrapper(Layer):
    """Base of layers that hold another layer.

    Args:
        layer: the layer to hold, as `self.layer`.

    Raises:
        ValueError: if `layer` is not a layer.
    """

    def __init__(self, layer: Layer, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            message = f"Layer {layer} supplied to Wrapper isn't a supported layer type."
            raise arguments.invalid(self, f"{message} Please ensure wrapped layer is a valid Keras layer.")
        self.layer = layer

    def build(self, input_shape=None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layer": saving.serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None):
        config = dict(config)
        layer = saving.deserialize_keras_object(config.pop("layer"), custom_objects)
        return cls(layer, **config)
