"""Seeds: the generator of a layer, the global one, and `set_random_seed`."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator

import numpy as np

from kerasish.core import scopes
from kerasish.core.tensor import Tensor
from kerasish.core.variable import Variable
from kerasish.core.whole import restored_later
from kerasish.device import on
from kerasish.random import stateful

# An unordered draw multiplies by the one and reduces by the other, which are primes.
FACTOR, MODULUS = 5387, 933199
# Seeds are int64; the generator takes int32.
SEEDS = 2**31 - 2


class SeedGenerator:
    """A source of seeds whose state is a variable, so that it is saved and restored with a model.

    The state is a pair: the seed, and how often a seed was drawn. A layer that draws keeps a generator and
    passes it as `seed` on every call; each call then gets fresh numbers, the same ones in every run.

    Args:
        seed: Integer to start from. Python's `random` chooses one if it is `None`.
        name: Name of the generator, which begins the path of its state.

    Raises:
        ValueError: If `seed` is not an integer, or for an unknown keyword.

    Example:

    ```python
    generator = keras.random.SeedGenerator(seed=42)
    x = keras.random.normal((2, 3), seed=generator)
    y = keras.random.normal((2, 3), seed=generator)  # other numbers
    ```
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs):
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments: {kwargs}")
        self.name = scopes.auto_name(type(self).__name__) if name is None else name
        self._initial_seed = seed
        seed = make_default_seed() if seed is None else seed
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed}")
        with scopes.name_scope(self.name, caller=self), on("cpu"):  # it is read at each draw
            self.state = Variable(_state(seed), trainable=False, name="seed_generator_state")

    def next(self, ordered: bool = True) -> Tensor:
        """The present state as a seed; the state moves on.

        Args:
            ordered: Whether states follow one another by counting. If not, they jump, so that nothing can be said about
                which seed comes at which draw; that is how the global generator is read.
        """
        seed = self.state.numpy()
        self.state.assign(seed + [0, 1] if ordered else (seed + 1) * FACTOR % MODULUS)
        return Tensor(seed)

    def get_config(self) -> dict:
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict) -> SeedGenerator:
        return cls(**config)


def _state(seed: int) -> np.ndarray:
    if not -(2**63) <= seed < 2**63:
        raise ValueError(f"Argument `seed` must fit into 64 bits. Received: seed={seed}")
    return np.array([seed, 0], np.int64)


def make_default_seed() -> int:
    """A seed from Python's `random`, which `set_random_seed` makes reproducible."""
    return random.randint(1, int(1e9))


def global_seed_generator() -> SeedGenerator:
    """The generator behind draws without a seed."""
    store = _store()
    if "generator" not in store:
        store["generator"] = SeedGenerator()
    return store["generator"]


def _store() -> dict:
    return scopes.get_global("random", dict)


def draw_seed(seed: int | SeedGenerator | None) -> Tensor:
    """The seed pair for one draw.

    Args:
        seed: An integer (the same numbers each time), a `SeedGenerator` (which moves on), or `None` (the global one).

    Raises:
        ValueError: For anything else.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        return global_seed_generator().next(ordered=False)
    if isinstance(seed, int) and not isinstance(seed, bool):
        return Tensor(_state(seed))
    raise ValueError(
        "Argument `seed` must be either an integer or an instance of `SeedGenerator`. "
        f"Received: seed={seed} (of type {type(seed)})"
    )


def draw_pair(seed: int | SeedGenerator | None) -> tuple[int, int]:
    """`draw_seed` as the kernels take it: two integers of 31 bits."""
    if _local.listeners:
        _local.listeners[-1].append(seed)
    first, second = draw_seed(seed).value.tolist()
    return first % SEEDS, second % SEEDS


class _Local(threading.local):
    def __init__(self):
        self.listeners: list[list] = []


_local = _Local()
restored_later(_local, "listeners")


@contextlib.contextmanager
def noting_draws() -> Iterator[list]:
    """A list to which `draw_pair` adds what it is given on this thread."""
    before, noted = _local.listeners, []
    _local.listeners = [*before, noted]
    try:
        yield noted
    finally:
        _local.listeners = before


def set_random_seed(seed: int) -> None:
    """Seed everything that draws: Python's `random`, NumPy, and this library.

    After it a script makes the same initial weights, the same dropout masks and the same shuffles in every run, and the
    same as Keras on TensorFlow. `fit` then visits samples in one order that it repeats each epoch, as Keras does.

    Args:
        seed: Integer from 0 to 2**32 - 1.

    Raises:
        ValueError: If it is not one.

    Example:

    ```python
    keras.utils.set_random_seed(7)
    model = build_model()  # starts from the same weights every time
    ```
    """
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise ValueError(f"Expected `seed` argument to be an integer. Received: seed={seed} (of type {type(seed)})")
    np.random.seed(seed)
    random.seed(seed)
    stateful.set_global_seed(seed)
    _store().clear()
