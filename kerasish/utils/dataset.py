"""Dataset: a re-iterable stream of elements, with the pipeline methods that Keras scripts use."""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from kerasish.core import nest
from kerasish.core.tensor import Tensor, is_tensor
from kerasish.kernels.reference.random import Philox
from kerasish.random import stateful

INFINITE = -1
UNKNOWN = -2


class _Explained(type):
    """Says of a method that is not there which ones are."""

    def __getattr__(cls, name: str):
        raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'{_other_methods(name)}")


def _other_methods(name):
    if name.startswith("_"):
        return ""
    there = ", ".join(method for method in vars(Dataset) if not method.startswith("_"))
    return f": kerasish's Dataset has {there}; or write a Python generator for Dataset.from_generator."


class Dataset(metaclass=_Explained):
    """A stream of elements (arrays, or tuples and dicts of arrays) that can be iterated again and again.

    The methods return new datasets and read nothing until iterated. Iteration yields Tensors; `fit`, `evaluate` and
    `predict` take a dataset of batches.

    Args:
        elements: Function without arguments that returns a fresh iterator over the elements. It is called when an
            iterator is made, not when the first element is asked for: a shuffling data set draws its order then.
        length: Number of elements, `INFINITE` or `UNKNOWN`.

    Example:

    ```python
    train = Dataset.from_tensor_slices((x, y)).shuffle(1000).batch(32)
    model.fit(train, epochs=2)
    ```
    """

    def __init__(self, elements: Callable[[], Iterator], length: int = UNKNOWN):
        self._elements = elements
        self._length = length

    def __getattr__(self, name: str):
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'{_other_methods(name)}")

    @classmethod
    def from_tensor_slices(cls, tensors) -> "Dataset":
        """The rows of arrays that have the same first axis."""
        return ArrayDataset(tensors)

    @classmethod
    def from_tensors(cls, tensors) -> "Dataset":
        """One element: `tensors` as a whole."""
        element = _to_arrays(tensors)
        return Dataset(lambda: iter([element]), 1)

    @classmethod
    def from_generator(cls, generator: Callable, args: tuple = (), **specification) -> "Dataset":
        """What `generator(*args)` yields; TensorFlow's type and shape arguments are not needed."""
        _check_specification(specification)
        return Dataset(lambda: map(_to_arrays, generator(*args)))

    @classmethod
    def range(cls, *bounds: int) -> "Dataset":
        """The integers that `range` gives."""
        return ArrayDataset(np.arange(*bounds))

    @classmethod
    def zip(cls, *datasets) -> "Dataset":
        """Tuples of the elements of several datasets, as long as the shortest."""
        if len(datasets) == 1 and isinstance(datasets[0], (tuple, list)):
            datasets = tuple(datasets[0])
        lengths = [d._length for d in datasets if d._length != INFINITE]
        length = UNKNOWN if UNKNOWN in lengths else min(lengths, default=INFINITE)
        return Dataset(lambda: zip(*(d._elements() for d in datasets)), length)

    def __iter__(self) -> Iterator:
        return map(_to_tensors, self._elements())

    def as_numpy_iterator(self) -> Iterator:
        """Iterates over NumPy arrays instead of Tensors."""
        return self._elements()

    def __len__(self) -> int:
        if self._length < 0:
            kind = "infinite" if self._length == INFINITE else "unknown"
            raise TypeError(f"The dataset's length is {kind}; give `steps_per_epoch`, or use `take(n)`.")
        return self._length

    def cardinality(self) -> int:
        """Number of elements, -1 if there is no end, -2 if unknown."""
        return self._length

    def map(self, map_func: Callable, num_parallel_calls: int | None = None, deterministic: bool = True) -> "Dataset":
        """Applies a function to every element; a tuple becomes several arguments. Runs in this thread, in order."""
        return Dataset(lambda: (_to_arrays(_call(map_func, e)) for e in self._elements()), self._length)

    def filter(self, predicate: Callable) -> "Dataset":
        """Keeps the elements for which `predicate` is true."""
        return Dataset(lambda: (e for e in self._elements() if bool(_call(predicate, e))))

    def batch(self, batch_size: int, drop_remainder: bool = False) -> "Dataset":
        """Stacks `batch_size` elements into one; the last batch may be smaller, or dropped."""

        def batches(elements):
            while rows := list(itertools.islice(elements, batch_size)):
                if len(rows) == batch_size or not drop_remainder:
                    yield nest.map_structure(lambda *leaves: np.stack(leaves), *rows)

        return Dataset(lambda: batches(self._elements()), _count_batches(self._length, batch_size, drop_remainder))

    def unbatch(self) -> "Dataset":
        """The rows of every element."""
        return Dataset(lambda: itertools.chain.from_iterable(map(_rows, self._elements())))

    def shuffle(self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool = True) -> "Dataset":
        """Draws at random from a buffer of the next `buffer_size` elements, in the order that tf.data gives.

        Args:
            buffer_size: Size of the buffer, at least 1.
            seed: Seed of the order. Without it, and after `keras.utils.set_random_seed`, the order depends on how many
                such data sets were made since then; without any seed it is always another.
            reshuffle_each_iteration: Whether each iteration has an order of its own.

        Raises:
            ValueError: If `buffer_size` is smaller than 1.
        """
        order = _Order(buffer_size, seed, reshuffle_each_iteration)
        return Dataset(lambda: order.of(_when_asked(self._elements)), self._length)

    def repeat(self, count: int | None = None) -> "Dataset":
        """Goes through the elements `count` times, or without end."""
        endless = count is None or count < 0
        later = itertools.count() if endless else range(1, count)
        length = INFINITE if endless else self._length * count if self._length >= 0 else self._length

        def repeated():
            first = [self._elements()] if endless or count else []
            return itertools.chain(*first, itertools.chain.from_iterable(self._elements() for _ in later))

        return Dataset(repeated, length)

    def take(self, count: int) -> "Dataset":
        """The first `count` elements."""
        if count < 0:
            return self
        length = count if self._length == INFINITE else min(count, self._length)
        return Dataset(lambda: itertools.islice(self._elements(), count), length)

    def skip(self, count: int) -> "Dataset":
        """All but the first `count` elements."""
        length = max(self._length - count, 0) if self._length >= 0 else self._length
        return Dataset(lambda: itertools.islice(self._elements(), count, None), length)

    def concatenate(self, dataset: "Dataset") -> "Dataset":
        """The elements of this dataset, then those of another."""
        lengths = (self._length, dataset._length)
        length = INFINITE if INFINITE in lengths else UNKNOWN if UNKNOWN in lengths else sum(lengths)

        def both():
            return itertools.chain(self._elements(), _when_asked(dataset._elements))

        return Dataset(both, length)

    def enumerate(self, start: int = 0) -> "Dataset":
        """Pairs `(number, element)`."""
        return Dataset(lambda: ((np.int64(i), e) for i, e in enumerate(self._elements(), start)), self._length)

    def cache(self, filename: str = "") -> "Dataset":
        """Keeps the elements in memory once they have been read to the end."""
        if filename:
            raise ValueError(f"cache(filename={filename!r}): only a cache in memory is supported; call cache().")
        kept = []

        def keeping(elements):
            fresh = []
            for element in elements:
                fresh.append(element)
                yield element
            kept.append(fresh)

        return Dataset(lambda: iter(kept[0]) if kept else keeping(self._elements()), self._length)

    def prefetch(self, buffer_size: int | None = None) -> "Dataset":
        """This dataset: elements are made when asked for, in the thread that asks."""
        return self


