"""Stamps: what something made of layers and variables took for granted, and whether it still is so.

A plan bakes in attributes and methods of layers; folded weights and recordings bake in values of variables, too. Each
takes a stamp before it reads anything, asks it when it is done, and again before each use. Changes may come from any
thread at any moment: who changes something does so first and numbers the change then (`Tracked`, `Variable`), or says
beforehand that he is about to write (`writing`).
"""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Iterable

import numpy as np

from kerasish.core.variable import Variable, being_written, latest_write
from kerasish.kernels import settings
from kerasish.layers.layer import Layer
from kerasish.layers.tracking import latest_change

ENTRIES = ("__call__", "call", "compute_mask")  # what a call of a layer goes through, with all that these use


class Configuration:
    """What layers are: their attributes, their classes, the methods of these; and how kernels may compute.

    Asking costs a look at one counter, unless some layer has changed, and at the methods of each class.
    """

    def __init__(self, layers: Iterable[Layer]):
        layers, self._settings = list(layers), settings.version()
        self._seen = latest_change[0]  # first: what changes while the rest is read counts as changed
        self._fields = [(vars(layer), vars(layer).get("_change")) for layer in layers]
        self._methods = [look for cls in dict.fromkeys(map(type, layers)) for look in methods_of(cls).looks]
        self._contents = [
            (fields, name, _content(value))
            for fields, _ in self._fields
            for name, value in list(fields.items())
            if name[0] != "_" and isinstance(value, (list, dict, set, np.ndarray))
        ]

    def holds(self) -> bool:
        """Whether nothing has changed."""
        if settings.version() != self._settings:
            return False
        now = latest_change[0]
        if now != self._seen:
            for fields, change in self._fields:
                if fields.get("_change") != change:
                    return False
            self._seen = now
        return hold(self._methods) and (
            not self._contents or all(_is_same(fields.get(name), was) for fields, name, was in self._contents)
        )


class Values:
    """What variables hold.

    Asking costs a look at one counter, unless some variable has changed.

    Attributes:
        quiet: whether nobody was writing when the stamp was taken; what is made of the values is worth keeping then.
    """

    def __init__(self, variables: Iterable[Variable]):
        variables = list(variables)
        self._seen = latest_write[0]
        self._held = [(v, v.version, v.array) for v in variables]
        self.quiet = not being_written(variables)  # last: who comes later raises a version that was read

    @property
    def arrays(self) -> list:
        """The arrays."""
        return [array for _, _, array in self._held]

    def holds(self) -> bool:
        """Whether the variables hold the same values."""
        now = latest_write[0]
        if now != self._seen:
            for v, version, array in self._held:
                if v.version != version or v.array is not array:
                    return False
            self._seen = now
        return True


class Methods:
    """The methods of a class that a call of its layers goes through.

    Attributes:
        names: of the attributes of the class that the call uses.
        looks: classes, what gets those attributes of them, what it got.
        own: whether all of them are this library's.
    """

    def __init__(self, cls: type):
        self.names = _forward_names(cls)
        in_class = _in_class(cls)
        found = {name: in_class[name] for name in self.names}
        places = [(cls, operator.attrgetter(*self.names))]
        for base in cls.__mro__[1:]:  # what is overridden may be called by `super`
            behind = [name for name in self.names if name in vars(base) and vars(base)[name] is not found[name]]
            if behind and issubclass(base, Layer) and base is not Layer:
                places.append((base, operator.attrgetter(*behind)))
        self.looks = [(place, get, get(place)) for place, get in places]
        functions = [_function(x) for x in found.values()]
        self.own = cls.__module__.startswith("kerasish.layers.") and all(is_own(f) for f in functions if callable(f))


def hold(looks: list[tuple]) -> bool:
    """Whether classes still have the methods that they had."""
    try:
        for place, get, found in looks:
            if get(place) != found:
                return False
    except AttributeError:
        return False
    return True


_known: dict[type, Methods] = {}


def methods_of(cls: type) -> Methods:
    """The methods of a class as they are."""
    methods = _known.get(cls)
    if methods is None or not hold(methods.looks):
        methods = _known[cls] = Methods(cls)
    return methods


def is_own(function) -> bool:
    """Whether a function, or the class of another callable, is this library's; `numba_op` makes none of a user's so."""
    place, said = getattr(function, "__globals__", None), getattr(function, "__module__", None) or ""
    names = (said,) if place is None else (place.get("__name__", ""), said)
    return all(name.partition(".")[0] == "kerasish" for name in names)


def is_library_layer(layer) -> bool:
    """Whether a layer is this library's, with no method replaced: in its class, or on the layer itself."""
    if not isinstance(layer, Layer):
        return False
    methods = methods_of(type(layer))
    return methods.own and not any(name in vars(layer) and callable(vars(layer)[name]) for name in methods.names)


def declared(layer, name: str):
    """What the class of a library's layer says of itself in an attribute; subclasses do not inherit it."""
    return vars(type(layer)).get(name) if is_library_layer(layer) else None


def _in_class(cls) -> dict:
    """What stands in a class and in those that it inherits from, by name."""
    found: dict = {}
    for base in reversed(cls.__mro__):
        found.update(vars(base))
    return found


def _forward_names(cls) -> tuple[str, ...]:
    """The names of attributes of a class that a call may use."""
    names, todo, in_class = [], list(ENTRIES), _in_class(cls)
    while todo:
        name = todo.pop()
        found = in_class.get(name)
        if found is None or name in names:
            continue
        names.append(name)
        function = _function(found)
        if name != "__call__" and isinstance(function, types.FunctionType):
            todo.extend(_names_in(function.__code__))
    return tuple(sorted(names))


@functools.cache
def _names_in(code) -> tuple[str, ...]:
    inner = [_names_in(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return tuple({*code.co_names, *(name for names in inner for name in names)})


def _function(found):
    """The function behind what stands in a class."""
    if isinstance(found, property):
        return found.fget
    return getattr(found, "__func__", found)


def _content(value):
    """A value that can be compared with the one of the same object later."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, dict):
        return {key: _content(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [_content(x) for x in value]
    return set(value) if isinstance(value, set) else value


def _is_same(value, was) -> bool:
    try:
        return bool(_content(value) == was)
    except Exception:  # what cannot be compared
        return False
