"""A graph's steps made lean, for inference and for training.

Zeros around an image and a ReLU go into the kernel between them, and the layers of this library are entered directly,
past the checks that their shapes passed when the graph was built. Where no gradient is wanted and nothing trains, a
batch normalization is folded into the convolution before it, too. Results differ from the layers' by rounding alone.
"""

from __future__ import annotations

import functools

from kerasish.core import nest, scopes
from kerasish.core.function import Step
from kerasish.layers import calling
from kerasish.layers.calling import signature_of
from kerasish.layers.layer import Layer
from kerasish.models.plans.fused import role
from kerasish.models.plans.matching import LONGEST, is_plain, is_sum_of_two, match, takes_list
from kerasish.models.stamp import Configuration, declared, is_library_layer, is_own
from kerasish.models.telling import tell

MASKS = "masks may travel in the model, or a layer gives something else than when the graph was made"


class Unforeseen(Exception):
    """Something came out of a layer that the graph does not know: a mask, another shape or dtype.

    Attributes:
        outputs: what came.
    """

    def __init__(self, outputs):
        super().__init__("a layer gave something else than when the graph was made")
        self.outputs = outputs


class Plan:
    """The steps of a graph made lean, and what they take for granted.

    Args:
        function: a `Function`.
        training: whether for training or for inference.

    Attributes:
        stamp: whether the layers are still those that the plan was made of.
        steps: in order; None where only the layers' own calls will do: masks may travel, which they pass on, or a
            layer gives something else than when the graph was made.
        obstacle: why passes along the plan are not recorded; None if they may be.
    """

    def __init__(self, function, training: bool):
        layers = [x for o in function._operations if isinstance(o, Layer) for x in o._flatten_layers()]
        self.stamp = Configuration(filter(is_library_layer, layers))
        outputs = {function._slots[id(y)] for y in function._outputs}
        steps = function._plan if _fits(function) else None
        self.steps, self._stands_for = lean(steps, outputs, function._slots, training) if steps else (steps, [])
        self._own, self._training = steps, training
        self._obstacle = _obstacle(function, layers)

    @property
    def obstacle(self) -> str | None:
        return MASKS if self.steps is None else self._obstacle

    def __iter__(self):
        return iter(self.steps or ())

    def joined(self) -> list[tuple[str, ...]]:
        """The names of the layers that each kernel stands for, where these are several."""
        return [tuple(self._own[i].operation.name for i in own) for own in self._stands_for if len(own) > 1]

    def tell(self, model) -> None:
        """Say what the plan is, if it is asked for."""
        what = "training" if self._training else "inference"
        if self.obstacle is not None:
            tell(model, f"{what} is not recorded: {self.obstacle}")
        for names in self.joined():
            tell(model, f"{what}: one kernel for {' + '.join(names)}", level=2)

    def left_after(self, number: int) -> list[Step]:
        """The graph's own steps that those of the plan up to this one do not stand for."""
        done = {i for own in self._stands_for[: number + 1] for i in own}
        return [step for i, step in enumerate(self._own) if i not in done]


def lean(
    steps: list[Step], outputs: set[int], slots: dict[int, int], training: bool
) -> tuple[list[Step] | None, list[list[int]]]:
    """A plan's steps, fewer and more direct, None where masks may travel; the numbers of those that each stands for.

    Args:
        steps: the plan of a `Function`, in order.
        outputs: the slots that are results of the graph.
        slots: slot by the id of a KerasTensor.
        training: whether for training or for inference.
    """
    if any(_may_mask(step.operation) for step in steps):
        return None, []
    users = _users(steps, slots)
    plan, stands_for, gone = [], [], set()
    for i, step in enumerate(steps):
        if i in gone:
            continue
        chain = _chain(i, steps, users, outputs)
        operation, count = match([steps[j] for j in chain], training)
        gone.update(chain[:count])
        made = steps[chain[count - 1]].outputs
        plan.append(step._replace(operation=operation or _direct(step, training), outputs=made))
        stands_for.append(chain[:count])
    return plan, stands_for


def _fits(function) -> bool:
    """Whether layers that have changed since the graph was made still give the shapes and dtypes that it says."""
    for step in function._plan:
        layer = step.operation
        if not is_library_layer(layer) or vars(layer).get("_change") == function._changes.get(id(layer)):
            continue
        try:
            with scopes.shape_scope():
                found = layer.compute_output_spec(*step.node.args, **step.node.kwargs)
        except Exception:  # its own call will say what is wrong
            return False
        if [(x.shape, x.dtype) for x in nest.flatten(found)] != [(y.shape, y.dtype) for y in step.node.output_tensors]:
            return False
    return True


def _obstacle(function, layers) -> str | None:
    """What stands against recording passes through a graph."""
    for operation in function._operations:
        if not isinstance(operation, Layer):
            return f"operation '{operation.name}' ({type(operation).__name__}) is no layer"
    for layer in layers:
        name = f"layer '{layer.name}' ({type(layer).__name__})"
        if not declared(layer, "_recordable"):
            return f"{name} does not say that it may be recorded, or a method of it was replaced"
        if layer.activity_regularizer is not None:
            return f"{name} has an activity regularizer"
        activation = getattr(layer, "activation", None)
        if activation is not None and not is_own(activation):
            return f"{name} has an activation of the user's own"
    for step in function._plan:
        if step.single is None and not takes_list(step):
            return f"layer '{step.operation.name}' was called with arguments of its own"
    return None


def _may_mask(operation) -> bool:
    """Whether a layer, or one inside it, may give its output a mask."""
    if not isinstance(operation, Layer):
        return False
    return any(
        role(layer) == "mask"
        or getattr(layer, "mask_zero", False)
        or (type(layer).compute_mask is not Layer.compute_mask and not is_library_layer(layer))
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
    if not isinstance(layer, Layer):
        return layer
    if not is_plain(step) or layer._nested_layers() or not (_takes_one(step) or takes_list(step)):
        return functools.partial(_as_foreseen, layer, step.node.output_tensors)
    if training and signature_of(type(layer).call).has_training:
        return functools.partial(layer.call, training=True)
    return layer.call


def _takes_one(step) -> bool:
    return step.single is not None and type(step.operation).compute_mask is Layer.compute_mask


def _as_foreseen(layer, expected, *args, **kwargs):
    """A layer's own call; the steps after it take for granted what the graph says of its results."""
    outputs = layer(*args, **kwargs)
    for y, spec in zip(nest.flatten(outputs), expected):
        shape = getattr(y, "shape", ())
        fits = len(shape) == len(spec.shape) and all(m is None or m == n for m, n in zip(spec.shape, shape))
        if not fits or y.dtype != spec.dtype or calling.get_mask(y) is not None:
            raise Unforeseen(outputs)
    return outputs
