"""Questions to nested structures: what is nested, where the leaves are, whether two structures agree."""

from __future__ import annotations

import warnings
from typing import Any

import optree


def is_nested(structure: Any) -> bool:
    """Whether an object is a list, tuple, dict or another container that is looked into; strings and sets are not."""
    return not optree.tree_is_leaf(structure, none_is_leaf=True)


def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """The leaves in the order of `flatten`, each as a pair (path, leaf).

    Example:
        >>> keras.tree.flatten_with_path({"a": [1, 2]})
        [(('a', 0), 1), (('a', 1), 2)]
    """
    paths, found, _ = optree.tree_flatten_with_path(structure, none_is_leaf=True)
    return list(zip(paths, found))


def subtrees(shallow: Any, structure: Any, none_is_leaf: bool = True) -> list:
    """What stands in `structure` at the places of `shallow`'s leaves.

    Raises:
        ValueError: if `structure` does not begin like `shallow`.
    """
    return optree.tree_structure(shallow, none_is_leaf=none_is_leaf).flatten_up_to(structure)


def require_same(a: Any, b: Any, none_is_leaf: bool = True) -> None:
    """Raise a ValueError unless a and b have the same structure."""
    if not all(optree.tree_is_leaf(x, none_is_leaf=none_is_leaf) for x in subtrees(a, b, none_is_leaf)):
        raise ValueError("Structures don't have the same nested structure.")


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Check that two structures have the same containers at the same places. All kinds of dict count as one.

    Args:
        a, b: the structures.
        check_types: deprecated in Keras, without effect.

    Raises:
        ValueError: if they differ.
    """
    if check_types is not None:
        warnings.warn(
            "check_types has no effect; leave it out, or compare with `keras.tree.assert_same_paths`, "
            "for which a list and a tuple are alike",
            DeprecationWarning,
            stacklevel=2,
        )
    require_same(a, b)


def assert_same_paths(a: Any, b: Any) -> None:
    """Check that two structures have leaves at the same paths, whatever the containers are.

    Raises:
        ValueError: if they differ; the message lists the paths.
    """
    ours, theirs = ({path for path, _ in flatten_with_path(x)} for x in (a, b))
    lines = [
        f"Paths in `{here}` missing in `{there}`:\n{paths}"
        for here, there, paths in (("a", "b", ours - theirs), ("b", "a", theirs - ours))
        if paths
    ]
    if lines:
        raise ValueError("\n".join(["`a` and `b` don't have the same paths.", *lines]))
