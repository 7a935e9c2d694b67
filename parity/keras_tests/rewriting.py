"""The imports of a test file rewritten to look-ups in the shim, which stands in it as `__ks__`."""

from __future__ import annotations

import ast
import copy

from parity.keras_tests.groups import FOREIGN


class Rewriter(ast.NodeTransformer):
    """Rewrites one test file.

    Args:
        shim: what answers the look-ups.
        who: the test file's module.
    """

    def __init__(self, shim, who=""):
        self.shim = shim
        self.who = who
        self.try_depth = 0

    def _assign(self, node, target, method, args, **kw):
        value = ast.Call(
            func=ast.Attribute(
                value=ast.Name("__ks__", ast.Load()),
                attr=method,
                ctx=ast.Load(),
            ),
            args=[ast.Constant(a) for a in args],
            keywords=[ast.keyword(arg=k, value=ast.Constant(v)) for k, v in kw.items()],
        )
        out = ast.Assign(targets=[ast.Name(target, ast.Store())], value=value)
        return ast.copy_location(out, node)

    def visit_ImportFrom(self, node):
        m = node.module or ""
        top = m.split(".")[0]
        if node.level:
            return node
        if top == "keras":
            return [self._assign(node, a.asname or a.name, "get", [m, a.name]) for a in node.names]
        if top == "conftest":  # Keras's own conftest.py is not in the wheel
            return [self._assign(node, a.asname or a.name, "conftest", [a.name]) for a in node.names]
        if top in FOREIGN or top == "jax":
            return [
                self._assign(
                    node,
                    a.asname or a.name,
                    "ext",
                    [m, a.name],
                    in_try=self.try_depth > 0,
                    who=self.who,
                )
                for a in node.names
            ]
        return node

    def visit_Import(self, node):
        out = []
        for a in node.names:
            top = a.name.split(".")[0]
            if top == "keras":
                if a.asname:
                    head, _, last = a.name.rpartition(".")
                    if head:
                        out.append(self._assign(node, a.asname, "get", [head, last]))
                    else:
                        out.append(self._assign(node, a.asname, "public", ["keras"]))
                else:
                    out.append(self._assign(node, "keras", "public", ["keras"]))
            elif top in FOREIGN or top == "jax":
                out.append(
                    self._assign(
                        node,
                        a.asname or top,
                        "ext",
                        [a.name],
                        in_try=self.try_depth > 0,
                        top_only=a.asname is None,
                        who=self.who,
                    )
                )
            else:
                out.append(ast.copy_location(ast.Import(names=[a]), node))
        return out

    def visit_Try(self, node):
        catches = any(
            h.type is None
            or any(
                isinstance(x, ast.Name) and x.id in ("ImportError", "ModuleNotFoundError", "Exception")
                for x in ast.walk(h.type)
            )
            for h in node.handlers
        )
        self.try_depth += catches
        node.body = [y for x in node.body for y in self._many(x)]
        self.try_depth -= catches
        for field in ("handlers", "orelse", "finalbody"):
            setattr(
                node,
                field,
                [y for x in getattr(node, field) for y in self._many(x)],
            )
        return node

    def _many(self, x):
        r = self.visit(x)
        if r is None:
            return []
        return r if isinstance(r, list) else [r]

    def visit_If(self, node):
        # `if backend.backend() == "jax": ... else: raise ImportError`:
        # an unknown backend takes the branch of the NumPy backend.
        chain, cur = [], node
        while True:
            chain.append(cur)
            if len(cur.orelse) == 1 and isinstance(cur.orelse[0], ast.If):
                cur = cur.orelse[0]
            else:
                break
        last = chain[-1]
        if (
            len(chain) > 1
            and len(last.orelse) == 1
            and isinstance(last.orelse[0], ast.Raise)
            and "ImportError" in ast.dump(last.orelse[0])
            and "backend" in ast.dump(node.test)
        ):
            for c in chain:
                if "'numpy'" in ast.dump(c.test):
                    last.orelse = [copy.deepcopy(x) for x in c.body]
                    break
        return self.generic_visit(node)

    def visit_Subscript(self, node):
        self.generic_visit(node)
        k = node.slice
        if (
            isinstance(node.ctx, ast.Load)
            and isinstance(k, ast.Call)
            and isinstance(k.func, ast.Attribute)
            and k.func.attr == "backend"
            and not k.args
        ):
            return ast.copy_location(
                ast.Call(
                    func=ast.Attribute(
                        value=ast.Name("__ks__", ast.Load()),
                        attr="by_backend",
                        ctx=ast.Load(),
                    ),
                    args=[node.value],
                    keywords=[],
                ),
                node,
            )
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        f = node.func
        is_patch = (isinstance(f, ast.Name) and f.id == "patch") or (isinstance(f, ast.Attribute) and f.attr == "patch")
        if is_patch and node.args and isinstance(node.args[0], ast.Constant):
            s = node.args[0].value
            if isinstance(s, str) and s.startswith("keras.src."):
                node.args[0] = ast.copy_location(ast.Constant("ks_internal." + s), node.args[0])
            elif isinstance(s, str) and s.startswith("keras."):
                node.args[0] = ast.copy_location(ast.Constant(self.shim.target + s[5:]), node.args[0])
        return node