class ArrayDataset(Dataset):
    """The rows of arrays in memory; shuffling and batching index the arrays instead of going row by row.

    `begin` is called when an iterator is made; it returns a function of the rows' numbers in their order.
    """

    def __init__(self, tensors, begin: Callable[[], Callable] | None = None, length: int | None = None):
        self._arrays = _to_arrays(tensors)
        rows = {len(leaf) for leaf in nest.flatten(self._arrays)}
        if len(rows) != 1:
            raise ValueError(f"All arrays need the same length along the first axis. Received lengths: {sorted(rows)}")
        self._begin = begin or (lambda: functools.partial(np.arange, *rows))
        super().__init__(lambda: self._rows(self._begin()), *(rows if length is None else [length]))

    def _rows(self, order):
        for i in order():
            yield rows_of(self._arrays, i)

    def shuffle(self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool = True) -> Dataset:
        """As `Dataset.shuffle`, of the rows' numbers."""
        order = _Order(buffer_size, seed, reshuffle_each_iteration)

        def begin():
            pair = order.next_pair()
            return lambda: order.of_numbers(pair, self._begin()())

        return ArrayDataset(self._arrays, begin, self._length)

    def take(self, count: int) -> Dataset:
        """The first `count` rows."""
        return self if count < 0 else self._part(slice(count), min(count, self._length))

    def skip(self, count: int) -> Dataset:
        """All but the first `count` rows."""
        return self._part(slice(count, None), max(self._length - count, 0))

    def _part(self, rows, length):
        def begin():
            numbers = self._begin()
            return lambda: numbers()[rows]

        return ArrayDataset(self._arrays, begin, length)

    def batch(self, batch_size: int, drop_remainder: bool = False) -> Dataset:
        """Batches of `batch_size` rows; the last may be smaller, or dropped."""
        length = _count_batches(self._length, batch_size, drop_remainder)

        def batches(order):
            numbers = order()
            for i in range(length):
                yield rows_of(self._arrays, numbers[i * batch_size : (i + 1) * batch_size])

        return Dataset(lambda: batches(self._begin()), length)


