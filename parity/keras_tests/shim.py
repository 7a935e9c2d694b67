"""What a Keras test imports -> what the target offers.

Test files are compiled from the wheel with their Keras imports rewritten into look-ups here, so nothing is installed
under the name `keras`, and the target may even be `keras` itself.
"""

from __future__ import annotations

import ast
import importlib
import sys
import types

import pytest

from parity.keras_tests import adapters
from parity.keras_tests.groups import DTYPE_TESTS, FOREIGN, ORACLES
from parity.keras_tests.rewriting import Rewriter
from parity.keras_tests.stubs import InternalName, MissingFeature, NotApplicable, Oracle, State, Stub, complain
from parity.keras_tests.tracing import Traced


class ShimModule(types.ModuleType):
    def __init__(self, shim, name):
        super().__init__(name)
        self.__dict__["_ks_shim"] = shim

    def __getattr__(self, attr):
        if attr.startswith("__") and attr.endswith("__"):
            raise AttributeError(attr)
        return self._ks_shim.get(self.__name__, attr)


class PublicModule(types.ModuleType):
    """`import keras` inside a test: the target, with clear complaints."""

    def __init__(self, shim, ns):
        super().__init__(ns)
        self.__dict__["_ks_shim"] = shim

    def __getattr__(self, attr):
        if attr.startswith("__") and attr.endswith("__"):
            if attr == "__version__":
                return self._ks_shim.target_attr("keras.__version__")
            raise AttributeError(attr)
        ns = self.__name__
        if ns == "keras" and attr == "src":
            return self._ks_shim.module("keras.src")
        return self._ks_shim.public(f"{ns}.{attr}")


_ABSENT = object()


