import itertools

import numpy as np
import pytest

from kerasish.core.tensor import Tensor
from kerasish.utils import Dataset, split_dataset, timeseries_dataset_from_array
from kerasish.utils.dataset import INFINITE, UNKNOWN


def values(dataset):
    """Elements as nested lists."""
    return [
        e.tolist() if isinstance(e, np.ndarray | np.generic) else [x.tolist() for x in e]
        for e in dataset.as_numpy_iterator()
    ]


def slices(n=5):
    return Dataset.from_tensor_slices(np.arange(n))


def from_generator():
    return Dataset.from_generator(lambda: iter(range(5)), output_types="int64")


ROWS = {
    "slices": (lambda: slices(), [0, 1, 2, 3, 4], 5),
    "slices of lists": (lambda: Dataset.from_tensor_slices(([1, 2], [3, 4])), [[1, 3], [2, 4]], 2),
    "range": (lambda: Dataset.range(2, 6, 2), [2, 4], 2),
    "generator": (from_generator, [0, 1, 2, 3, 4], UNKNOWN),
    "tensors": (lambda: Dataset.from_tensors([1, 2]), [[1, 2]], 1),
    "batch": (lambda: slices().batch(2), [[0, 1], [2, 3], [4]], 3),
    "batch, dropping": (lambda: slices().batch(2, drop_remainder=True), [[0, 1], [2, 3]], 2),
    "batch of a stream": (lambda: from_generator().batch(2), [[0, 1], [2, 3], [4]], UNKNOWN),
    "batch of a stream, dropping": (lambda: from_generator().batch(2, drop_remainder=True), [[0, 1], [2, 3]], UNKNOWN),
    "batch of a filter, dropping": (
        lambda: slices(6).filter(lambda x: x.numpy() != 2).batch(3, drop_remainder=True),
        [[0, 1, 3]],
        UNKNOWN,
    ),
    "batch of a zip of streams, dropping": (
        lambda: Dataset.zip(from_generator(), from_generator()).batch(4, drop_remainder=True),
        [[[0, 1, 2, 3], [0, 1, 2, 3]]],
        UNKNOWN,
    ),
    "batch of batches": (lambda: slices(4).batch(2).batch(2), [[[0, 1], [2, 3]]], 1),
    "unbatch": (lambda: slices().batch(2).unbatch(), [0, 1, 2, 3, 4], UNKNOWN),
    "map": (lambda: slices(3).map(lambda x: x.numpy() * 2), [0, 2, 4], 3),
    "map of pairs": (lambda: Dataset.zip(slices(2), slices(2)).map(lambda a, b: (b, a)), [[0, 0], [1, 1]], 2),
    "filter": (lambda: slices().filter(lambda x: x.numpy() % 2 == 1), [1, 3], UNKNOWN),
    "take": (lambda: slices().take(2), [0, 1], 2),
    "take of an endless one": (lambda: slices(2).repeat().take(5), [0, 1, 0, 1, 0], 5),
    "take of a stream": (lambda: from_generator().take(2), [0, 1], UNKNOWN),
    "skip": (lambda: slices().skip(3), [3, 4], 2),
    "skip of batches": (lambda: slices().batch(2).skip(1), [[2, 3], [4]], 2),
    "repeat": (lambda: slices(2).repeat(2), [0, 1, 0, 1], 4),
    "concatenate": (lambda: slices(2).concatenate(slices(1)), [0, 1, 0], 3),
    "enumerate": (lambda: slices(2).skip(1).enumerate(start=5), [[5, 1]], 1),
    "zip": (lambda: Dataset.zip((slices(3), slices(2))), [[0, 0], [1, 1]], 2),
    "cache and prefetch": (lambda: slices(3).cache().prefetch(1), [0, 1, 2], 3),
}


@pytest.mark.parametrize("make, expected, length", ROWS.values(), ids=ROWS.keys())
def test_pipelines(make, expected, length):
    dataset = make()
    assert values(dataset) == expected
    assert values(dataset) == expected
    assert dataset.cardinality() == length


def test_elements_are_tensors():
    dataset = Dataset.from_tensor_slices({"a": np.zeros((3, 2)), "b": np.arange(3)}).batch(2)
    first = next(iter(dataset))
    assert isinstance(first["a"], Tensor) and first["a"].shape == (2, 2) and first["b"].numpy().tolist() == [0, 1]
    assert len(dataset) == 2


def test_length_that_is_not_known():
    assert slices().repeat().cardinality() == INFINITE
    for dataset, kind in ((slices().repeat(), "infinite"), (from_generator(), "unknown")):
        with pytest.raises(TypeError, match=f"length is {kind}"):
            len(dataset)


@pytest.mark.parametrize("make", [lambda: slices(50), lambda: from_generator().repeat(10)], ids=["arrays", "stream"])
def test_shuffle(make):
    dataset = make().shuffle(20, seed=1)
    first, second = values(dataset), values(dataset)
    assert sorted(first) == sorted(values(make())) and first != values(make()) and first != second
    assert values(make().shuffle(20, seed=1)) == first
    fixed = make().shuffle(20, seed=1, reshuffle_each_iteration=False)
    assert values(fixed) == values(fixed)


def test_shuffled_pairs_stay_together():
    x, y = values(Dataset.from_tensor_slices((np.arange(20), np.arange(20) * 2)).shuffle(20, seed=0).batch(20))[0]
    assert [2 * i for i in x] == y and x != sorted(x)