class _Order:
    """A shuffle's order: drawn for each iteration from a generator of seeds, or the same each time."""

    def __init__(self, size, seed, reshuffle):
        if size < 1:
            raise ValueError(f"`buffer_size` must be at least 1. Received: buffer_size={size}")
        self._size = int(size)
        pair = stateful.seed_pair(None if seed is None else int(seed))
        if pair is None or not reshuffle:
            self._pairs = itertools.repeat(None if reshuffle else pair or stateful.fresh_pair())
        else:
            seeds = stateful.words(pair)
            self._pairs = zip(seeds, seeds)

    def next_pair(self) -> tuple[int, int]:
        """The seeds of an iteration."""
        return next(self._pairs) or stateful.fresh_pair()

    def of(self, elements):
        """The elements, shuffled; the seeds are drawn at once."""
        return stateful.shuffled(elements, self._size, self.next_pair())

    def of_numbers(self, pair, numbers):
        """An array, shuffled."""
        if self._size >= len(numbers):
            return numbers[stateful.permutation(len(numbers), Philox.unmixed(*pair))]
        return np.fromiter(stateful.shuffled(numbers.tolist(), self._size, pair), np.int64, len(numbers))


def _when_asked(elements):
    """The elements of a function that is called when the first one is asked for."""
    yield from elements()


def shuffle_buffer(batch_size: int | None) -> int:
    """How many elements, shuffled once already, are shuffled anew in each epoch where Keras makes the data set."""
    return 1024 if batch_size is None else 8 * batch_size


def rows_of(arrays, index):
    """The rows at `index` (a number, a slice, an array of numbers) of every array."""
    return nest.map_structure(lambda leaf: leaf[index], arrays)


def _to_arrays(structure):
    """Arrays in place of the leaves of tuples and dicts; a list is one array, as in TensorFlow."""
    if isinstance(structure, dict):
        return {key: _to_arrays(value) for key, value in structure.items()}
    if isinstance(structure, tuple):
        return tuple(map(_to_arrays, structure))
    return structure.numpy() if is_tensor(structure) else np.asarray(structure)


def _to_tensors(element):
    return nest.map_structure(lambda leaf: Tensor(np.asarray(leaf)), element)


def _call(function, element):
    element = _to_tensors(element)
    return function(*element) if isinstance(element, tuple) else function(element)


def _rows(element):
    count = len(nest.flatten(element)[0])
    return (rows_of(element, i) for i in range(count))


def _count_batches(length, batch_size, drop_remainder):
    if length < 0:
        return length
    return length // batch_size if drop_remainder else -(-length // batch_size)


def _check_specification(given: Iterable[str]):
    unknown = sorted(set(given) - {"output_types", "output_shapes", "output_signature"})
    if unknown:
        raise TypeError(f"from_generator() got unexpected arguments {unknown}")
