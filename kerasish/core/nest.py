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
