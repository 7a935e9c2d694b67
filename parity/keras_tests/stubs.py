"""Stand-ins for names that a test imports and nobody offers: they complain when they are used, not before."""

from __future__ import annotations

import inspect
import types


class HarnessSignal(NotImplementedError):
    kind = "?"


class InternalName(HarnessSignal):
    kind = "internal"


class MissingFeature(HarnessSignal):
    kind = "missing"


class NotApplicable(HarnessSignal):
    kind = "n/a"


class State:
    importing = False  # a test module is being executed
    events = []  # (kind, text) raised since the current test began
    oracles = set()  # oracle packages looked at since then


def complain(exc, what):
    text = {
        "internal": f"uses Keras-internal name {what}",
        "missing": f"target lacks {what}",
        "n/a": f"needs {what}",
    }[exc.kind]
    State.events.append((exc.kind, text))
    raise exc(text)


class Stub:
    """Stands for a name we cannot supply; complains on use, not on import."""

    def __init__(self, exc, what):
        object.__setattr__(self, "_ks", (exc, what))

    def __getattr__(self, name):
        exc, what = self._ks
        if name == "__name__":
            return what.rpartition(".")[2]
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if exc is NotApplicable and name == "available":
            return False
        return Stub(exc, f"{what}.{name}")

    def __call__(self, *a, **k):
        exc, what = self._ks
        if State.importing:
            # module-level decorators and constants: stay quiet until a test
            # uses the result
            if len(a) == 1 and not k and inspect.isroutine(a[0]):
                return a[0]
            if len(a) == 1 and not k and isinstance(a[0], type):
                return a[0]
            return Stub(exc, what)
        complain(exc, what)

    def __mro_entries__(self, bases):
        exc, what = self._ks

        class Unavailable:
            def __new__(cls, *a, **k):
                complain(exc, what)

        return (Unavailable,)

    def __instancecheck__(self, obj):
        if self._ks[0] is NotApplicable:
            return False
        complain(*self._ks)

    def __subclasscheck__(self, cls):
        return False

    def __eq__(self, other):
        if other is self or State.importing:
            return other is self
        complain(*self._ks)

    def __hash__(self):
        return id(self)

    def __repr__(self):
        return f"<unavailable {self._ks[1]}>"

    def _use(self, *a, **k):
        complain(*self._ks)

    __iter__ = __len__ = __getitem__ = __enter__ = __array__ = _use
    __setitem__ = __contains__ = _use
    __add__ = __radd__ = __sub__ = __mul__ = __rmul__ = __truediv__ = _use
    __int__ = __float__ = __index__ = __fspath__ = __lt__ = __gt__ = _use

    def __exit__(self, *a):
        return False


class Oracle(types.ModuleType):
    """A real third-party module; notes which tests looked at it."""

    def __init__(self, real):
        super().__init__(real.__name__)
        self.__dict__["_ks_real"] = real

    def __getattr__(self, attr):
        real = self.__dict__["_ks_real"]
        if not State.importing:
            State.oracles.add(real.__name__.split(".")[0])
        return getattr(real, attr)
