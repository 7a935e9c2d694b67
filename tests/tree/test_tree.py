"""keras.tree: every row is run in both libraries, and gives the same value or the same error."""

import copy
from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

from kerasish import tree as ours

Point = namedtuple("Point", "x y")
NEST = {"b": 1, "a": [2, (3, None), Point(4, deque([5]))], "c": OrderedDict(z=6, y={7})}


def pair(*args):
    return args


def double(x):
    return x * 2 if isinstance(x, int) else None


def visits(top_down):
    def run(tree):
        seen = []
        tree.traverse(lambda x: seen.append(copy.copy(x)), NEST, top_down)
        return seen

    return run


ROWS = {
    "flatten": lambda t: t.flatten(NEST),
    "flatten a leaf": lambda t: (t.flatten(5), t.flatten(None), t.flatten([]), t.flatten("ab")),
    "flatten unlike keys": lambda t: t.flatten({3: 2, "a": 3, "b": 1, 2: 0}),
    "is_nested": lambda t: [t.is_nested(x) for x in (NEST, [], (), {}, Point(1, 2), deque(), {1}, "a", None, 1)],
    "flatten_with_path": lambda t: t.flatten_with_path(NEST),
    "flatten_with_path of a leaf": lambda t: t.flatten_with_path(5),
    "map": lambda t: t.map_structure(lambda x: [x], NEST),
    "map two": lambda t: t.map_structure(pair, {"a": 1, "b": [2]}, OrderedDict(b=[3], a=4)),
    "map Nones": lambda t: t.map_structure(pair, [1, None], [3, 4]),
    "map around Nones": lambda t: t.map_structure(pair, [1, None], [3, None], none_is_leaf=False),
    "map around one None": lambda t: t.map_structure(pair, [1, 2], [3, None], none_is_leaf=False),
    "map nothing": lambda t: t.map_structure(pair),
    "map lengths": lambda t: t.map_structure(pair, [1, 2], [3]),
    "map types": lambda t: t.map_structure(pair, [1, 2], (3, 4)),
    "map depths": lambda t: t.map_structure(pair, [1, 2], [3, [4]]),
    "map with no function": lambda t: t.map_structure(5, [1]),
    "up to": lambda t: t.map_structure_up_to({"b": 1, "a": [2, 3]}, pair, {"a": [[1], {"c": 2}], "b": 3}),
    "up to, two": lambda t: t.map_structure_up_to([1, 2], pair, [[1], None], [3, 4]),
    "up to a leaf": lambda t: t.map_structure_up_to(5, pair, [1, 2]),
    "up to None": lambda t: t.map_structure_up_to([None], pair, [1]),
    "up to too deep": lambda t: t.map_structure_up_to([1, [2]], pair, [1, 2]),
    "up to nothing": lambda t: t.map_structure_up_to([1], pair),
    "pack": lambda t: t.pack_sequence_as(NEST, list("abcdefgh")[: len(t.flatten(NEST))]),
    "pack a leaf": lambda t: t.pack_sequence_as(1, [4]),
    "pack too few": lambda t: t.pack_sequence_as([1, (2, 3)], [4, 5]),
    "pack too many": lambda t: t.pack_sequence_as([1], [4, 5]),
    "pack no sequence": lambda t: t.pack_sequence_as([1], 4),
    "same structure": lambda t: t.assert_same_structure({"a": [1]}, defaultdict(list, a=[2])),
    "same structure, types": lambda t: t.assert_same_structure([1, 2], (1, 2)),
    "same structure, named tuple": lambda t: t.assert_same_structure(Point(1, 2), (1, 2)),
    "same structure, keys": lambda t: t.assert_same_structure({"a": 1}, {"b": 1}),
    "same structure, depth": lambda t: t.assert_same_structure([1, [2]], [1, 2]),
    "same structure, deeper": lambda t: t.assert_same_structure([None], [[]]),
    "same paths": lambda t: t.assert_same_paths([1, 2], {0: 3, 1: 4}),
    "same paths, missing": lambda t: t.assert_same_paths([1, 2], (3,)),
    "same paths, keys": lambda t: t.assert_same_paths({"a": 1}, {"b": 1}),
    "visits, top down": visits(True),
    "visits, bottom up": visits(False),
    "traverse": lambda t: t.traverse(double, NEST),
    "traverse up": lambda t: t.traverse(double, NEST, top_down=False),
    "traverse replaces a list": lambda t: t.traverse(lambda x: "list" if isinstance(x, list) else None, NEST),
    "traverse to None": lambda t: t.traverse(lambda x: t.MAP_TO_NONE if isinstance(x, tuple) else None, NEST),
    "traverse up to None": lambda t: t.traverse(lambda x: t.MAP_TO_NONE if x == 3 else None, NEST, top_down=False),
    "traverse a leaf": lambda t: (t.traverse(lambda x: t.MAP_TO_NONE, 5), t.traverse(lambda x: None, 5)),
    "lists_to_tuples": lambda t: t.lists_to_tuples([1, [2, (3, [4])], NEST]),
    "shapes": lambda t: t.map_shape_structure(pair, {"a": (1, None), "b": [3, 4], "c": [(1,), (), None], "d": 5}),
    "shape": lambda t: t.map_shape_structure(pair, (None, 2)),
}


@pytest.fixture(scope="module")
def theirs():
    import keras

    return keras.tree


def outcome(row, tree):
    try:
        return row(tree)
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("name", ROWS)
def test_equals_keras(name, theirs):
    want, got = outcome(ROWS[name], theirs), outcome(ROWS[name], ours)
    assert repr(got) == repr(want)


def test_check_types_is_deprecated():
    with pytest.warns(DeprecationWarning, match="check_types"):
        ours.assert_same_structure([1], [2], check_types=True)


def test_names(theirs):
    public = {n for n in dir(theirs) if not n.startswith("_")}
    assert public <= set(dir(ours))
