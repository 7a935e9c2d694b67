"""What the Keras wheel says about its own names (read from source, by AST).

Nothing here imports Keras.  The index answers three questions about an
internal dotted name such as ``keras.src.layers.core.dense.Dense``:

* under which public names is it exported (``keras.layers.Dense``, ...)?
* is it re-exported from another internal module (follow the import)?
* failing that, what kind of thing is it: a sub-module, a literal constant,
  an ``Operation`` subclass that belongs to a public function, or a private?
"""

import ast
import functools
import os

SKIP_PUBLIC_DIRS = {"src", "_tf_keras", "__pycache__"}


class ModuleInfo:
    """Top-level names of one internal module."""

    def __init__(self, name, path, is_pkg):
        self.name, self.path, self.is_pkg = name, path, is_pkg
        with open(path, encoding="utf-8") as f:
            self.tree = ast.parse(f.read())
        self.imports = {}  # local name -> (module, symbol or None)
        self.stars = []  # modules imported with *
        self.defs = {}  # name -> FunctionDef / ClassDef
        self.assigns = {}  # name -> value node
        self._walk(self.tree.body)

    def _walk(self, body):
        for n in body:
            if isinstance(n, ast.ImportFrom):
                mod = n.module or ""
                for a in n.names:
                    if a.name == "*":
                        self.stars.append(mod)
                    else:
                        self.imports.setdefault(a.asname or a.name, (mod, a.name))
            elif isinstance(n, ast.Import):
                for a in n.names:
                    self.imports.setdefault(a.asname or a.name.split(".")[0], (a.name, None))
            elif isinstance(n, (ast.FunctionDef, ast.ClassDef)):
                self.defs[n.name] = n
            elif isinstance(n, ast.Assign):
                for t in n.targets:
                    if isinstance(t, ast.Name):
                        self.assigns[t.id] = n.value
            elif isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name):
                self.assigns[n.target.id] = n.value
            elif isinstance(n, (ast.If, ast.Try, ast.With)):
                self._walk(n.body)
                for extra in ("orelse", "finalbody"):
                    self._walk(getattr(n, extra, []) or [])
                for h in getattr(n, "handlers", []) or []:
                    self._walk(h.body)


