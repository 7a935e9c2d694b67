"""Sequential: layers one after the other."""

from __future__ import annotations

from kerasish import dtype_policies
from kerasish.core import nest, scopes
from kerasish.core.nest import is_shape
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import convert_to_tensor
from kerasish.layers.building import shape_of
from kerasish.layers.calling import masks_of, signature_of
from kerasish.layers.input_layer import InputLayer
from kerasish.layers.layer import Layer
from kerasish.models.functional import Functional
from kerasish.models.model import Model
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.training.trainer import Trainer


class Sequential(Model):
    """Layers one after the other.

    Args:
        layers: the layers; an `Input` first, or `input_shape=` on the first one, builds the model at once.
        trainable: whether the weights are trained.
        name: made up if None.

    Example:
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    """

    def __new__(cls, *args, **kwargs):
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, layers=None, trainable: bool = True, name: str | None = None):
        Layer.__init__(self, trainable=trainable, name=name)
        Trainer.__init__(self)
        self._functional = None
        self._sequence: list[Layer] = []
        for layer in layers or []:
            self.add(layer, rebuild=False)
        self._maybe_rebuild()

    def _untracked_names(self):
        return super()._untracked_names() | {"_functional"}

    @property
    def _graph(self):
        return self._functional

    def add(self, layer, rebuild: bool = True) -> None:
        """Append a layer.

        Raises:
            ValueError: if it is no layer, or its name is taken.
        """
        if not self._sequence:
            shape = getattr(layer, "_input_shape_arg", None)
            if shape is not None and not isinstance(layer, InputLayer):
                self.add(InputLayer(shape=shape), rebuild=False)
        if isinstance(layer, KerasTensor) and isinstance(layer._keras_history.operation, InputLayer):
            layer = layer._keras_history.operation
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Only instances of `keras.Layer` can be added to a Sequential model. Received: {layer} "
                f"(of type {type(layer)})"
            )
        if any(layer.name == other.name and layer is not other for other in self._sequence):
            raise ValueError(
                f"All layers added to a Sequential model should have unique names. Name '{layer.name}' is already the "
                "name of a layer in this model. Update the `name` argument to pass a unique name."
            )
        if isinstance(layer, InputLayer) and self._sequence:
            first = self._sequence[0]
            if isinstance(first, InputLayer):
                raise ValueError(
                    f"Sequential model '{self.name}' has already been configured to use input shape "
                    f"{first.batch_shape}. You cannot add a different Input layer to it."
                )
            self._sequence.insert(0, layer)
        else:
            self._sequence.append(layer)
        if rebuild:
            self._maybe_rebuild()
        else:
            self.built, self._functional = False, None

    def pop(self, rebuild: bool = True):
        """Remove the last layer, and return it."""
        layer = self._sequence.pop()
        self.built, self._functional = False, None
        if rebuild:
            self._maybe_rebuild()
        return layer

    def _maybe_rebuild(self):
        self.built, self._functional = False, None
        if len(self._sequence) < 2:
            return
        first = self._sequence[0]
        if isinstance(first, InputLayer):
            self.build(first.batch_shape)
        elif isinstance(first, (Functional, Sequential)) and first.built and hasattr(first, "input_shape"):
            self.build(first.input_shape)

    def build(self, input_shape=None):
        """Build the layers for an input shape with the batch axis.

        Raises:
            ValueError: if there are no layers, the model was made for another shape, or a layer takes more than its
                input.
        """
        if not self._sequence:
            raise ValueError(
                f"Sequential model {self.name} cannot be built because it has no layers. Call `model.add(layer)`."
            )
        if not is_shape(input_shape):
            return  # several inputs: the model runs layer by layer
        if isinstance(self._sequence[0], InputLayer):
            expected = self._sequence[0].batch_shape
            if expected != tuple(input_shape):
                raise ValueError(
                    f"Sequential model '{self.name}' has already been configured to use input shape {expected}. You "
                    f"cannot build it with input_shape {tuple(input_shape)}"
                )
        else:
            dtype = self._sequence[0].compute_dtype
            self._sequence.insert(0, InputLayer(batch_shape=tuple(input_shape), dtype=dtype))
        inputs = x = self._sequence[0].output
        for layer in self._sequence[1:]:
            try:
                with scopes.graph_scope():
                    x = layer(x)
            except NotImplementedError:
                return  # a layer whose shapes cannot be told: the model runs layer by layer
            except TypeError as error:
                if signature_of(type(layer).call).required == 1:
                    raise
                raise ValueError(
                    "Layers added to a Sequential model can only have a single required positional argument, the input "
                    f"tensor. Layer {type(layer).__name__} '{layer.name}': {error}"
                ) from error
        self._functional = Functional(inputs=inputs, outputs=x)
        self._functional.name = self.name  # so that messages speak of the model that the user made
        self._build_shapes = {"input_shape": tuple(input_shape)}
        self.built = True

    def _maybe_build(self, arguments):
        if not self.built:
            with self._open_name_scope():
                self.build(nest.map_structure(shape_of, arguments["inputs"]))
            self.built = True

    def _allows(self, x) -> bool:
        return isinstance(x, (int, float, list, tuple))

    def __call__(self, inputs, training=None, mask=None, **kwargs):
        kwargs = {
            **kwargs,
            **({} if training is None else {"training": training}),
            **({} if mask is None else {"mask": mask}),
        }
        if isinstance(inputs, (list, tuple)) and not any(hasattr(v, "shape") for v in inputs):
            inputs = convert_to_tensor(inputs)
        return Layer.__call__(self, inputs, **kwargs)

    def call(self, inputs, training=None, mask=None):
        """Run the layers one after the other."""
        if self._functional is not None:
            return self._functional.call(inputs, training=training, mask=mask)
        for layer in self.layers:
            signature = signature_of(type(layer).call)
            given = {"training": training} if signature.has_training and training is not None else {}
            if signature.has_mask and mask is not None:
                given["mask"] = mask
            inputs = layer(inputs, **given)
            mask = masks_of(inputs)
        return inputs

    def compute_output_spec(self, inputs, training=None, mask=None):
        if self._functional is not None:
            return self._functional.compute_output_spec(inputs, training=training, mask=mask)
        with scopes.shape_scope():
            return self.call(inputs)

    def compute_output_shape(self, input_shape):
        """The output's shape for an input's."""
        if self._functional is not None:
            return self._functional.compute_output_shape(input_shape)
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    @property
    def layers(self) -> list:
        """The layers, without the input."""
        found = list(self._sequence)
        return found[1:] if found and isinstance(found[0], InputLayer) else found

    @layers.setter
    def layers(self, _):
        raise AttributeError(
            "`Sequential.layers` attribute is reserved and should not be used. Use `add()` and `pop()` to change the "
            "layers in this model."
        )

    @property
    def _operations(self):
        return self._sequence

    def _built_graph(self, what: str):
        if self._functional is None:
            raise AttributeError(f"Sequential model '{self.name}' has no defined {what} yet.")
        return self._functional

    @property
    def inputs(self):
        return self._built_graph("inputs").inputs

    @property
    def outputs(self):
        return self._built_graph("outputs").outputs

    @property
    def input(self):
        return self._built_graph("input").input

    @property
    def output(self):
        return self._built_graph("output").output

    @property
    def input_shape(self):
        return self._built_graph("input shape").input_shape

    @property
    def output_shape(self):
        return self._built_graph("output shape").output_shape

    @property
    def input_names(self):
        return self._built_graph("input").input_names

    @property
    def output_names(self):
        return self._built_graph("output").output_names

    @property
    def input_dtype(self):
        return self._sequence[0].input_dtype if self._sequence else super().input_dtype

    def get_config(self) -> dict:
        config = {"name": self.name, "trainable": self.trainable, "dtype": dtype_policies.serialize(self._dtype_policy)}
        config["layers"] = [serialize_keras_object(layer) for layer in self._sequence]
        if self._functional is not None:
            config["build_input_shape"] = self._sequence[0].batch_shape
        return config

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """A model made again from its config."""
        if "name" not in config or not isinstance(config.get("layers"), (list, tuple)):
            raise ValueError(
                "A Sequential model configuration must be a dictionary containing the 'name' and 'layers' keys. "
                f"Received: config={config}"
            )
        model = cls(name=config["name"])
        for item in config["layers"]:
            if not isinstance(item, dict) or "config" not in item:
                raise ValueError(
                    "The provided configuration is not a valid Keras configuration. Expected a dictionary containing "
                    f"a 'config' key. Received: config={item}"
                )
            model.add(deserialize_keras_object(item, custom_objects=custom_objects), rebuild=False)
        shape = config.get("build_input_shape")
        model._maybe_rebuild()
        if not model._functional and shape and is_shape(shape):
            model.build(tuple(shape))
        return model
