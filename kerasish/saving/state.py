"""The walk over a model's layers, optimizer and other parts that gives each its path in Keras's weights files.

A part is addressed by the attribute that holds it, and inside a list, tuple or dictionary by its class's name in snake
case with a counter: `layers/dense`, `layers/dense_1`, `optimizer`, `encoder/blocks/conv2d_2`.
"""

import functools
import math
from collections.abc import Iterator
from typing import Any

from kerasish.core import dtypes, scopes
from kerasish.core.operation import Operation
from kerasish.saving.h5_files import UnsafeFileError
from kerasish.saving.report import LoadReport, own_variables


def save_state(root: Any, weights: Any = None, assets: Any = None, skip: set[int] = frozenset()) -> None:
    """Writes the variables and assets of `root` and all its parts.

    Args:
        root: A model, layer or other part.
        weights: A `WritingStore`, or None.
        assets: An `AssetStore`, or None.
        skip: The ids of parts to leave out.
    """
    done: set[int] = set(skip)

    def save(part: Any, path: str) -> None:
        if id(part) in done:
            return
        done.add(id(part))
        if weights is not None and hasattr(part, "save_own_variables"):
            name = getattr(part, "name", None)
            part.save_own_variables(weights.entry(path, name if isinstance(name, str) else None))
        if assets is not None and hasattr(part, "save_assets"):
            part.save_assets(assets.make(path))
        for child, child_path in _children(part, path):
            save(child, child_path)

    save(root, "")


def load_state(root: Any, weights: Any = None, assets: Any = None, skip: set[int] = frozenset()) -> LoadReport:
    """Reads the variables and assets of `root` and all its parts; what fails at one path is tried at its others.

    Args:
        root: A model, layer or other part.
        weights: A `ReadingStore`, or None.
        assets: An `AssetStore`, or None.
        skip: The ids of parts to leave alone.

    Returns:
        What was loaded, and what failed and why.
    """
    return _Loading(weights, assets, skip).run(root)


class _Loading:
    """One run of `load_state`."""

    def __init__(self, weights: Any, assets: Any, skip: set[int]):
        self.weights, self.assets = weights, assets
        self.done, self.walking, self.own_done = set(skip), set(), set()
        self.report = LoadReport()

    def run(self, root: Any) -> LoadReport:
        self.load(root, "")
        if self.weights is not None:
            self.report.unused = self.weights.unused()
        return self.report

    def load(self, part: Any, path: str) -> bool:
        """Whether the part and all below it are loaded."""
        if id(part) in self.done or id(part) in self.walking:
            return True
        self.walking.add(id(part))
        complete = id(part) in self.own_done or self.load_own(part, path)
        for child, child_path in _children(part, path):
            complete = self.load(child, child_path) and complete
        self.walking.discard(id(part))
        if complete:
            self.done.add(id(part))
        return complete

    def load_own(self, part: Any, path: str) -> bool:
        entry = {}
        try:
            if self.weights is not None and hasattr(part, "load_own_variables"):
                entry = self.weights.entry(path, _bytes_of(part))
                part.load_own_variables(entry)
            if self.assets is not None and hasattr(part, "load_assets"):
                part.load_assets(self.assets.get(path))
        except UnsafeFileError:
            raise
        except Exception as error:
            self.report.failed_at(part, path, entry, error)
            return False
        self.own_done.add(id(part))
        self.report.loaded_at(part, path, entry)
        return True


def _bytes_of(part: Any) -> int:
    """The memory that the variables of the part itself take."""
    variables = own_variables(part) if hasattr(part, "_direct_variables") else getattr(part, "variables", ())
    return sum(math.prod(variable.shape) * dtypes.numpy_dtype(variable.dtype).itemsize for variable in variables)


def _children(part: Any, path: str) -> Iterator[tuple[Any, str]]:
    """The parts directly below, with their paths, in Keras's order: `layers` first in models, private names last."""
    for name, value in _attributes(part):
        child_path = f"{path}/{name}" if path else name
        if is_part(value):
            yield value, child_path
        elif isinstance(value, (list, tuple, dict)):
            yield from _members(value, child_path, set())


def _members(container: Any, path: str, visited: set[int]) -> Iterator[tuple[Any, str]]:
    if id(container) in visited:
        return
    visited.add(id(container))
    counts: dict[str, int] = {}
    for item in list(container.values()) if isinstance(container, dict) else list(container):
        if is_part(item):
            yield item, f"{path}/{_numbered(scopes.snake_case(type(item).__name__), counts)}"
        elif isinstance(item, (list, tuple, dict)):
            yield from _members(item, f"{path}/{_numbered('container', counts)}", visited)


def _numbered(name: str, counts: dict[str, int]) -> str:
    counts[name] = counts.get(name, -1) + 1
    return f"{name}_{counts[name]}" if counts[name] else name


def _attributes(part: Any) -> Iterator[tuple[str, Any]]:
    skipped = _skipped_attributes(_kind(part))
    if hasattr(part, "layers") and _kind(part) in ("Functional", "Sequential"):
        yield "layers", part.layers
    names = (name for name in dir(part) if not name.startswith("__") and name not in skipped)
    for name in sorted(names, key=lambda name: f"~{name}" if name.startswith("_") else name):
        try:
            value = getattr(part, name)
        except Exception:  # a property may say no in many ways; it holds no state then
            continue
        yield name, value


def is_part(value: Any) -> bool:
    """Whether a value may hold state: a layer, optimizer, metric or loss."""
    return isinstance(value, Operation) or isinstance(value, _base_classes())


@functools.cache
def _base_classes() -> tuple[type, ...]:
    from kerasish.losses import Loss
    from kerasish.metrics import Metric
    from kerasish.optimizers import Optimizer

    return Metric, Loss, Optimizer


def _kind(part: Any) -> str:
    if isinstance(part, _base_classes()):
        return next(base.__name__ for base in _base_classes() if isinstance(part, base))
    names = {cls.__name__ for cls in type(part).__mro__ if cls.__module__.startswith("kerasish.")}
    return next((kind for kind in ("Sequential", "Functional", "Layer") if kind in names), "Operation")


@functools.cache
def _skipped_attributes(kind: str) -> frozenset[str]:
    """What a bare object of the kind has too: its machinery, not its parts."""
    from kerasish.layers import Layer

    metric, loss, optimizer = _base_classes()
    if kind in ("Layer", "Functional", "Sequential"):
        return frozenset(dir(Layer(name="reference"))).union(_private_attributes(kind))
    if kind == "Operation":
        return frozenset(dir(Operation(name="reference")))
    base = {"Metric": metric, "Loss": loss}.get(kind)
    reference = base(name="reference") if base else optimizer(1.0, name="reference")
    return frozenset(dir(reference))


def _private_attributes(kind: str) -> set[str]:
    """Where a Functional or Sequential model keeps, for itself, what its `layers` give."""
    from kerasish.layers import Input
    from kerasish.models.functional import Functional
    from kerasish.models.sequential import Sequential

    if kind == "Layer":
        return set()
    x = Input((1,), name="reference")
    bare = Sequential(name="reference") if kind == "Sequential" else Functional(x, x, name="reference")
    return {"operations", *(name for name in dir(bare) if name.startswith("_"))}
