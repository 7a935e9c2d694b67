"""The orders that TensorFlow's stateful generators give from the global seed: of samples, and of a data set's elements.

TensorFlow seeds a stateful op with two numbers: the global seed, and one of the op's own. An op that names none draws
its number from a generator that the global seed starts (`next_op_seed`), one number for each op that is made, whatever
kind of op it is. The pair is key and counter of Philox, unmixed. Without a global seed and a seed of its own, an op
draws other numbers each time.
Shuffling is Fisher and Yates's from the front; each draw is a word of the generator modulo what is left.
"""

import itertools
import random
import secrets
from collections.abc import Iterable, Iterator

import numpy as np

from kerasish.kernels.reference.random import CHUNK, Philox

SEEDS = 2**31 - 1  # TensorFlow cuts seeds to less
WITHOUT_GLOBAL = 87654321  # stands for the global seed where only an op has one
AHEAD = 64  # blocks drawn at once for a stream


class _Global:
    """The global seed, None until it is set, and the generator of op seeds that it starts."""

    seed: int | None = None
    op_seeds = random.Random()


def set_global_seed(seed: int) -> None:
    """Start anew from a seed; `clear_session` leaves it."""
    _Global.seed, _Global.op_seeds = seed, random.Random(seed)


def global_seed() -> int | None:
    """The seed that was set, None if none was."""
    return _Global.seed


def next_op_seed() -> int:
    """The seed of an op that is made outside a graph and names none."""
    return _Global.op_seeds.randint(0, SEEDS)


def seed_pair(op_seed: int | None) -> tuple[int, int] | None:
    """Key and counter for an op of this seed; None if neither it nor the session has one."""
    if op_seed is None and _Global.seed is None:
        return None
    key = WITHOUT_GLOBAL if _Global.seed is None else _Global.seed
    pair = key % SEEDS, (next_op_seed() if op_seed is None else op_seed) % SEEDS
    return pair if any(pair) else (0, SEEDS)


def fresh_pair() -> tuple[int, int]:
    """Key and counter that nobody can foresee, and that leave the generators of Python and NumPy where they are."""
    return secrets.randbits(31), secrets.randbits(31)


def words(pair: tuple[int, int]) -> Iterator[int]:
    """The generator's 32-bit words, one after the other."""
    philox = Philox.unmixed(*pair)
    for first in itertools.count(0, AHEAD):
        yield from philox.words(np.arange(first, first + AHEAD, dtype="u8")).reshape(-1).tolist()


def permutation(n: int, philox: Philox, first_block: int = 0) -> np.ndarray:
    """The numbers below n, shuffled by the words from a block on."""
    draws = max(n - 1, 0)
    blocks = np.arange(first_block, first_block + -(-draws // 4), dtype="u8")
    parts = [philox.words(blocks[at : at + CHUNK]).reshape(-1) for at in range(0, len(blocks), CHUNK)]
    drawn = np.concatenate(parts)[:draws] if parts else np.empty(0, "u4")
    places = (np.arange(draws) + drawn % np.arange(n, 1, -1)).tolist()
    order = list(range(n))  # swaps of a list's entries are five times as fast as of an array's
    for here, there in enumerate(places):
        order[here], order[there] = order[there], order[here]
    return np.array(order, np.int64)


def shuffled(elements: Iterable, size: int, pair: tuple[int, int]) -> Iterator:
    """The elements in the order in which they leave a buffer of `size`, which is kept full as long as there are more.

    The buffer is a ring: what leaves gives its place to the first one, whose place the next element takes.
    """
    source, draws = iter(elements), words(pair)
    buffer = list(itertools.islice(source, size))
    first, end = 0, len(buffer)
    while first < end:
        chosen = (first + next(draws) % (end - first)) % size
        element, buffer[chosen] = buffer[chosen], buffer[first % size]
        first += 1
        for following in itertools.islice(source, 1):
            buffer[end % size] = following
            end += 1
        yield element
