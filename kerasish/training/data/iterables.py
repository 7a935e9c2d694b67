"""Batches that come one after the other: generators, and data sets of other libraries."""

import itertools

from kerasish.core.tensor import Tensor
from kerasish.device import bring
from kerasish.training.data.arrays import map_arrays, standardize_array
from kerasish.training.data.weights import class_weight_to_sample_weights
from kerasish.utils.dataset import Dataset


def standardize_batch(batch, class_weight=None, output_rank=None) -> tuple:
    """A batch as a tuple `(x,)`, `(x, y)` or `(x, y, sample_weight)` of tensors.

    Raises:
        ValueError: If it has more parts, or something in it is no array.
    """
    parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(
            "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, "
            f"found a {type(batch).__name__} of {len(parts)} entries."
        )
    parts = tuple(map_arrays(lambda a: Tensor(bring(standardize_array(a))), part) for part in parts)
    if class_weight is None:
        return parts
    if len(parts) == 3 and parts[2] is not None:
        raise ValueError("You cannot use `class_weight` with data that has a `sample_weight` of its own.")
    y = parts[1] if len(parts) > 1 else None
    return (parts[0], y, Tensor(bring(class_weight_to_sample_weights(y, class_weight, output_rank))))


class GeneratorAdapter:
    """Batches of a generator, which can be gone through only once.

    The first batch is fetched at once, so that an empty or malformed generator is an error before training starts.
    """

    batch_size = None
    num_batches = None

    def __init__(self, generator, class_weight=None):
        if class_weight is not None:
            raise ValueError(
                "Argument `class_weight` is not supported for Python generator inputs. Received: "
                f"class_weight={class_weight}. Let the generator yield `(x, y, sample_weight)` instead."
            )
        first = list(itertools.islice(generator, 1))
        if not first:
            raise ValueError(
                "When passing a Python generator to a Keras model, the generator must yield at least one batch. "
                "Received an empty generator; was it used up by an earlier call?"
            )
        if not isinstance(first[0], tuple):
            raise ValueError(
                "When passing a Python generator to a Keras model, the generator must return a tuple, either (input,) "
                "or (inputs, targets) or (inputs, targets, sample_weights). Received: a "
                f"{type(first[0]).__name__}: {first[0]!r:.200}"
            )
        standardize_batch(first[0])
        self._stream = itertools.chain(first, generator)

    def batches(self):
        """What is left of the generator."""
        return (standardize_batch(batch) for batch in self._stream)


class IterableAdapter:
    """Batches of an object that can be iterated again and again; its length is asked, if it has one."""

    batch_size = None

    def __init__(self, dataset, class_weight=None, output_rank=None):
        self._dataset = dataset
        self._class_weight, self._output_rank = class_weight, output_rank
        self.num_batches = _length(dataset)
        if self.num_batches == 0:
            raise ValueError(f"The data set has no batches: {dataset!r:.200}")

    def batches(self):
        """One epoch."""
        return (self._standardized(batch) for batch in self._dataset)

    def begin_unread(self) -> None:
        """Makes an iterator that nobody reads, as Keras does at an epoch's end: a shuffling data set draws for it."""
        if isinstance(self._dataset, Dataset):
            iter(self._dataset)

    def _standardized(self, batch):
        """A batch as a tuple of tensors, but as it came where it is the input alone."""
        parts = standardize_batch(batch, self._class_weight, self._output_rank)
        return parts if isinstance(batch, (tuple, list)) or len(parts) > 1 else parts[0]


def _length(dataset):
    try:
        return len(dataset)
    except (TypeError, NotImplementedError):
        return None
