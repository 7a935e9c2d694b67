"""Nested structures of tensors, through optree: lists, tuples, dicts (by sorted key), named tuples; None is a leaf."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

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
