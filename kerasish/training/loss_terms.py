"""Which losses belong to which parts of a model's outputs, where `compile()` was given nests of them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from kerasish.training.outputs import OutputKeyError, Outputs, is_nest, leaf_paths, rebuilt

_LISTS = (list, tuple)


class Place(NamedTuple):
    """One loss: where its part of the outputs is, what was given for it, its weight."""

    path: tuple
    loss: Any
    weight: float | None


def mirrors(given: Any, outputs: Any, top: bool = True) -> bool:
    """Whether there is at most one loss for each output: `given` goes no deeper than the outputs, and as deep."""
    if not is_nest(outputs):
        return not is_nest(given)
    if not is_nest(given):
        return top or given is None
    if isinstance(given, dict) and isinstance(outputs, dict):
        return all(key in outputs and mirrors(loss, outputs[key], False) for key, loss in given.items())
    parts = outputs.values() if isinstance(outputs, dict) else outputs
    found = given.values() if isinstance(given, dict) else given
    return len(found) == len(outputs) and all(mirrors(loss, part, False) for loss, part in zip(found, parts))


def places(given: Any, weights: Any, outputs: Outputs) -> list[Place]:
    """All losses that are given, in order.

    A loss stands for the part of the outputs at its place, which may be a nest. Several losses in a list at one place
    are added up. A flat list as long as there are outputs has one for each.

    Raises:
        ValueError: If the weights are not as many as the losses.
        OutputKeyError: For a place that the outputs do not have.
    """
    try:
        return list(_places(_paired(given, weights), outputs.structure, ()))
    except OutputKeyError as error:
        raise OutputKeyError(f"{error} The outputs are {outputs.describe()}.") from None


def _places(given, node, path) -> Iterator[Place]:
    if given is None:
        return
    if isinstance(given, _Pair):
        yield Place(path, given.loss, given.weight)
        return
    if isinstance(given, _LISTS) and not any(map(is_nest, given)) and len(given) == len(list(leaf_paths(node))):
        for part, below in zip(given, leaf_paths(node)):
            yield from _places(part, None, path + below)
    elif isinstance(given, _LISTS) and not isinstance(node, list if isinstance(given, list) else type(given)):
        for part in given:
            yield from _places(part, node, path)
    else:
        if isinstance(given, dict) != isinstance(node, dict) or not is_nest(node):
            raise _nowhere(path)
        there = node if isinstance(node, dict) else range(len(node))
        for key, part in given.items() if isinstance(given, dict) else enumerate(given):
            if part is not None and key not in there:
                raise _nowhere((*path, key))
            yield from _places(part, node[key], (*path, key)) if part is not None else ()


def _nowhere(path):
    return OutputKeyError(
        f"The path: {path} in the `loss` argument, can't be found in either the model's output (`y_pred`) or in the "
        "labels (`y_true`)."
    )


class _Pair:
    """A loss and its weight; a tuple would be a nest."""

    __slots__ = ("loss", "weight")

    def __init__(self, loss: Any, weight: float | None):
        self.loss, self.weight = loss, weight


def _paired(given, weights):
    """The nest of losses with a pair, or None, in place of each loss."""
    losses = [loss for loss in flat(given) if loss is not None]
    if weights is None or not is_nest(weights):
        found = [weights] * len(losses)
    else:
        found = list(flat(weights))
        if len(found) == len(list(flat(given))):
            found = [weight for weight, loss in zip(found, flat(given)) if loss is not None]
        if len(found) != len(losses):
            raise ValueError(
                f"`loss_weights` must match the number of losses, got {len(losses)} losses and {len(found)} weights. "
                f"Received: loss_weights={weights}"
            )
    return _with_pairs(given, iter(found))


def flat(nest: Any) -> Iterator[Any]:
    """The leaves of a nest, dicts in the order of their keys; `None` is one."""
    if not is_nest(nest):
        yield nest
        return
    for part in [nest[key] for key in sorted(nest)] if isinstance(nest, dict) else nest:
        yield from flat(part)


def _with_pairs(given, weights):
    if isinstance(given, dict):
        return {key: _with_pairs(given[key], weights) for key in sorted(given)}
    if is_nest(given):
        return rebuilt(given, [_with_pairs(part, weights) for part in given])
    return None if given is None else _Pair(given, next(weights))
