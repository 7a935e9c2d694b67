"""Functions applied all over nested structures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import optree

from kerasish.core.nest import pack_as
from kerasish.tree.checks import is_nested, require_same, subtrees


class MAP_TO_NONE:
    """What a function given to `traverse` returns to have None put in the place of its argument."""


def pack_sequence_as(structure: Any, flat_sequence: Iterable) -> Any:
    """The values of `flat_sequence` in the shape of `structure`: the reverse of `flatten`.

    Raises:
        ValueError: for too many or too few values.
    """
    return pack_as(structure, flat_sequence)


def map_structure(func: Callable, *structures: Any, none_is_leaf: bool = True) -> Any:
    """The structure of `func`'s results on the leaves.

    Args:
        func: called with one leaf of each structure.
        *structures: structures of the same shape.
        none_is_leaf: whether `func` is called on None too; otherwise a None stays.

    Returns:
        The results, in the first structure's containers.

    Raises:
        ValueError: if there is no structure, or the structures differ.
    """
    _require_some(structures)
    for other in structures[1:]:
        require_same(structures[0], other, none_is_leaf)
    return optree.tree_map(func, *structures, none_is_leaf=none_is_leaf)


def map_structure_up_to(shallow_structure: Any, func: Callable, *structures: Any) -> Any:
    """The structure of `func`'s results on what stands at the leaves of a shallower structure.

    Args:
        shallow_structure: how deep to look; without None.
        func: called with one part of each structure.
        *structures: structures that begin like `shallow_structure`.

    Raises:
        ValueError: if there is no structure, or one does not begin like `shallow_structure`.
    """
    _require_some(structures)
    places, spec = optree.tree_flatten(shallow_structure, none_is_leaf=True)
    if any(place is None for place in places):
        raise ValueError("Structures don't have the same nested structure.")
    return spec.unflatten(map(func, *(subtrees(shallow_structure, s) for s in structures)))


def _require_some(structures):
    if not structures:
        raise ValueError("Must provide at least one structure")


def traverse(func: Callable, structure: Any, top_down: bool = True) -> Any:
    """A structure with parts replaced by what `func` makes of them.

    Args:
        func: called with each container and each leaf; None leaves it as it is (and looks inside, from the top down),
            `MAP_TO_NONE` puts None in its place, anything else replaces it.
        structure: where to begin.
        top_down: whether a container comes before what it holds.
    """
    if top_down or not is_nested(structure):
        result = func(structure)
        if result is not None or not is_nested(structure):
            return _replacement(result, structure)
    rebuilt = optree.tree_map(
        lambda x: traverse(func, x, top_down), structure, is_leaf=lambda x: x is not structure, none_is_leaf=True
    )
    return rebuilt if top_down else _replacement(func(rebuilt), rebuilt)


def _replacement(result, original):
    if result is None:
        return original
    return None if result is MAP_TO_NONE else result


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples for its lists."""
    return traverse(lambda x: tuple(x) if isinstance(x, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable, structure: Any) -> Any:
    """`map_structure` on a structure of shapes: a list or tuple of ints and Nones counts as a leaf."""
    return optree.tree_map(func, structure, is_leaf=_is_shape, none_is_leaf=True)


def _is_shape(x) -> bool:
    return isinstance(x, (list, tuple)) and all(d is None or isinstance(d, int) for d in x)
