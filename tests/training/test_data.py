"""Data adapters and epochs: which batches come, in which order, and what is refused."""

import random
import warnings

import numpy as np
import pytest

from kerasish.core.tensor import Tensor
from kerasish.training.data import adapter_for, train_validation_split
from kerasish.training.data.weights import class_weight_to_sample_weights
from kerasish.training.epochs import Epochs
from kerasish.utils import PyDataset
from kerasish.utils.batch_utils import unpack_x_y_sample_weight

X = np.arange(20, dtype="float32").reshape(10, 2)
Y = np.arange(10)


def epoch(source):
    """The rows of one epoch, batch by batch."""
    return [
        np.asarray(unpack_x_y_sample_weight(batch)[0])[..., 0].tolist()
        for _, group in source.groups()
        for batch in group
    ]


def arrays(x=X, y=None, sample_weight=None, **kwargs):
    return adapter_for(x, y, sample_weight, **kwargs)


def test_slices_are_views():
    batches = list(arrays(X, Y, batch_size=4).batches())
    assert [len(batch[0]) for batch in batches] == [4, 4, 2]
    assert all(np.shares_memory(batch[0].value, X) for batch in batches)
    assert all(isinstance(part, Tensor) for batch in batches for part in batch)


def test_structure_is_kept():
    (batch,) = arrays({"b": X, "a": [X, X]}, (Y, None)).batches()
    assert list(batch[0]) == ["b", "a"]
    assert isinstance(batch[0]["a"], list)
    assert isinstance(batch[1], tuple)
    assert batch[1][1] is None


def test_shuffled_within_batches():
    batches = [np.asarray(batch[1]).tolist() for batch in arrays(X, Y, batch_size=4, shuffle="batch").batches()]
    assert [sorted(batch) for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.parametrize(
    "value, dtype",
    [
        (X.astype("float64"), "float32"),
        (X.astype("float16"), "float32"),
        (X.astype("int8"), "int8"),
        (X > 3, "bool"),
        (X.tolist(), "float32"),
        (Tensor(X), "float32"),
    ],
    ids=str,
)
def test_dtypes(value, dtype):
    (batch,) = arrays(value).batches()
    assert batch.dtype == dtype
    assert batch.shape == (10, 2)


def test_other_libraries():
    pandas, torch = pytest.importorskip("pandas"), pytest.importorskip("torch")
    for x in (pandas.DataFrame(X), torch.tensor(X), torch.tensor(X, requires_grad=True)):
        (batch,) = arrays(x).batches()
        np.testing.assert_array_equal(batch, X)
    (batch,) = arrays(pandas.Series(X[:, 0])).batches()
    assert batch.shape == (10, 1)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y)), batch_size=6)
    adapter = adapter_for(loader)
    assert adapter.num_batches == 2
    assert [batch[0].shape for batch in adapter.batches()] == [(6, 2), (4, 2)]


@pytest.mark.parametrize(
    "x, y, sample_weight, match",
    [
        (X, Y[:3], None, "'x' sizes: 10\n'y' sizes: 3"),
        (X, Y, np.ones(3), "'sample_weight' sizes: 3"),
        (X[:0], Y[:0], None, "no samples"),
        (None, Y, None, None),
        ("abc", Y, None, "Unrecognized data type"),
        (object(), Y, None, "Unrecognized data type"),
        (X, Y, 1.0, "Unrecognized data type"),
        (X.astype(object), Y, None, "Invalid dtype: object"),
        (np.array(["a", "b"]), None, None, "Invalid dtype: str"),
        (np.float32(1), None, None, "Unrecognized"),
        (X, [Y, Y], {"a": Y}, "one `sample_weight` array per output"),
        ((b for b in [(X, Y)]), Y, None, "as a generator, `y` should not be passed"),
        ((b for b in [(X, Y)]), None, Y, "as a generator, `sample_weights` should not be passed"),
        (iter([]), None, None, "empty generator"),
        (iter([[X, Y]]), None, None, "must return a tuple"),
        (iter([(X, Y, Y, Y)]), None, None, "Data is expected to be in format"),
    ],
)
def test_refused(x, y, sample_weight, match):
    if x is None and match is None:
        assert arrays(x, y).num_samples == 10
        return
    with pytest.raises(ValueError, match=match):
        adapter_for(x, y, sample_weight)


@pytest.mark.parametrize("batch_size, error", [(2.0, TypeError), (-1, ValueError)])
def test_refused_batch_sizes(batch_size, error):
    with pytest.raises(error, match="batch_size"):
        arrays(batch_size=batch_size)


def test_class_weights():
    weights = {0: 2.0, 2: 0.5}
    expected = [2.0, 1.0, 0.5]
    for y in (np.arange(3), np.arange(3)[:, None], np.eye(3), np.arange(3.0)):
        np.testing.assert_array_equal(class_weight_to_sample_weights(y, weights), expected)
    (batch,) = arrays(X, Y, class_weight={0: 3.0}).batches()
    np.testing.assert_array_equal(batch[2], [3.0] + [1.0] * 9)
    with pytest.raises(ValueError, match="single output"):
        arrays(X, [Y, Y], class_weight=weights)
    with pytest.raises(ValueError, match="`class_weight` and `sample_weight`"):
        arrays(X, Y, np.ones(10), class_weight=weights)


def test_one_weight_for_all_outputs():
    weights = np.ones(10)
    (batch,) = arrays(X, [Y, Y], weights).batches()
    assert [part.shape for part in batch[2]] == [(10,), (10,)]


