"""The bodies of a parallel kernel's loops as functions of their own, made from the kernel's source.

    def kernel(tasks, y, x):                    def kernel(task, thread_id, tasks, y, x):
        n = x.size                                  n = x.size
        for task in prange(tasks):      ->          y[task] = x[task] + n
            y[task] = x[task] + n

What stands before the loop is done again for each task; `continue` becomes `return`, `get_thread_id()` the number of
the thread. A kernel of two loops becomes three functions: the second one is what stands between the loops, and takes
the kernel's own arguments. What stands before the first is done again in each; all else crosses in arrays.
"""

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable

THREAD = "thread_id"  # the argument that stands for `get_thread_id()`
AFTER = "tasks_after"  # the second argument of kernels with two loops


def outlined(kernel: Callable) -> tuple[Callable, ...]:
    """The function of (task, number of the thread, the kernel's arguments); of two loops, and of what lies between.

    Raises:
        TypeError: if the kernel's last statement is no `for name in prange(tasks):`, `tasks` being the first argument,
            and there is no such loop before a last `for name in prange(tasks_after):`, `tasks_after` being the second;
            or if a name leads from one of the parts to the next.
    """
    try:
        lines, number = inspect.getsourcelines(kernel)
    except OSError as error:
        raise TypeError(
            f"kernel {kernel.__qualname__}: its source cannot be read ({error}); write it in a file or a notebook, not "
            "at Python's prompt"
        ) from error
    tree = ast.parse(textwrap.dedent("".join(lines)))
    definition = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    tasks, *more = [argument.arg for argument in definition.args.args] or [""]
    *before, last = definition.body
    if more[:1] == [AFTER] and _is_over(last, AFTER):
        border = next((i for i, statement in enumerate(before) if _is_over(statement, tasks)), None)
        if border is None:
            raise _unfit(kernel, tasks, definition.body[0])
        before, loop, between = before[:border], before[border], before[border + 1 :]
        _refuse_crossing(kernel, loop.body, between, last.body)
        parts = (loop, before, loop.body), (None, before, between), (last, before, last.body)
    elif _is_over(last, tasks) and more[:1] != [AFTER]:
        parts = ((last, before, last.body),)
    else:
        raise _unfit(kernel, tasks, last)
    return tuple(_made(kernel, definition, number, *part) for part in parts)


def _unfit(kernel, tasks, found):
    return TypeError(
        f"kernel {kernel.__qualname__}: its last statement must be `for task in prange(tasks):`, where `tasks` is the "
        f"first argument ({tasks!r}), or there must be one before a last `for task in prange({AFTER}):`, where "
        f"`{AFTER}` is the second; found {ast.unparse(found).splitlines()[0]!r}"
    )


def _made(kernel, definition, number, loop, before, body):
    """A function of some of a kernel's statements: for a task of a loop, or for all."""
    definition, body = copy.deepcopy((definition, body))
    definition.decorator_list = []
    if loop is not None:
        definition.args.args[:0] = [ast.arg(loop.target.id), ast.arg(THREAD)]
        body = [_Returns().visit(statement) for statement in body]
    definition.body = [*copy.deepcopy(before), *body] or [ast.Pass()]
    factory = ast.parse(f"def made({', '.join(kernel.__code__.co_freevars)}): return {definition.name}")
    factory.body[0].body.insert(0, definition)  # so that what the kernel closes over is there
    factory = _ThreadIds().visit(factory)
    ast.increment_lineno(ast.fix_missing_locations(factory), number - 1)
    space: dict = {}
    exec(compile(factory, kernel.__code__.co_filename, "exec"), kernel.__globals__, space)
    made = space["made"](*(cell.cell_contents for cell in kernel.__closure__ or ()))
    made.__module__, made.__qualname__ = kernel.__module__, kernel.__qualname__
    return made


def _is_over(loop, tasks) -> bool:
    match loop:
        case ast.For(
            target=ast.Name(),
            iter=ast.Call(ast.Name("prange") | ast.Attribute(attr="prange"), args=[ast.Name(name)], keywords=[]),
        ):
            return name == tasks and not loop.orelse
    return False


def _refuse_crossing(kernel, *parts) -> None:
    """Refuse names that one part binds, and a later one only reads: they become functions of their own."""
    for i, later in enumerate(parts):
        bound = {name for earlier in parts[:i] for name in _names(earlier, ast.Store)}
        crossing = (bound & _names(later, ast.Load)) - _names(later, ast.Store)
        if crossing:
            raise TypeError(
                f"kernel {kernel.__qualname__}: {', '.join(sorted(crossing))} would lead from one of its loops, or "
                "from what stands between them, to what follows; write it to an array that is an argument"
            )


def _names(statements, context):
    nodes = (node for statement in statements for node in ast.walk(statement))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, context)}


class _Returns(ast.NodeTransformer):
    """`return` in place of the `continue` of the loop that becomes a function; inner loops keep theirs."""

    def visit_Continue(self, node):
        return ast.copy_location(ast.Return(None), node)

    def _same(self, node):
        return node

    visit_For = visit_While = visit_FunctionDef = _same


class _ThreadIds(ast.NodeTransformer):
    """The argument in place of the call."""

    def visit_Call(self, node):
        self.generic_visit(node)
        is_thread = isinstance(node.func, ast.Name) and node.func.id == "get_thread_id"
        return ast.copy_location(ast.Name(THREAD, ast.Load()), node) if is_thread else node
