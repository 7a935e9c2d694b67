"""What a layer is built from: the shapes of the tensors in a call, by the names that `build` gives them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable

from kerasish.core import scopes
from kerasish.core.nest import map_shapes
from kerasish.core.operation import PROBES
from kerasish.core.whole import all_or_nothing


def wrapped_build(build: Callable) -> Callable:
    """A `build` that opens the layer's name scope, notes the shapes and locks the state afterwards: all or nothing."""

    @functools.wraps(build)
    def wrapped(self, *args, **kwargs):
        if self.__dict__.get("_building"):
            with self._open_name_scope():
                return build(self, *args, **kwargs)
        with all_or_nothing(self):
            self.__dict__["_building"] = True
            with self._open_name_scope():
                build(self, *args, **kwargs)
            self.__dict__["_building"] = False
            self._build_shapes = known_shapes(dict(zip(parameter_names(build), args)) | kwargs)
            self.built = True
            self._post_build()

    return wrapped


@functools.cache
def parameter_names(function: Callable) -> tuple[str, ...]:
    """The names of an unbound method's parameters, without `self`."""
    kinds = inspect.Parameter
    named = (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
    return tuple(p.name for p in list(inspect.signature(function).parameters.values())[1:] if p.kind in named)


def first_of(names: tuple[str, ...], tensor_shapes: dict) -> dict:
    """The shape of a call's first tensor, by the only name that there is."""
    return {names[0]: next(iter(tensor_shapes.values()), None)} if names else {}


def by_parameter(layer, method: str, tensor_shapes: dict, call) -> dict:
    """Shapes of a call's tensors, by the names that the layer's `build` or `compute_output_shape` takes.

    Args:
        layer: the layer.
        method: the name of the method.
        tensor_shapes: shapes by the names of the arguments of `call`.
        call: the signature of `call`.

    Raises:
        ValueError: for one of several names that is no argument of `call` with `_shape` behind it.
    """
    names = parameter_names(getattr(type(layer), method))
    if len(names) < 2:
        return first_of(names, tensor_shapes)
    rule = (
        f"layer '{layer.name}' ({type(layer).__name__}): where `{method}()` has several arguments, each is called like "
        f"an argument of `call()` with `_shape` behind it, such as `{method}(self, foo_shape, bar_shape)`."
    )
    for name in names:
        argument = name.removesuffix("_shape")
        if argument == name:
            raise ValueError(f"{rule} Received `{method}()` argument `{name}`, which does not end in `_shape`.")
        if not call.takes(argument):
            raise ValueError(
                f"{rule} Received `{method}()` argument `{name}`, but `call()` does not have argument `{argument}`."
            )
    return {f"{k}_shape": s for k, s in tensor_shapes.items() if f"{k}_shape" in names}


def known_shapes(given: dict) -> dict:
    """The shapes that are not None, as tuples."""
    return {k: as_tuples(v) for k, v in given.items() if v is not None}


def shape_of(x) -> tuple | None:
    """A tensor's shape, the batch axis open where only shapes are worked out; None if x has no shape."""
    if x is None or not hasattr(x, "shape"):
        return None
    shape = tuple(x.shape)
    if scopes.shapes_only() and shape and shape[0] in PROBES:
        return (None, *shape[1:])
    return shape


def as_tuples(structure):
    """The structure with its shapes as tuples: JSON makes them lists."""
    return map_shapes(tuple, structure)


def pop_input_shape(kwargs: dict):
    """The shape given by `input_shape=`, `input_dim=` or `batch_input_shape=`, taken out of kwargs."""
    given = kwargs.pop("input_shape", None)
    dim = kwargs.pop("input_dim", None)
    batch = kwargs.pop("batch_input_shape", None)
    if batch is not None:
        return tuple(batch)[1:]
    return (dim,) if given is None and dim is not None else given
