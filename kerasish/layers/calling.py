"""How a layer is called: its signature, the flags that travel down to nested layers, masks."""

from __future__ import annotations

import functools
import inspect
import threading
import warnings

from kerasish.core import dtypes, nest, scopes
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor, as_array, as_own_array
from kerasish.core.variable import Variable
from kerasish.core.whole import restored_later
from kerasish.ops.table import cast


class CallState(threading.local):
    """What the outermost call passes down: the training flag, the layers that are being called, its number."""

    def __init__(self):
        self.training: bool | None = None
        self.stack: list = []
        self.entered = 0


state = CallState()
restored_later(state, "training", "stack")


class Signature:
    """The signature of a `call`, read once for each class."""

    def __init__(self, function):
        parameters = list(inspect.signature(function).parameters.values())[1:]
        self.signature = inspect.Signature(parameters)
        kinds = inspect.Parameter
        self.names = [
            p.name
            for p in parameters
            if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
        ]
        self.takes_any = any(p.kind is kinds.VAR_KEYWORD for p in parameters)
        self.has_training = "training" in self.names
        self.has_mask = "mask" in self.names
        self.masks = {n for n in self.names if n == "mask" or n.endswith("_mask")}
        default = next((p.default for p in parameters if p.name == "training"), None)
        self.default_training = None if default is kinds.empty else default
        required = [
            p
            for p in parameters
            if p.default is kinds.empty and p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
        ]
        self.required = len(required)
        self.one_required = self.required == 1 and parameters[0] is required[0]
        self.first = self.names[0] if self.names else None

    def takes(self, name: str) -> bool:
        """Whether an argument of that name can be passed."""
        return self.takes_any or name in self.names

    def bind(self, args, kwargs) -> dict:
        """Arguments by name.

        Raises:
            TypeError: for missing or unexpected ones.
        """
        bound = self.signature.bind(*args, **kwargs)
        found = {}
        for name, value in bound.arguments.items():
            kind = self.signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                found.update(value)
            elif kind is inspect.Parameter.VAR_POSITIONAL:
                found.update({f"{name}_{i}": v for i, v in enumerate(value)})
            else:
                found[name] = value
        return found


@functools.cache
def signature_of(function) -> Signature:
    """The signature of an unbound method."""
    return Signature(function)


def is_tensor_like(x) -> bool:
    """Whether x counts as a tensor argument of a layer."""
    return isinstance(x, (Tensor, Variable, KerasTensor)) or (
        hasattr(x, "dtype") and hasattr(x, "shape") and hasattr(x, "__array__")
    )


def has_tensor(value) -> bool:
    """Whether an argument holds a tensor."""
    if value is None or isinstance(value, (bool, Tensor)):
        return isinstance(value, Tensor)
    return any(is_tensor_like(x) for x in nest.flatten(value))


def convert(x, dtype: str | None):
    """An argument as a layer sees it: arrays become tensors; floats take the layer's dtype unless it is None."""
    if type(x) is Tensor:
        if dtype is None or x.value.dtype.kind not in "fV" or dtypes.name_of(x.value) == dtype:
            return x
        return _cast(x, dtype)
    if isinstance(x, KerasTensor):
        if dtype is None or not dtypes.is_float(x.dtype) or x.dtype == dtype:
            return x
        return _cast(x, dtype) if scopes.shapes_only() else x
    if isinstance(x, Variable):
        return x
    if is_tensor_like(x):
        array = as_array(x)
        name = dtypes.name_of(array)
        return Tensor(as_own_array(array, dtype if dtype is not None and dtypes.is_float(name) else name))
    return x


def dtype_seen(layer, dtype: str) -> str:
    """The dtype in which a layer's `call` sees inputs of a dtype."""
    return layer.compute_dtype if layer.autocast and dtypes.is_float(dtype) else dtype


def _cast(x, dtype):
    y = cast(x, dtype)
    mask = get_mask(x)
    if mask is not None:
        y._keras_mask = mask
    return y


def convert_all(values, dtype: str | None):
    """`convert` on every leaf."""
    return nest.map_structure(lambda x: convert(x, dtype), values)


def get_mask(x):
    """The mask that travels with a tensor, or None."""
    return getattr(x, "_keras_mask", None)


def masks_of(structure):
    """The masks of a structure's tensors, in the same structure, or None if there is none at all."""
    masks = nest.map_structure(get_mask, structure)
    return masks if any(m is not None for m in nest.flatten(masks)) else None


def with_masks(signature: Signature, arguments: dict, kwargs: dict, previous) -> dict:
    """kwargs with the masks of the tensor arguments, for a `call` that asks for them; `previous` is the first's."""
    if not signature.masks:
        return kwargs
    tensors = [k for k, v in arguments.items() if k not in signature.masks and has_tensor(v)]
    for name in tensors:
        wanted = "mask" if len(tensors) == 1 or name == tensors[0] and signature.has_mask else f"{name}_mask"
        if wanted in signature.masks and arguments.get(wanted) is None:
            mask = previous if name == tensors[0] else masks_of(arguments[name])
            if mask is not None:
                kwargs = {**kwargs, wanted: mask}
    return kwargs


def with_all_masks(signature: Signature, arguments: dict, kwargs: dict) -> dict:
    """`with_masks` for a node: the graph notes the masks that were not there, too."""
    kwargs = with_masks(signature, arguments, kwargs, masks_of(next(iter(arguments.values()), None)))
    if signature.has_mask and "mask" not in arguments and "mask" not in kwargs:
        kwargs = {**kwargs, "mask": nest.map_structure(get_mask, arguments[signature.first])}
    return kwargs


def pass_mask_on(layer, inputs, outputs, previous) -> None:
    """Give the outputs the mask that the layer computes from its inputs'."""
    flat = nest.flatten(outputs)
    if all(get_mask(y) is not None for y in flat):
        return
    if previous is not None and not layer.supports_masking:
        warnings.warn(
            f"Layer '{layer.name}' (of type {type(layer).__name__}) was passed an input with a mask attached to it. "
            "However, this layer does not support masking and will therefore destroy the mask information. Downstream "
            "layers will not see the mask.",
            stacklevel=4,
        )
        return
    for y, mask in zip(flat, nest.flatten(layer.compute_mask(inputs, previous))):
        if mask is not None and y is not None:
            y._keras_mask = mask
