"""In which order `fit` visits the samples of arrays.

Keras on TensorFlow draws the order in a function of a data set, which is made anew for each epoch and starts from the
global seed: with a seed, every epoch and every `fit` visits the samples in the same order. Later versions draw it from
the epoch's number instead. `RULES` says which rule belongs to which version; the one of `KERAS_VERSION` is used.
`"epoch"` is this library's own: a new order each epoch, by the later rule (Keras takes the word for True).
"""

import functools
from collections.abc import Callable, Iterator

import numpy as np

from kerasish import KERAS_VERSION
from kerasish.kernels.reference.random import Philox
from kerasish.random import stateful


def _repeated(samples: int, epoch: int) -> np.ndarray:
    """The same order for each epoch, from the global seed; without one always another."""
    if stateful.global_seed() is None:
        return stateful.permutation(samples, _generator())
    return _kept(samples, stateful.seed_pair(0))


@functools.lru_cache(maxsize=2)
def _kept(samples, pair):
    order = stateful.permutation(samples, Philox.unmixed(*pair))
    order.flags.writeable = False
    return order


def _by_epoch(samples: int, epoch: int) -> np.ndarray:
    """An order for each number of an epoch."""
    return stateful.permutation(samples, Philox((epoch, 0)))


def _generator() -> Philox:
    """The generator of a function's first op."""
    seeded = stateful.global_seed() is not None
    return Philox.unmixed(*(stateful.seed_pair(0) if seeded else stateful.fresh_pair()))


RULES: dict[tuple[int, int], Callable[[int, int], np.ndarray]] = {(3, 0): _repeated, (3, 16): _by_epoch}


def _rule():
    """The newest rule that is not newer than the version of Keras."""
    version = tuple(int(part) for part in KERAS_VERSION.split(".")[:2])
    return RULES[max(since for since in RULES if since <= version)]


def sample_order(samples: int, epoch: int, shuffle: bool | str) -> np.ndarray:
    """The samples' numbers in the order of an epoch (counted from 0 since `fit` began)."""
    return _by_epoch(samples, epoch) if shuffle == "epoch" else _rule()(samples, epoch)


def orders_in_batches(samples: int, size: int) -> Iterator[np.ndarray]:
    """The samples' numbers batch by batch; batches stay where they are, their samples are shuffled.

    One generator serves all batches, each of which begins at a block.
    """
    philox, block = _generator(), 0
    for start in range(0, samples, size):
        count = min(size, samples - start)
        yield start + stateful.permutation(count, philox, block)
        block += (count + 2) // 4
