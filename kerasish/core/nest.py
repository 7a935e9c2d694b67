"""Nested structures of tensors, through optree: lists, tuples, dicts (by sorted key), named tuples; None is a leaf."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import optree


def flatten(structure: Any) -> list:
    """The leaves, depth first."""
    return optree.tree_leaves(structure, none_is_leaf=True)


def map_structure(function: Callable, *structures: Any) -> Any:
    """The structure of `function`'s results on the leaves."""
    return optree.tree_map(function, *structures, none_is_leaf=True)


def pack_as(structure: Any, leaves: Iterable) -> Any:
    """The leaves in the shape of `structure`."""
    return optree.tree_unflatten(optree.tree_structure(structure, none_is_leaf=True), leaves)


def path_of(structure: Any, number: int) -> str:
    """Where a leaf, given by its number, stands in the structure: `"a.0"`; an empty text for a single leaf."""
    paths = optree.tree_paths(structure, none_is_leaf=True)
    return ".".join(map(str, paths[number]))


def same_structure(first: Any, second: Any) -> bool:
    """Whether the two differ in their leaves alone."""
    return optree.tree_structure(first, none_is_leaf=True) == optree.tree_structure(second, none_is_leaf=True)


def is_shape(x) -> bool:
    """Whether x is one shape, not a structure of shapes."""
    return isinstance(x, (tuple, list)) and all(d is None or isinstance(d, (int, np.integer)) for d in x)


def map_shapes(function: Callable, structure):
    """The structure of the function's results on shapes, which it gets as tuples."""
    if is_shape(structure):
        return function(tuple(structure))
    if isinstance(structure, dict):
        return {k: map_shapes(function, v) for k, v in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(map_shapes(function, v) for v in structure)
    return structure
