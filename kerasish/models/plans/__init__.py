"""A graph's steps made lean, for inference and for training.

Zeros around an image and a ReLU go into the kernel between them, and the layers of this library are entered directly,
past the checks that their shapes passed when the graph was built. Where no gradient is wanted and nothing trains, a
batch normalization is folded into the convolution before it, too. Results differ from the layers' by rounding alone.
"""

from __future__ import annotations

import functools

from kerasish.layers.calling import signature_of
from kerasish.layers.layer import Layer
from kerasish.layers.merging import Merge
from kerasish.models.plans.fused import kind
from kerasish.models.plans.matching import LONGEST, is_plain, is_sum_of_two, match


def lean(steps, outputs: set[int], slots: dict[int, int], training: bool):
    """A plan's steps, fewer and more direct; None where masks may travel, which only the layers' own calls pass on.

    Args:
        steps: the plan of a `Function`, in order.
        outputs: the slots that are results of the graph.
        slots: slot by the id of a KerasTensor.
        training: whether for training or for inference.
    """
    if any(_may_mask(step.operation) for step in steps):
        return None
    users = _users(steps, slots)
    plan, gone = [], set()
    for i, step in enumerate(steps):
        if i in gone:
            continue
        chain = _chain(i, steps, users, outputs)
        operation, count = match([steps[j] for j in chain], training)
        gone.update(chain[:count])
        made = steps[chain[count - 1]].outputs
        plan.append(step._replace(operation=operation or _direct(step, training), outputs=made))
    return plan


def _may_mask(operation) -> bool:
    """Whether a layer, or one inside it, may give its output a mask."""
    if not isinstance(operation, Layer):
        return False
    return any(
        kind(layer) == "Masking"
        or getattr(layer, "mask_zero", False)
        or (not type(layer).__module__.startswith("kerasish.") and type(layer).compute_mask is not Layer.compute_mask)
        for layer in operation._flatten_layers()
    )


def _users(steps, slots) -> dict[int, list[int]]:
    """For each slot, the steps that read it (once for each reading)."""
    users: dict[int, list[int]] = {}
    for i, step in enumerate(steps):
        for x in step.node.input_tensors:
            users.setdefault(slots[id(x)], []).append(i)
    return users


def _chain(first, steps, users, outputs) -> list[int]:
    """A step and up to three after it, each the only reader of the one before."""
    chain = [first]
    if steps[first].single is None and not is_sum_of_two(steps[first]):
        return chain
    while len(chain) < LONGEST:
        made = steps[chain[-1]].outputs
        readers = users.get(made[0], [])
        if len(made) != 1 or made[0] in outputs or len(readers) != 1 or steps[readers[0]].single is None:
            break
        chain.append(readers[0])
    return chain


def _direct(step, training):
    """The way into a step: straight to `call`, for a layer of this library whose inputs need no conversion."""
    layer = step.operation
    if not is_plain(step) or not (_takes_one(step) or _takes_list(step)):
        return layer
    if training and signature_of(type(layer).call).has_training:
        return functools.partial(layer.call, training=True)
    return layer.call


def _takes_one(step) -> bool:
    return step.single is not None and type(step.operation).compute_mask is Layer.compute_mask


def _takes_list(step) -> bool:
    """Whether a step is a layer that merges, called with nothing but a list of tensors."""
    node = step.node
    return isinstance(step.operation, Merge) and len(node.args) == 1 and all(v is None for v in node.kwargs.values())
