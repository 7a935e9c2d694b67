"""The body of a parallel kernel's loop as a function of its own, made from the kernel's source.

    def kernel(tasks, y, x):                    def kernel(task, thread_id, tasks, y, x):
        n = x.size                                  n = x.size
        for task in prange(tasks):      ->          y[task] = x[task] + n
            y[task] = x[task] + n

What stands before the loop is done again for each task; `continue` becomes `return`, `get_thread_id()` the number of
the thread.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable

THREAD = "thread_id"  # the argument that stands for `get_thread_id()`


def outlined(kernel: Callable) -> Callable:
    """The function of (task, number of the thread, the kernel's arguments).

    Raises:
        TypeError: if the kernel's last statement is no `for name in prange(tasks):`, `tasks` being the first argument.
    """
    lines, number = inspect.getsourcelines(kernel)
    tree = ast.parse(textwrap.dedent("".join(lines)))
    definition = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    definition.decorator_list, (*before, loop) = [], definition.body
    if not _is_over_tasks(loop, definition.args.args):
        raise TypeError(
            f"kernel {kernel.__qualname__}: its last statement must be `for task in prange(tasks):`, where `tasks` is "
            f"the first argument; found {ast.unparse(loop).splitlines()[0]!r}"
        )
    definition.args.args[:0] = [ast.arg(loop.target.id), ast.arg(THREAD)]
    definition.body = [*before, *(_Returns().visit(statement) for statement in loop.body)]
    factory = ast.parse(f"def made({', '.join(kernel.__code__.co_freevars)}): return {definition.name}").body[0]
    factory.body.insert(0, definition)  # so that what the kernel closes over is there
    tree.body = [_ThreadIds().visit(factory)]
    ast.increment_lineno(ast.fix_missing_locations(tree), number - 1)
    space: dict = {}
    exec(compile(tree, kernel.__code__.co_filename, "exec"), kernel.__globals__, space)
    made = space["made"](*(cell.cell_contents for cell in kernel.__closure__ or ()))
    made.__module__, made.__qualname__ = kernel.__module__, kernel.__qualname__
    return made


def _is_over_tasks(loop, arguments) -> bool:
    match loop:
        case ast.For(
            target=ast.Name(),
            iter=ast.Call(ast.Name("prange") | ast.Attribute(attr="prange"), args=[ast.Name(name)], keywords=[]),
        ):
            return bool(arguments) and name == arguments[0].arg and not loop.orelse
    return False


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
