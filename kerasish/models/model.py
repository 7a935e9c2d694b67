"""Model: layers joined for training, saving and inspection."""

from __future__ import annotations

import inspect

from kerasish.core import scopes
from kerasish.core.nest import map_shapes
from kerasish.core.operation import trace_shapes
from kerasish.core.symbolic import KerasTensor
from kerasish.layers.calling import signature_of
from kerasish.layers.layer import Layer
from kerasish.layers.tracking import is_metric
from kerasish.models.execution import report
from kerasish.models.step_replays import StepReplays
from kerasish.models.summary import print_summary
from kerasish.saving import keras_file, weights_h5
from kerasish.training.trainer import Trainer


class Model(Trainer, Layer):
    """Layers joined into something that can be trained and saved.

    There are three ways to make one: `Model(inputs, outputs)` from symbolic tensors, a `Sequential`, or a subclass that
    makes its layers in `__init__` and uses them in `call`.

    Args:
        inputs: KerasTensors in any structure (functional models).
        outputs: likewise.
        name: made up if None.

    Example:
        >>> x = keras.Input(shape=(28, 28, 1))
        >>> y = keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(x))
        >>> model = keras.Model(x, y)
    """

    _computes = False

    def __new__(cls, *args, **kwargs):
        if cls is Model and _is_functional(args, kwargs):
            from kerasish.models.functional import Functional

            return Functional.__new__(Functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args, **kwargs):
        from kerasish.models import functional

        if _is_functional(args, kwargs) and not isinstance(self, functional.Functional):
            functional.adopt(type(self))
            functional.Functional.__init__(self, *args, **kwargs)
            return
        Layer.__init__(self, *args, **kwargs)
        Trainer.__init__(self)

    def call(self, *args, **kwargs):
        """The computation, on tensors."""
        raise NotImplementedError(f"Model {type(self).__name__} does not have a `call()` method implemented.")

    @property
    def _graph(self):
        """The `Functional` along which the model runs, itself perhaps; None if it has a `call` of its own."""
        return None

    def _step_recorder(self):
        return StepReplays(self)

    @property
    def layers(self) -> list:
        """The layers directly inside."""
        return [x for x in self._flatten_layers(include_self=False, recursive=False) if not is_metric(x)]

    @layers.setter
    def layers(self, _):
        raise AttributeError("`Model.layers` attribute is reserved and should not be used. Please use another name.")

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its number.

        Raises:
            ValueError: if there is none, or both or neither are given.
        """
        if index is not None and name is not None:
            raise ValueError(f"Provide only a layer name or a layer index. Received: index={index}, name={name}.")
        if index is not None:
            if len(self.layers) <= index:
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(self.layers)} layers."
                )
            return self.layers[index]
        if name is None:
            raise ValueError("Provide either a layer name or layer index at `get_layer`.")
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in self.layers]}.")

    def summary(
        self,
        line_length=None,
        positions=None,
        print_fn=None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range=None,
    ) -> None:
        """Print the layers with their output shapes and parameter counts.

        Args:
            line_length: width of the table; by default it fits the terminal.
            positions: where the columns end.
            print_fn: called with the text instead of printing it.
            expand_nested: whether to list the layers of nested models.
            show_trainable: whether to say which layers are trained.
            layer_range: names of the first and the last layer to show.
        """
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def execution_report(self):
        """How the model's passes are run: which layers became one kernel, what is replayed, why something is not.

        It is kerasish's own; Keras has no such method. However passes are run, results differ by rounding at most.
        `KERASISH_DEBUG=1` in the environment tells of each change when it comes.

        Returns:
            An `Execution`: `print(model.execution_report())`, or its `inference` and `training`.

        Example:
            >>> model.fit(x, y)
            >>> print(model.execution_report())
        """
        return report(self)

    def build_from_config(self, config) -> None:
        """Build from what `get_build_config` gave."""
        if not config:
            return
        if "input_shape" in config and type(self)._build_is_default:
            _build_by_running(self, config["input_shape"])
        else:
            super().build_from_config(config)

    def build(self, input_shape=None):
        """Make the weights, by running `call` on shapes.

        Args:
            input_shape: shape with the batch axis, or a structure of them for several inputs.
        """
        if input_shape is not None and not self.built:
            _build_by_running(self, input_shape)
        self.built = True

    def _post_build(self):
        """Models may be changed after they are built."""

    def save(self, filepath, overwrite: bool = True, zipped: bool | None = None, **kwargs) -> None:
        """Save the whole model as a `.keras` (or legacy `.h5`) file.

        Args:
            filepath: where to.
            overwrite: whether an existing file may be replaced without asking.
            zipped: whether a `.keras` file is one zip archive.
        """
        options = kwargs if zipped is None else {"zipped": zipped, **kwargs}
        keras_file.save_model(self, filepath, overwrite=overwrite, **options)

    def save_weights(self, filepath, overwrite: bool = True, max_shard_size=None) -> None:
        """Save the weights as a `.weights.h5` file, in Keras's layout."""
        weights_h5.save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(self, filepath, skip_mismatch: bool = False, **kwargs):
        """Load weights from a `.weights.h5`, `.keras` or legacy `.h5` file."""
        return weights_h5.load_weights(self, filepath, skip_mismatch, **kwargs)

    def to_json(self, **kwargs) -> str:
        """The architecture as JSON."""
        return keras_file.model_to_json(self, **kwargs)

    def export(self, filepath, format="tf_saved_model", **kwargs):
        """Raises: exporting to other runtimes is not supported yet."""
        raise NotImplementedError(
            f"model '{self.name}': export(format={format!r}) is not supported by kerasish yet; save it as '.keras' and "
            "export from Keras"
        )

    def __reduce__(self):
        return keras_file.reduce_model(self)

    def __deepcopy__(self, memo):
        function, arguments = self.__reduce__()
        return function(*arguments)

    @property
    def _call_has_training_arg(self) -> bool:
        return signature_of(type(self).call).has_training

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """A model made again from its config."""
        from kerasish.models.functional import Functional, functional_from_config

        functional = {"name", "layers", "input_layers", "output_layers"} <= set(config)
        takes_anything = (
            cls is Model or issubclass(cls, Functional) or "inputs" in inspect.signature(cls.__init__).parameters
        )
        if functional and takes_anything:
            return functional_from_config(cls, config, custom_objects)
        return cls(**config)


def _is_functional(args, kwargs) -> bool:
    """Whether a Model's arguments are those of a functional one."""
    return len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or {"inputs", "outputs"} <= kwargs.keys()


def _build_by_running(model, input_shape):
    """Run `call` on shapes, so that the layers inside build themselves."""
    with scopes.name_scope(model.name, caller=model):
        specs = map_shapes(lambda s: KerasTensor(s, model.compute_dtype), input_shape)
        model._build_shapes = {"input_shape": map_shapes(tuple, input_shape)}
        try:
            trace_shapes(model.call, specs)
        except NotImplementedError:
            raise
        except Exception as error:
            raise ValueError(
                f"Model '{model.name}' could not be built by running its `call` on shapes ({type(error).__name__}: "
                f"{error}). Call it on real data instead, or give it a `build` method."
            ) from error