class Index:
    def __init__(self, wheel_dir):
        self.root = os.path.abspath(wheel_dir)
        self.src = os.path.join(self.root, "src")
        if not os.path.isdir(self.src):
            raise SystemExit(f"{wheel_dir} is not the `keras` directory of a Keras 3 wheel")
        self._mods = {}
        self.public = {}  # public dotted name -> (module, symbol)
        self.exports = {}  # (module, symbol) -> [public dotted names]
        self.namespaces = set()  # public namespaces
        self._read_public()

    # -- public namespace files -------------------------------------------
    def _read_public(self):
        for d, dirs, files in os.walk(self.root):
            rel = os.path.relpath(d, self.root)
            if rel == ".":
                dirs[:] = [x for x in dirs if x not in SKIP_PUBLIC_DIRS]
                ns = "keras"
            else:
                ns = "keras." + rel.replace(os.sep, ".")
            if "__init__.py" not in files:
                continue
            self.namespaces.add(ns)
            with open(os.path.join(d, "__init__.py"), encoding="utf-8") as f:
                tree = ast.parse(f.read())
            for n in tree.body:
                if not isinstance(n, ast.ImportFrom):
                    continue
                if not (n.module or "").startswith("keras.src"):
                    continue
                for a in n.names:
                    pub = f"{ns}.{a.asname or a.name}"
                    self.public[pub] = (n.module, a.name)
                    self.exports.setdefault((n.module, a.name), []).append(pub)

    # -- internal modules --------------------------------------------------
    def mod_path(self, name):
        if name != "keras.src" and not name.startswith("keras.src."):
            return None
        rel = name.split(".")[1:]
        base = os.path.join(self.root, *rel)
        if os.path.isfile(os.path.join(base, "__init__.py")):
            return os.path.join(base, "__init__.py"), True
        if os.path.isfile(base + ".py"):
            return base + ".py", False
        return None

    def is_module(self, name):
        return self.mod_path(name) is not None

    def module(self, name):
        if name not in self._mods:
            p = self.mod_path(name)
            self._mods[name] = ModuleInfo(name, *p) if p else None
        return self._mods[name]

    @functools.cache
    def resolve(self, module, name):
        """-> (kind, payload); kind is one of

        public   payload = list of public dotted names
        module   payload = internal module name
        def      payload = (module, symbol), defined but not exported
        external payload = (module, symbol or None), a third-party import
        unknown  payload = None
        """
        seen = set()
        todo = [(module, name)]
        fallback = None
        while todo:
            m, n = todo.pop(0)
            if (m, n) in seen:
                continue
            seen.add((m, n))
            if (m, n) in self.exports:
                return "public", list(self.exports[(m, n)])
            info = self.module(m)
            if info is None:
                continue
            if n in info.imports:
                m2, n2 = info.imports[n]
                if n2 is None:
                    if m2.startswith("keras.src"):
                        return "module", m2
                    fallback = fallback or ("external", (m2, None))
                elif m2.startswith("keras.src") or m2 == "keras":
                    if self.is_module(f"{m2}.{n2}") and ((m2, n2) == (m, n) or not self._has(m2, n2)):
                        return "module", f"{m2}.{n2}"
                    todo.append((m2, n2))
                else:
                    fallback = fallback or ("external", (m2, n2))
                continue
            if n in info.defs or n in info.assigns:
                fallback = fallback or ("def", (m, n))
                continue
            if info.is_pkg and self.is_module(f"{m}.{n}"):
                return "module", f"{m}.{n}"
            for s in info.stars:
                if s.startswith("keras.src"):
                    todo.append((s, n))
        if fallback is None and self.is_module(f"{module}.{name}"):
            return "module", f"{module}.{name}"
        return fallback or ("unknown", None)

    def _has(self, m, n):
        info = self.module(m)
        return bool(info) and (n in info.defs or n in info.assigns or n in info.imports)

    # -- literal constants -------------------------------------------------
    def constant(self, module, name, depth=0):
        """Value of a module-level literal, e.g. a tuple of dtype names.

        Raises KeyError when it is not a plain literal expression.
        """
        info = self.module(module)
        if info is None or name not in info.assigns or depth > 8:
            raise KeyError(name)
        node = info.assigns[name]
        if node is None:
            raise KeyError(name)

        def ev(n):
            if isinstance(n, ast.Constant):
                return n.value
            if isinstance(n, ast.Tuple):
                return tuple(seq(n.elts))
            if isinstance(n, ast.List):
                return seq(n.elts)
            if isinstance(n, ast.Set):
                return set(seq(n.elts))
            if isinstance(n, ast.Dict):
                return {ev(k): ev(v) for k, v in zip(n.keys, n.values)}
            if isinstance(n, ast.Name):
                return self.constant(module, n.id, depth + 1)
            if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add):
                return ev(n.left) + ev(n.right)
            if isinstance(n, ast.UnaryOp) and isinstance(n.op, ast.USub):
                return -ev(n.operand)
            raise KeyError(name)

        def seq(elts):
            out = []
            for e in elts:
                if isinstance(e, ast.Starred):
                    out.extend(ev(e.value))
                else:
                    out.append(ev(e))
            return out

        return ev(node)

    # -- Operation classes -------------------------------------------------
    @functools.cache
    def op_class(self, module, name):
        """For `class Add(Operation)` in keras.src.ops.*: how to spell it with
        the public function.  -> dict(public, init_args, call_args, func_args)
        or None.
        """
        if not module.startswith("keras.src.ops"):
            return None
        info = self.module(module)
        cls = info and info.defs.get(name)
        if not isinstance(cls, ast.ClassDef):
            return None
        init = call = None
        cur, hops = cls, 0
        while cur is not None and hops < 4:
            for n in cur.body:
                if isinstance(n, ast.FunctionDef):
                    if n.name == "__init__" and init is None:
                        init = n
                    if n.name == "call" and call is None:
                        call = n
            base = cur.bases[0] if cur.bases else None
            cur = info.defs.get(base.id) if isinstance(base, ast.Name) else None
            hops += 1
        if call is None:
            return None
        best = None
        for fn in info.defs.values():
            if not isinstance(fn, ast.FunctionDef):
                continue
            if (module, fn.name) not in self.exports:
                continue
            for sub in ast.walk(fn):
                if isinstance(sub, ast.Call) and isinstance(sub.func, ast.Name) and sub.func.id == name:
                    best = fn
                    break
            if best:
                break
        if best is None:
            low = name.lower()
            for fn in info.defs.values():
                if (
                    isinstance(fn, ast.FunctionDef)
                    and fn.name.replace("_", "") == low
                    and (module, fn.name) in self.exports
                ):
                    best = fn
                    break
        if best is None:
            return None
        # the constructor call inside the function tells how class arguments
        # are spelled as function arguments
        rename = {}
        init_args = _argnames(init)[1:] if init is not None else []
        for sub in ast.walk(best):
            if isinstance(sub, ast.Call) and isinstance(sub.func, ast.Name) and sub.func.id == name:
                for i, a in enumerate(sub.args):
                    if isinstance(a, ast.Name) and i < len(init_args):
                        rename[init_args[i]] = a.id
                for k in sub.keywords:
                    if k.arg and isinstance(k.value, ast.Name):
                        rename[k.arg] = k.value.id
                break
        return {
            "public": list(self.exports[(module, best.name)]),
            "init_args": init_args,
            "call_args": _argnames(call)[1:],
            "call_vararg": call.args.vararg is not None,
            "func_args": _argnames(best),
            "func_vararg": best.args.vararg is not None,
            "func_positional": [x.arg for x in best.args.posonlyargs + best.args.args],
            "rename": rename,
        }


def _argnames(fn):
    a = fn.args
    return [x.arg for x in a.posonlyargs + a.args + a.kwonlyargs]
