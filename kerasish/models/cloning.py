"""clone_model: the same architecture with fresh weights."""

from __future__ import annotations

from kerasish.core import nest
from kerasish.core.function import Function
from kerasish.core.symbolic import KerasTensor
from kerasish.layers.input_layer import Input, InputLayer
from kerasish.models.functional import Functional, passes_graph
from kerasish.models.inputs import is_optional
from kerasish.models.sequential import Sequential
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


def clone_model(model, input_tensors=None, clone_function=None, call_function=None, recursive: bool = False, **kwargs):
    """A model of the same architecture with new layers and new weights.

    Args:
        model: a Sequential or functional model, or any model with a config.
        input_tensors: KerasTensors to start from instead of new inputs.
        clone_function: `clone_function(layer)` gives the copy of a layer; by default it is made from its config.
        call_function: `call_function(layer, *args, **kwargs)` calls a copy; by default it is just called.
        recursive: whether nested models are cloned layer by layer too.

    Returns:
        The new model, compiled as the old one is.

    Raises:
        ValueError: for unknown arguments, those that the kind of model does not take, or tensors that do not fit.
    """
    cache = kwargs.pop("cache", {})
    if kwargs:
        raise ValueError(f"Unexpected keyword argument(s): {tuple(kwargs)}")
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError(
                "`call_function` argument is not supported with Sequential models, whose layers are not called one by "
                f"one; use it with Functional models. Received: call_function={call_function}"
            )
        return _clone_sequential(model, input_tensors, _once(clone_function or _remade, None, recursive, cache))
    if isinstance(model, Functional):
        plain = type(model).get_config is Functional.get_config and (
            type(model).__init__ is Functional.__init__ or passes_graph(type(model))
        )
        if plain or clone_function or input_tensors:
            clone = _once(clone_function or _remade, call_function, recursive, cache)
            return _clone_functional(model, input_tensors, clone, call_function)
    if clone_function or input_tensors:
        raise ValueError(
            "Arguments `clone_function` and `input_tensors` are only supported for Sequential models or Functional "
            f"models. Received model of type '{type(model).__name__}', with clone_function={clone_function} and "
            f"input_tensors={input_tensors}"
        )
    if call_function is not None:
        raise ValueError(
            "Argument `call_function` is only supported for Functional models. Received model of type "
            f"'{type(model).__name__}', with call_function={call_function}"
        )
    return deserialize_keras_object(serialize_keras_object(model), {type(model).__name__: type(model)})


def _remade(layer):
    return type(layer).from_config(layer.get_config())


def _once(copy, call_function, recursive, cache):
    """What copies a layer, once however often it is used."""

    def clone(layer):
        if id(layer) not in cache:
            nested = recursive and isinstance(layer, (Sequential, Functional))
            calls = None if isinstance(layer, Sequential) else call_function
            cache[id(layer)] = (
                clone_model(layer, None, copy, calls, recursive=True, cache=cache) if nested else copy(layer)
            )
        return cache[id(layer)]

    return clone


def _clone_sequential(model, input_tensors, clone):
    layers = [clone(layer) for layer in model.layers]
    first = model._sequence[0] if model._sequence and isinstance(model._sequence[0], InputLayer) else None
    if input_tensors is not None:
        given = input_tensors if isinstance(input_tensors, (list, tuple)) else [input_tensors]
        if len(given) != 1:
            raise ValueError(f"Argument `input_tensors` must contain a single tensor. Received: {input_tensors}")
        if not isinstance(given[0], KerasTensor):
            raise ValueError(f"Argument `input_tensors` must be a KerasTensor. Received: input_tensors={input_tensors}")
        layers.insert(0, Input(tensor=given[0], name=first.name if first else None))
    elif first is not None:
        options = {"dtype": first.dtype, "name": first.name, "optional": first.optional}
        layers.insert(0, Input(batch_shape=first.batch_shape, **options))
    return _compiled_like(model, Sequential(layers, name=model.name, trainable=model.trainable))


def _clone_functional(model, input_tensors, clone, call_function):
    def call(operation, args, kwargs):
        copied = clone(operation)
        return call_function(copied, *args, **kwargs) if call_function else copied(*args, **kwargs)

    if input_tensors is None:
        inputs = nest.map_structure(
            lambda x: Input(batch_shape=x.shape, dtype=x.dtype, name=x.name, optional=is_optional(x)),
            model._inputs_struct,
        )
    else:
        inputs = _checked(input_tensors, model._inputs_struct)
    outputs = Function.run(model, nest.flatten(inputs), call)
    cls = type(model) if passes_graph(type(model)) else Functional
    return _compiled_like(model, cls(inputs, outputs, name=model.name))


def _checked(given, structure):
    """Tensors to start from, if they are as many and as nested as the model's inputs."""
    if bad := [x for x in nest.flatten(given) if not isinstance(x, KerasTensor)]:
        raise ValueError(f"All entries in `input_tensors` must be KerasTensors. Received invalid values: {bad}")
    if not nest.same_structure(given, structure):
        raise ValueError(
            "`input_tensors` must have the same structure as model.input\n"
            f"Reference structure: {structure}\nReceived structure: {given}"
        )
    return given


def _compiled_like(model, copy):
    if model.compiled:
        copy.compile_from_config(model.get_compile_config())
    return copy
