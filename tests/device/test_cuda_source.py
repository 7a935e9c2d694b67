"""Constants written into functions: what is decided, folded and written out."""

import ast
import inspect

import pytest

from kerasish.device.cuda_source import _Writer, specialized, unroll

WIDE = KIND = None


def unrolled(x):
    total = 0
    for i in unroll(1, WIDE + 1):
        for j in unroll(2):
            total += x[i * 10 + j]
    return total


def decided(x):
    if KIND == 1:
        x += 1
        x *= 2
    elif KIND == 2:
        x = "never" if WIDE > 3 else x
    y = 5 if KIND == 1 else 7
    return x, y


def emptied(x):
    for _ in range(3):
        if x:
            if KIND == 1:
                x += 1
    return x


def chained(x):
    return 0 < x < WIDE


CASES = [
    (unrolled, {"WIDE": 2}, range(100), 10 + 11 + 20 + 21),
    (decided, {"WIDE": 2, "KIND": 1}, 3, (8, 5)),
    (decided, {"WIDE": 4, "KIND": 2}, 3, ("never", 7)),
    (decided, {"WIDE": 4, "KIND": 0}, 3, (3, 7)),
    (emptied, {"KIND": 0}, 3, 3),
    (emptied, {"KIND": 1}, 3, 6),
    (chained, {"WIDE": 4}, 3, True),
]


@pytest.mark.parametrize(("function", "constants", "argument", "want"), CASES)
def test_what_a_specialized_function_gives(function, constants, argument, want):
    assert specialized(function, constants)(argument) == want


def test_nothing_is_left_to_decide():
    """No branch on a constant, no loop and no name of a constant is left for the compiler."""
    for function in (unrolled, decided):
        tree = _Writer({"WIDE": 2, "KIND": 1}).visit(ast.parse(inspect.getsource(function)))
        kinds = {type(node) for node in ast.walk(tree)}
        assert not kinds & {ast.For, ast.If, ast.IfExp}
        assert not {"WIDE", "KIND", "unroll"} & {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def test_globals_of_the_module_stay_and_errors_point_at_the_source():
    made = specialized(unrolled, {"WIDE": 1})
    assert made.__globals__["KIND"] is None
    assert made.__code__.co_firstlineno == unrolled.__code__.co_firstlineno