class Shim:
    def __init__(self, index, target, backend_name):
        self.index = index
        self.target = target
        self.backend_name = backend_name
        self._modules = {}
        self._publics = {}
        self._testmods = {}

    # -- the target --------------------------------------------------------
    def target_attr(self, dotted, default=_ABSENT):
        """keras.layers.Dense -> getattr(target.layers, "Dense")."""
        parts = dotted.split(".")[1:]
        try:
            obj = importlib.import_module(self.target)
        except Exception as e:
            if default is not _ABSENT:
                return default
            complain(
                MissingFeature,
                f"everything: cannot import it ({type(e).__name__}: {e})",
            )
        path = self.target
        for p in parts:
            nxt = getattr(obj, p, _ABSENT)
            if nxt is _ABSENT and isinstance(obj, types.ModuleType):
                try:
                    nxt = importlib.import_module(f"{path}.{p}")
                except ImportError:
                    nxt = _ABSENT
            if nxt is _ABSENT:
                return default
            obj, path = nxt, f"{path}.{p}"
        return obj

    def has(self, dotted):
        return self.target_attr(dotted, None) is not None

    def need(self, dotted):
        """Public name or a complaint (for the harness's own use)."""
        obj = self.target_attr(dotted, _ABSENT)
        if obj is _ABSENT:
            complain(MissingFeature, dotted)
        return obj

    def public(self, dotted):
        if dotted in self.index.namespaces:
            if dotted not in self._publics:
                self._publics[dotted] = PublicModule(self, dotted)
            return self._publics[dotted]
        if dotted in ("keras.backend.backend", "keras.config.backend"):
            return lambda: self.backend_name
        obj = self.target_attr(dotted, _ABSENT)
        if obj is not _ABSENT:
            return obj
        if dotted in self.index.public:
            return Stub(MissingFeature, dotted)
        raise AttributeError(f"module 'keras' has no public name {dotted}")

    # -- keras.src.* ---------------------------------------------------------
    def module(self, name):
        if name.rsplit(".", 1)[-1].endswith("_test"):
            return self.load_test_module(name)
        if name not in self._modules:
            self._modules[name] = ShimModule(self, name)
        return self._modules[name]

    def get(self, module, name):
        if module == "keras" or (module.startswith("keras.") and not module.startswith("keras.src")):
            module = module.replace("keras.api", "keras", 1)
            if name == "src":
                return self.module("keras.src")
            return self.public(f"{module}.{name}")
        found = adapters.override(self, module, name)
        if found is not None:
            return found
        if module.rsplit(".", 1)[-1].endswith("_test"):
            return getattr(self.load_test_module(module), name)
        kind, payload = self.index.resolve(module, name)
        if kind == "module":
            return self.module(payload)
        if kind == "public":
            payload = sorted(
                payload,
                key=lambda p: (p.rpartition(".")[2] != name, p.count(".")),
            )
            for p in payload:
                if p in ("keras.backend.backend", "keras.config.backend"):
                    return lambda: self.backend_name
                obj = self.target_attr(p, _ABSENT)
                if obj is not _ABSENT:
                    return obj
            return Stub(MissingFeature, payload[0])
        if kind == "external":
            mod, sym = payload
            return self.ext(mod, sym)
        if kind == "def":
            m, n = payload
            found = adapters.override(self, m, n)
            if found is not None:
                return found
            try:
                value = self.index.constant(m, n)
                if value is None or not (isinstance(value, (dict, list)) and not value):
                    return value
            except KeyError:
                pass
            op = self.index.op_class(m, n)
            if op:
                return adapters.make_op_class(self, n, op)
        # not exported under this internal name: is there a public name-sake?
        if module.startswith("keras.src.backend"):
            names = [f"keras.ops.{name}", f"keras.{name}"]
            if ".random" in module:
                names.insert(0, f"keras.random.{name}")
        else:
            path = module.split(".")[2:]
            names = [".".join(["keras"] + path[:i] + [name]) for i in range(len(path), 0, -1)]
        for p in names:
            if p in self.index.public:
                obj = self.target_attr(p, _ABSENT)
                return Stub(MissingFeature, p) if obj is _ABSENT else obj
        return Stub(InternalName, f"{module}.{name}")

    # -- third-party imports inside tests -----------------------------------
    def ext(self, module, name=None, in_try=False, top_only=False, who=""):
        """`import module` / `from module import name` in test file `who`."""
        top = module.split(".")[0]
        label = (top if top_only else module) + (f".{name}" if name else "")
        oracle = any(who.startswith(p) for p in ORACLES.get(top, ()))
        mine = top == self.backend_name
        if top in FOREIGN and not mine and not oracle:
            if in_try:
                raise ImportError(f"{top} is not offered to tests")
            return Stub(NotApplicable, label)
        try:
            mod = importlib.import_module(module)
        except ImportError:
            if in_try or not oracle:
                raise
            return Stub(NotApplicable, label)
        if top_only:
            mod = sys.modules[top]
        if not mine:
            mod = Oracle(Traced(mod) if module == "jax.numpy" and who.startswith(DTYPE_TESTS) else mod)
        if name is None:
            return mod
        try:
            return getattr(mod, name)
        except AttributeError:
            return importlib.import_module(f"{module}.{name}")

    def by_backend(self, table):
        """`{"tensorflow": ..., "torch": ...}[backend.backend()]`"""
        for k in (self.backend_name, "numpy", "torch", "tensorflow"):
            if k in table:
                return table[k]
        raise KeyError(self.backend_name)

    def conftest(self, name):
        if name == "skip_if_backend":
            return lambda backend, reason: pytest.mark.skipif(self.backend_name == backend, reason=reason)
        return Stub(InternalName, f"conftest.{name}")

    # -- compiling test modules ---------------------------------------------
    def load_test_module(self, name):
        if name in self._testmods:
            m = self._testmods[name]
            if isinstance(m, BaseException):
                raise m
            return m
        path, _ = self.index.mod_path(name)
        with open(path, encoding="utf-8") as f:
            tree = ast.parse(f.read(), path)
        tree = ast.fix_missing_locations(Rewriter(self, name).visit(tree))
        mod = types.ModuleType(name)
        mod.__file__ = path
        mod.__package__ = name.rpartition(".")[0]
        mod.__dict__["__ks__"] = self
        code = compile(tree, path, "exec")
        was = State.importing
        State.importing = True
        sys.modules[name] = mod
        try:
            exec(code, mod.__dict__)
        except BaseException as e:
            sys.modules.pop(name, None)
            self._testmods[name] = e
            raise
        finally:
            State.importing = was
        self._testmods[name] = mod
        return mod

    def wheel_functions(self, module, names):
        """Run chosen pure helper functions of the wheel, in isolation.

        Only for arithmetic helpers that tests use as part of their own NumPy
        reference implementation (see adapters.ORACLE_HELPERS).
        """
        info = self.index.module(module)
        ns = {"__ks__": self, "__name__": f"ks_oracle.{module}"}
        body = [n for n in info.tree.body if isinstance(n, (ast.Import, ast.ImportFrom))] + [
            n for k, n in info.defs.items() if isinstance(n, ast.FunctionDef)
        ]
        tree = ast.Module(body=body, type_ignores=[])
        tree = ast.fix_missing_locations(Rewriter(self).visit(tree))
        was, State.importing = State.importing, True
        try:
            exec(compile(tree, info.path, "exec"), ns)
        finally:
            State.importing = was
        return {n: ns[n] for n in names}


_shim = {}


def SHIM():
    """The shim of this process."""
    return _shim["shim"]


def install(index, target, backend_name):
    """Make the shim of this process."""
    _shim["shim"] = Shim(index, target, backend_name)
    return _shim["shim"]
