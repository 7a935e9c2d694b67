"""Which runs of layers one kernel computes."""

from __future__ import annotations

from kerasish.core import shapes
from kerasish.layers.arguments import split_activation
from kerasish.layers.merging import Merge
from kerasish.models.plans.fused import Affine, NormAct, PooledFirst, Product, add_relu, role
from kerasish.models.stamp import is_library_layer

LONGEST = 4  # zeros, a product, a normalization, an activation


def match(steps, training: bool):
    """The start of a chain of steps as one callable, and how many of them it stands for; (None, 1) if none does."""
    chain = []
    for step in steps:
        if not is_plain(step):
            break
        chain.append(step)
    for rule in (_product, _normalization, _sum):
        operation, count = rule(chain, training) if chain else (None, 0)
        if operation is not None:
            return operation, count
    return None, 1


def is_plain(step) -> bool:
    """Whether a step is a layer of this library that takes its input as it is and does nothing but compute.

    What was called with arguments of its own is none: a step that stands for several layers has no place for them.
    """
    layer = step.operation
    return (
        is_library_layer(layer)
        and (step.single is not None or takes_list(step))
        and layer.activity_regularizer is None
        and layer.compute_dtype == layer.variable_dtype
        and all(x.dtype == layer.compute_dtype for x in step.node.input_tensors)
    )


def takes_list(step) -> bool:
    """Whether a step is a layer that merges, called with nothing but a list of tensors."""
    node = step.node
    return isinstance(step.operation, Merge) and len(node.args) == 1 and all(v is None for v in node.kwargs.values())


def is_sum_of_two(step) -> bool:
    return role(step.operation) == "sum" and len(step.node.input_tensors) == 2


def _product(chain, training):
    """[zeros] convolution | dense, [normalization] where nothing trains, [activation, [max pooling] where it does]."""
    layers = [step.operation for step in chain]
    first = int(len(layers) > 1 and _surrounds(layers[0], layers[1]))
    layer, used = layers[first], first + 1
    activation, rest = split_activation(getattr(layer, "activation", None))
    if not (_is_convolution(layer) or role(layer) == "dense"):
        return None, 0
    linear, normalization = activation is None and rest is None, None
    if linear and not training and used < len(chain) and _is_normalization(chain[used]):
        normalization, used = layers[used], used + 1
    if linear and used < len(layers) and (activation := _cut(layers[used])):
        used += 1
    if training and activation and used < len(layers) and role(layers[used]) == "max pooling":
        activation, rest, used = None, PooledFirst(layers[used], activation), used + 1
    zeros = layers[0]._border if first else None
    return (Product(layer, zeros, normalization, activation, rest), used) if used > 1 else (None, 0)


def _normalization(chain, training):
    """normalization [activation]."""
    layer = chain[0].operation
    activation = _cut(chain[1].operation) if len(chain) > 1 else None
    used = 2 if activation else 1
    if training:
        trains = role(layer) == "normalization" and not layer.renorm and activation
        return (NormAct(layer, activation), used) if trains else (None, 0)
    return (Affine(layer, activation), used) if _is_normalization(chain[0]) else (None, 0)


def _sum(chain, training):
    """The sum of two tensors, relu."""
    ranks = {len(x.shape) for x in chain[0].node.input_tensors}
    two = len(chain) > 1 and is_sum_of_two(chain[0]) and len(ranks) == 1
    return (add_relu, 2) if two and _cut(chain[1].operation) == "relu" else (None, 0)


def _is_convolution(layer) -> bool:
    return role(layer) in ("convolution", "depthwise") and layer.data_format == "channels_last"


def _surrounds(layer, convolution) -> bool:
    """Whether a layer adds zeros that a convolution can take as its own padding."""
    if not (_is_convolution(convolution) and convolution.padding == "valid"):
        return False
    if role(layer) != "zeros" or layer.rank != convolution.rank or layer.data_format != "channels_last":
        return False
    spans = map(shapes.effective, convolution.kernel_size, convolution.dilation_rate)
    return all(max(pads) < span for pads, span in zip(layer._border, spans))


def _is_normalization(step) -> bool:
    """Whether a step normalizes its last axis, by given statistics if nothing trains."""
    layer = step.operation
    return role(layer) == "normalization" and layer.axis in (-1, len(step.node.input_tensors[0].shape) - 1)


def _cut(layer) -> str | None:
    """The name of a layer that only cuts off, as kernels know it."""
    return layer._clamp if role(layer) == "clamp" else None