def test_cache_reads_once():
    calls = []
    dataset = slices(3).map(lambda x: calls.append(1) or x).cache()
    assert values(dataset) == values(dataset) and len(calls) == 3
    with pytest.raises(ValueError, match="only a cache in memory"):
        slices().cache("file")


def test_unequal_lengths():
    with pytest.raises(ValueError, match=r"same length along the first axis. Received lengths: \[2, 3\]"):
        Dataset.from_tensor_slices((np.zeros(2), np.zeros(3)))


@pytest.mark.parametrize(
    "kwargs, left, right",
    [
        ({"left_size": 0.25}, [0, 1], list(range(2, 10))),
        ({"left_size": 0.33, "right_size": 0.33}, [0, 1, 2], [7, 8, 9]),
        ({"right_size": 0.25}, list(range(8)), [8, 9]),
        ({"left_size": 3}, [0, 1, 2], list(range(3, 10))),
        ({"left_size": 0.5, "shuffle": True, "seed": 3}, [1, 5, 6, 0, 9], [4, 7, 2, 8, 3]),
    ],
)
def test_split(kwargs, left, right):
    """Recorded from Keras 3.15."""
    assert tuple(map(values, split_dataset(np.arange(10), **kwargs))) == (left, right)
    assert tuple(map(values, split_dataset(slices(10), **kwargs))) == (left, right)


def test_split_pairs():
    left, right = split_dataset((np.arange(4), np.arange(4) * 2), left_size=0.5)
    assert values(left) == [[0, 0], [1, 2]] and values(right) == [[2, 4], [3, 6]]


@pytest.mark.parametrize(
    "data, kwargs, error, message",
    [
        (np.arange(10), {}, ValueError, "At least one of the `left_size` or `right_size` must be specified"),
        (
            np.arange(10),
            {"left_size": 1.5},
            ValueError,
            r"`left_size` should be either a positive integer smaller than 10",
        ),
        (np.arange(10), {"left_size": 10}, ValueError, "`left_size` should be"),
        (np.arange(10), {"right_size": "a"}, TypeError, "Invalid `right_size` Type. Expected: int or float or None"),
        (np.arange(10), {"left_size": 5, "right_size": 6}, ValueError, "The sum of `left_size` and `right_size`"),
        (np.arange(10), {"left_size": 0.01}, ValueError, "the left part would be empty"),
        (np.arange(10), {"left_size": 1, "preferred_backend": "torch"}, ValueError, "preferred_backend='torch'"),
        ([1, 2], {"left_size": 1}, ValueError, "objects, Received: <class 'int'> at index 0"),
        ((np.arange(3), np.arange(4)), {"left_size": 1}, ValueError, r"same length. Received lengths: \[3, 4\]"),
        (5, {"left_size": 1}, TypeError, "Unsupported dataset type: <class 'int'>"),
    ],
)
def test_split_refuses(data, kwargs, error, message):
    with pytest.raises(error, match=message):
        split_dataset(data, **kwargs)


X = np.arange(10)


@pytest.mark.parametrize(
    "args, kwargs, expected",
    [
        ((None, 3), {"start_index": 2, "end_index": 6, "batch_size": 9}, [[[2, 3, 4], [3, 4, 5]]]),
        (
            (X * 2, 3),
            {"batch_size": 4, "sequence_stride": 2},
            [[[[0, 1, 2], [2, 3, 4], [4, 5, 6], [6, 7, 8]], [0, 4, 8, 12]]],
        ),
        (
            (X[3:] * 2, 3),
            {"sampling_rate": 2, "batch_size": 4},
            [[[[0, 2, 4], [1, 3, 5], [2, 4, 6], [3, 5, 7]], [6, 8, 10, 12]], [[[4, 6, 8], [5, 7, 9]], [14, 16]]],
        ),
        ((X * 2, 3), {"start_index": 7}, [[[[7, 8, 9]], [14]]]),
        ((None, 9), {"batch_size": None}, [list(range(9)), list(range(1, 10))]),
    ],
)
def test_timeseries(args, kwargs, expected):
    """Recorded from Keras 3.15."""
    assert values(timeseries_dataset_from_array(X, *args, **kwargs)) == expected


def test_timeseries_shuffles_windows_with_their_targets():
    (windows, targets), *_ = values(timeseries_dataset_from_array(X, X, 3, shuffle=True, seed=1))
    assert [w[0] for w in windows] == targets and sorted(targets) == list(range(8)) and targets != list(range(8))


@pytest.mark.parametrize(
    "name, value, word",
    [
        ("sampling_rate", 0, "higher"),
        ("sequence_stride", 10, "lower"),
        ("start_index", 20, "lower"),
        ("end_index", 10, "lower"),
    ],
)
def test_timeseries_refuses(name, value, word):
    with pytest.raises(ValueError, match=f"`{name}` must be {word} than"):
        timeseries_dataset_from_array(X, None, 3, **{name: value})


@pytest.mark.parametrize("read", [0, 2, 5], ids=["nothing", "a part", "all, but not to the end"])
def test_a_cache_keeps_only_what_was_read_to_the_end(read):
    begun = []
    source = Dataset.from_generator(lambda: begun.append(1) or iter(range(5)), output_types="int64")
    cached = source.cache()
    partial = cached.as_numpy_iterator()
    assert [int(x) for x in itertools.islice(partial, read)] == [0, 1, 2, 3, 4][:read]
    del partial
    before = len(begun)
    assert values(cached) == [0, 1, 2, 3, 4]
    assert values(cached.take(3)) == [0, 1, 2]
    assert values(cached) == [0, 1, 2, 3, 4]
    assert len(begun) == before + 1  # once more; then from the cache