def test_validation_split():
    (x, y, w), (vx, vy, vw) = train_validation_split((X, [Y, Y], None), 0.25)
    assert (len(x), len(y[1]), w, vw) == (7, 7, None, None)
    np.testing.assert_array_equal(vx, X[7:])
    np.testing.assert_array_equal(vy[0], Y[7:])
    for split in (1.0, 0.99):
        with pytest.raises(ValueError, match="contains 10 samples"):
            train_validation_split((X, Y, None), split)
    with pytest.raises(ValueError, match="only supported for tensors or NumPy"):
        train_validation_split((iter([X]), None, None), 0.5)


def test_epochs_go_through_the_data():
    source = Epochs(arrays(X, batch_size=4))
    assert epoch(source) == epoch(source) == [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18]]


def test_epochs_go_on_where_they_stopped():
    source = Epochs(arrays(X, batch_size=4), steps_per_epoch=2)
    assert epoch(source) == [[0, 2, 4, 6], [8, 10, 12, 14]]
    with pytest.warns(UserWarning, match="ran out of data"):
        assert epoch(source) == [[16, 18]]
    assert epoch(source) == [[0, 2, 4, 6], [8, 10, 12, 14]]


def test_steps_equal_to_the_data():
    source = Epochs(arrays(X, batch_size=5), steps_per_epoch=2)
    assert epoch(source) == epoch(source) == [[0, 2, 4, 6, 8], [10, 12, 14, 16, 18]]


@pytest.mark.parametrize("steps, sizes", [(None, [12]), (2, [6, 6]), (5, [3, 3, 3, 3]), (1, [12]), (12, [1] * 12)])
def test_steps_say_how_large_batches_are_where_nothing_else_does(steps, sizes):
    adapter = adapter_for(np.zeros((12, 2), "float32"), None, None, steps=steps)
    assert [unpack_x_y_sample_weight(batch)[0].shape[0] for batch in adapter.batches()] == sizes


def test_groups_of_batches():
    groups = [(step, len(batches)) for step, batches in Epochs(arrays(batch_size=2), None, 3).groups()]
    assert groups == [(0, 3), (3, 2)]


def test_generator():
    source = Epochs(adapter_for((X[i : i + 2], Y[i : i + 2]) for i in (0, 2, 4)))
    assert np.asarray(source.peek()[1]).tolist() == [0, 1]
    assert epoch(source) == [[0, 2], [4, 6], [8, 10]]
    with pytest.warns(UserWarning, match="ran out of data"):
        assert epoch(source) == []


def test_generator_in_steps():
    source = Epochs(adapter_for((X[i : i + 1],) for i in range(5)), steps_per_epoch=2)
    assert [epoch(source), epoch(source)] == [[[0], [2]], [[4], [6]]]
    with pytest.warns(UserWarning, match="ran out of data"):
        assert epoch(source) == [[8]]


def test_iterable_of_unknown_length():
    class Stream:
        def __iter__(self):
            return iter([(X[:2], Y[:2]), (X[2:3], Y[2:3])])

    source = Epochs(adapter_for(Stream()))
    assert source.num_batches is None
    assert epoch(source) == epoch(source) == [[0, 2], [4]]


class Rows(PyDataset):
    def __init__(self, n=4, **kwargs):
        super().__init__(**kwargs)
        self.n = n
        self.events = []

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        self.events.append(i)
        return X[i : i + 1], Y[i : i + 1]

    def on_epoch_begin(self):
        self.events.append("begin")

    def on_epoch_end(self):
        self.events.append("end")


def test_py_dataset():
    dataset = Rows()
    source = Epochs(adapter_for(dataset))
    assert epoch(source) == epoch(source) == [[0], [2], [4], [6]]
    assert dataset.events == [0, 1] + ["begin", 0, 1, 2, 3, "end"] * 2  # as Keras does to know the types


def test_py_dataset_may_grow():
    class Growing(Rows):
        def on_epoch_end(self):
            self.n += 1

    source = Epochs(adapter_for(Growing(2)))
    assert [len(epoch(source)) for _ in range(3)] == [2, 3, 4]


@pytest.mark.parametrize("multiprocessing", [False, True])
def test_py_dataset_with_workers(multiprocessing):
    dataset = Rows(10, workers=3, use_multiprocessing=multiprocessing, max_queue_size=4)
    source = Epochs(adapter_for(dataset))
    assert epoch(source) == [[2 * i] for i in range(10)]
    assert (dataset.events[2], dataset.events[-1]) == ("begin", "end")


def test_py_dataset_worker_error():
    class Broken(Rows):
        def __getitem__(self, i):
            if i == 2:
                raise RuntimeError("unreadable file")
            return super().__getitem__(i)

    with pytest.raises(RuntimeError, match="unreadable file"):
        epoch(Epochs(adapter_for(Broken(workers=2))))


def test_py_dataset_shuffled():
    random.seed(1)
    source = Epochs(adapter_for(Rows(10), shuffle=True))
    first, second = epoch(source), epoch(source)
    assert sorted(first) == sorted(second) == [[2 * i] for i in range(10)]
    assert first != second


def test_py_dataset_without_end():
    class Endless(Rows):
        @property
        def num_batches(self):
            return None

    source = Epochs(adapter_for(Endless()), steps_per_epoch=3)
    assert [epoch(source), epoch(source)] == [[[0], [2], [4]], [[6], [8], [10]]]


def test_py_dataset_beside_targets():
    with pytest.raises(ValueError, match="as a PyDataset, `y` should not"):
        adapter_for(Rows(), Y)
    with pytest.raises(ValueError, match="no batches"):
        adapter_for(Rows(0))


def test_py_dataset_class_weights():
    (_, _, weights), *_ = adapter_for(Rows(), class_weight={0: 5.0}).batches()
    assert weights.tolist() == [5.0]


def test_no_warning_at_a_normal_end():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        epoch(Epochs(adapter_for(iter([(X, Y)]))))
