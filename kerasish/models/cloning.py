"""clone_model: the same architecture with fresh weights."""

from __future__ import annotations

from kerasish.core import nest
from kerasish.core.symbolic import Function
from kerasish.layers.input_layer import Input, InputLayer
from kerasish.models.functional import Functional
from kerasish.models.sequential import Sequential


def clone_model(model, input_tensors=None, clone_function=None, call_function=None, recursive: bool = False, **kwargs):
    """A model of the same architecture with new layers and new weights.

    Args:
        model: a Sequential or functional model, or any model with a config.
        input_tensors: KerasTensors to start from instead of new inputs.
        clone_function: `clone_function(layer)` gives the copy of a layer; by default it is made from its config.
        call_function: `call_function(layer, *args, **kwargs)` calls a copy; by default it is just called.
        recursive: whether nested models are cloned layer by layer too.

    Returns:
        The new model.

    Raises:
        ValueError: for unknown arguments.
    """
    if kwargs:
        raise ValueError(f"Unexpected keyword argument(s): {tuple(kwargs)}")
    copy = clone_function or (lambda layer: type(layer).from_config(layer.get_config()))

    def clone(layer):
        if recursive and isinstance(layer, (Sequential, Functional)):
            return clone_model(layer, clone_function=clone_function, call_function=call_function, recursive=True)
        return copy(layer)

    if isinstance(model, Sequential):
        return _clone_sequential(model, input_tensors, clone)
    if isinstance(model, Functional):
        return _clone_functional(model, input_tensors, clone, call_function)
    return type(model).from_config(model.get_config())


def _clone_sequential(model, input_tensors, clone):
    layers = [clone(layer) for layer in model.layers]
    if input_tensors is not None:
        given = nest.flatten(input_tensors)
        if len(given) != 1:
            raise ValueError(f"Argument `input_tensors` must contain a single tensor. Received: {input_tensors}")
        layers.insert(0, given[0])
    elif model._sequence and isinstance(model._sequence[0], InputLayer):
        first = model._sequence[0]
        layers.insert(0, Input(batch_shape=first.batch_shape, dtype=first.dtype, name=first.name))
    return Sequential(layers, name=model.name, trainable=model.trainable)


def _clone_functional(model, input_tensors, clone, call_function):
    copies: dict = {}

    def call(operation, args, kwargs):
        if operation not in copies:
            copies[operation] = clone(operation) if not isinstance(operation, InputLayer) else operation
        copied = copies[operation]
        return call_function(copied, *args, **kwargs) if call_function else copied(*args, **kwargs)

    if input_tensors is None:
        inputs = nest.map_structure(
            lambda x: Input(batch_shape=x.shape, dtype=x.dtype, name=x._keras_history.operation.name),
            model._inputs_struct,
        )
    else:
        inputs = nest.pack_as(model._inputs_struct, nest.flatten(input_tensors))
    outputs = Function.run(model, nest.flatten(inputs), call)
    return Functional(inputs, outputs, name=model.name)
