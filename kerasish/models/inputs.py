"""The values for the inputs of a functional model, out of what it was called with."""

from __future__ import annotations

import warnings

import optree

from kerasish.core import dtypes, nest
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor, as_array, as_own_array
from kerasish.core.variable import Variable
from kerasish.layers import calling
from kerasish.layers.input_spec import InputSpec
from kerasish.ops.shaping import expand_dims, squeeze
from kerasish.ops.table import cast


def input_name(x: KerasTensor) -> str:
    """The name of the input layer behind an input of a graph."""
    return x._keras_history.operation.name


def is_optional(x: KerasTensor) -> bool:
    """Whether None may stand for an input of a graph."""
    return getattr(x._keras_history.operation, "optional", False)


def specs_of(structure, inputs: list[KerasTensor]) -> list[InputSpec] | None:
    """What a graph expects of its inputs, the batch axis open; None where they are nested in a dict.

    Args:
        structure: the inputs as they were given.
        inputs: the same, flat.
    """
    names = [input_name(x) for x in inputs]
    if isinstance(structure, dict):
        if not all(isinstance(x, KerasTensor) for x in structure.values()):
            return None
        names = sorted(structure)
    return [
        InputSpec(
            shape=(None, *x.shape[1:])[: len(x.shape)], allow_last_axis_squeeze=True, name=name, optional=is_optional(x)
        )
        for x, name in zip(inputs, names)
    ]


def is_numbers(x) -> bool:
    """Whether x is a list of plain numbers, or of such lists."""
    return all(isinstance(v, (int, float)) for v in nest.flatten(x))


def read_inputs(model, inputs, symbolic: bool = False) -> list:
    """The values for the model's inputs, None for optional ones that are missing.

    Raises:
        ValueError: if there are not as many as the graph has inputs, one that is needed is None, or has another rank.
    """
    found = []
    for number, (x, expected) in enumerate(zip(_in_order(model, inputs, symbolic), model._inputs)):
        if x is None:
            if not is_optional(expected):
                raise ValueError(
                    f"model '{model.name}': the input '{input_name(expected)}' is not optional, but None was passed. "
                    "Please provide a valid tensor."
                )
            found.append(None)
            continue
        x = _converted(x, expected)
        found.append(x if len(x.shape) == len(expected.shape) else _ranked(model, x, number))
    return found


def _converted(x, expected):
    x = calling.convert(x, None)
    if isinstance(x, Variable):
        x = x.value
    elif not isinstance(x, (KerasTensor, Tensor)):
        x = Tensor(as_own_array(x))
    return cast(x, expected.dtype) if isinstance(x, Tensor) and dtypes.name_of(x.value) != expected.dtype else x


def _ranked(model, x, number):
    """x with the rank of the input: an axis of length 1 is added or dropped at the end, as Keras does."""
    expected = model._inputs[number]
    shape, wanted = tuple(x.shape), tuple(expected.shape)
    if len(shape) == len(wanted) + 1 and shape[-1] == 1:
        return squeeze(x, -1)
    if len(shape) == len(wanted) - 1 and wanted[-1] == 1:
        return expand_dims(x, -1)
    raise ValueError(
        f"model '{model.name}': invalid input shape for the input with name '{input_name(expected)}' and path "
        f"'{nest.path_of(model._inputs_struct, number)}'. Expected shape {wanted}, but input has incompatible shape "
        f"{shape}"
    )


def _in_order(model, inputs, symbolic):
    """The values in the order of the graph's inputs."""
    ends, structure = model._inputs, model._inputs_struct
    if type(inputs) is Tensor and len(ends) == 1:
        return [inputs]
    if isinstance(inputs, dict):
        if not isinstance(structure, dict):
            return _by_name(model, inputs)
        if all(isinstance(x, KerasTensor) for x in structure.values()):
            return _by_key(model, inputs, symbolic)
    elif isinstance(structure, dict) and list(structure) != sorted(structure):
        raise ValueError(_mismatch(model, inputs))
    flat = nest.flatten(inputs)
    if len(ends) == 1 and isinstance(inputs, (list, tuple)) and is_numbers(inputs):
        return [as_array(inputs)]
    if len(flat) != len(ends):
        raise ValueError(
            f"Layer '{model.name}' expects {len(ends)} input(s) ({', '.join(map(input_name, ends))}), but it received "
            f"{len(flat)}: shapes {[tuple(getattr(x, 'shape', ())) for x in flat]}"
        )
    if not symbolic and not _alike(inputs, structure):
        warnings.warn(_mismatch(model, inputs), stacklevel=7)
    return flat


def _by_name(model, inputs: dict) -> list:
    """The values of a dict, by the names of a graph's inputs that are in no dict themselves."""
    names = [x.name if x.name in inputs else input_name(x) for x in model._inputs]
    missing = [n for n, x in zip(names, model._inputs) if n not in inputs and not is_optional(x)]
    if missing:
        raise ValueError(f"{_mismatch(model, inputs)}\nMissing: {missing}")
    return [inputs.get(n) for n in names]


def _by_key(model, inputs: dict, symbolic) -> list:
    """The values of a dict, by the keys of the dict that the graph was made with."""
    keys = sorted(model._inputs_struct)
    missing = [k for k, x in zip(keys, model._inputs) if k not in inputs and not is_optional(x)]
    if missing:
        raise ValueError(
            f'Missing data for input "{missing[0]}". You passed a data dictionary with keys {list(inputs)}. '
            f"Expected the following keys: {keys}"
        )
    if not symbolic and not inputs.keys() <= set(keys):
        warnings.warn(_mismatch(model, inputs), stacklevel=8)
    return [inputs.get(k) for k in keys]


def _alike(inputs, structure) -> bool:
    """Whether both have the same structure, lists and tuples being the same thing."""
    sequences = (list, tuple)
    if type(inputs) in sequences and type(structure) in sequences:
        if len(inputs) == len(structure) and all(map(_is_leaf, inputs)) and all(map(_is_leaf, structure)):
            return True
        return len(inputs) == len(structure) and all(map(_alike, inputs, structure))
    if isinstance(inputs, dict) and isinstance(structure, dict):
        return inputs.keys() == structure.keys() and all(_alike(inputs[k], structure[k]) for k in inputs)
    if type(structure) in sequences and len(structure) == 1 and _is_leaf(inputs):
        return True
    return _is_leaf(inputs) and _is_leaf(structure)


def _is_leaf(x) -> bool:
    return optree.tree_is_leaf(x, none_is_leaf=True)


def _mismatch(model, inputs) -> str:
    expected = nest.map_structure(lambda x: x.name, model._inputs_struct)
    received = nest.map_structure(lambda x: f"Tensor(shape={tuple(getattr(x, 'shape', ()))})", inputs)
    return (
        f"The structure of `inputs` doesn't match the expected structure.\nExpected: {expected}\n"
        f"Received: inputs={received}"
    )
