"""What is done to a kernel's source before any compiler sees it: constants are written in, branches on constants are
decided, and `for i in unroll(n)` loops are written out.

A register array keeps its registers only if every index into it is a constant; this is how that is made certain.
"""

import ast
import builtins
import copy
import dis
import functools
import inspect
import operator
import textwrap
import types
from collections.abc import Callable
from typing import Any

unroll = range  # what it means to a reader, and to linters: `specialized` writes these loops out

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


@functools.cache
def _looked_up(function):
    found = (i.argval for i in dis.get_instructions(function) if i.opname == "LOAD_GLOBAL")
    return tuple(dict.fromkeys([*function.__code__.co_freevars, *found]))


def outside(function: Callable, constants: dict[str, Any]) -> dict[str, Any]:
    """What a function looks up outside of itself, where `constants` stand before its module's names; None: nothing."""
    closed = dict(zip(function.__code__.co_freevars, (cell.cell_contents for cell in function.__closure__ or ())))
    places = (constants, closed, function.__globals__, vars(builtins))
    return {name: next((place[name] for place in places if name in place), None) for name in _looked_up(function)}


def specialized(function: Callable, constants: dict[str, Any]) -> Callable:
    """The function, globals of its own, with numbers written in: `constants`, and those of its module."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    definition.decorator_list = []
    named = outside(function, constants)
    scope = {**function.__globals__, **{name: value for name, value in named.items() if value is not None}}
    written = {name: value for name, value in named.items() if type(value) in (int, float)}
    tree = ast.fix_missing_locations(_Writer(written).visit(tree))
    ast.increment_lineno(tree, function.__code__.co_firstlineno - 1)
    exec(compile(tree, inspect.getsourcefile(function), "exec"), scope)
    made = scope[function.__name__]
    return types.FunctionType(made.__code__, scope, function.__name__)


class _Writer(ast.NodeTransformer):
    """Writes constants in, folds what follows from them, drops branches that cannot be taken, unrolls."""

    def __init__(self, constants: dict[str, Any]):
        self.constants = constants

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load) and node.id in self.constants:
            return ast.copy_location(ast.Constant(self.constants[node.id]), node)
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return _folded(node, node.op, node.left, node.right)

    def visit_Compare(self, node):
        self.generic_visit(node)
        return node if len(node.ops) > 1 else _folded(node, node.ops[0], node.left, node.comparators[0])

    def visit_If(self, node):
        return self._decided(node, list)

    def visit_IfExp(self, node):
        return self._decided(node, lambda branch: branch)

    def visit_For(self, node):
        called = isinstance(node.iter, ast.Call) and getattr(node.iter.func, "id", None) == "unroll"
        if not called:
            return self._visited(node)
        bounds = [self.visit(argument) for argument in node.iter.args]
        steps = range(*(bound.value for bound in bounds))
        return [statement for value in steps for statement in self._written(node, value)]

    def _written(self, node, value):
        """The body of a loop for one value of its variable."""
        writer = _Writer({**self.constants, node.target.id: value})
        for statement in copy.deepcopy(node.body):
            made = writer.visit(statement)
            yield from made if isinstance(made, list) else [made]

    def _visited(self, node):
        """The statement with its parts rewritten; a body of which nothing remains passes."""
        node = self.generic_visit(node)
        node.body = node.body or [ast.copy_location(ast.Pass(), node)]
        return node

    def _decided(self, node, taken):
        node.test = self.visit(node.test)
        if not isinstance(node.test, ast.Constant):
            return self._visited(node)
        branch = taken(node.body if node.test.value else node.orelse)
        if not isinstance(branch, list):
            return self.visit(branch)
        made = [self.visit(statement) for statement in branch]
        return [s for part in made for s in (part if isinstance(part, list) else [part])]


def _folded(node, kind, left, right):
    if type(kind) in OPERATORS and isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
        return ast.copy_location(ast.Constant(OPERATORS[type(kind)](left.value, right.value)), node)
    return node
