"""to_categorical, normalize, pad_sequences, pack and unpack; expected values recorded from Keras 3.15."""

import numpy as np
import pytest

from kerasish import utils


@pytest.mark.parametrize(
    "x, classes, expected",
    [
        ([0, 2], None, [[1, 0, 0], [0, 0, 1]]),
        ([[0], [1]], 3, [[1, 0, 0], [0, 1, 0]]),
        ([1.7, 0.2], None, [[0, 1], [1, 0]]),
        ([-1, 1], None, [[0, 1], [0, 1]]),
        (1, None, [0, 1]),
        ([[1]], None, [[0, 1]]),
        (np.zeros((2, 1, 1), int), 2, [[[1, 0]], [[1, 0]]]),
        ([], 3, np.zeros((0, 3))),
    ],
)
def test_to_categorical(x, classes, expected):
    rows = utils.to_categorical(x, classes)
    assert rows.dtype == "float64"
    np.testing.assert_array_equal(rows, expected)


def test_to_categorical_out_of_range():
    with pytest.raises(IndexError, match="index 4 is out of bounds for axis 1 with size 3"):
        utils.to_categorical([0, 4], 3)


@pytest.mark.parametrize(
    "x, kwargs, expected",
    [
        ([[1, 2], [3, 4]], {"axis": 0, "order": 1}, [[1 / 4, 1 / 3], [3 / 4, 2 / 3]]),
        ([3.0, 4.0], {}, [[0.6, 0.8]]),
        ([[0, 0], [3, 4]], {}, [[0, 0], [0.6, 0.8]]),
        ([[1, -2], [3, 4]], {"order": np.inf}, [[0.5, -1], [0.75, 1]]),
    ],
)
def test_normalize(x, kwargs, expected):
    np.testing.assert_allclose(utils.normalize(np.array(x), **kwargs), expected, rtol=1e-15)


@pytest.mark.parametrize(
    "sequences, kwargs, expected",
    [
        ([[1], [2, 3], [4, 5, 6]], {}, [[0, 0, 1], [0, 2, 3], [4, 5, 6]]),
        (
            [[1], [2, 3], [4, 5, 6]],
            {"maxlen": 2, "padding": "post", "truncating": "post", "value": 9},
            [[1, 9], [2, 3], [4, 5]],
        ),
        ([[[1, 2], [3, 4]], [[5, 6]]], {}, [[[1, 2], [3, 4]], [[0, 0], [5, 6]]]),
        ([["a"], ["b", "c"]], {"dtype": object, "value": "z"}, [["z", "a"], ["b", "c"]]),
        ([[], [1]], {}, [[0], [1]]),
    ],
)
def test_pad_sequences(sequences, kwargs, expected):
    padded = utils.pad_sequences(sequences, **kwargs)
    assert padded.dtype == kwargs.get("dtype", "int32")
    assert padded.tolist() == expected


@pytest.mark.parametrize(
    "sequences, kwargs, message",
    [
        (3, {}, "`sequences` must be iterable."),
        ([1, 2], {}, "Found non-iterable: 1"),
        ([[1], [2, 3]], {"padding": "x"}, 'Padding type "x" not understood'),
        ([[1], [2, 3]], {"truncating": "x", "maxlen": 1}, 'Truncating type "x" not understood'),
        ([[[1, 2]], [[5]]], {}, r"Shape of sample \(1,\) of sequence at position 1 is different"),
        ([[1]], {"value": "x"}, "You should set `dtype=object`"),
    ],
)
def test_pad_sequences_refuses(sequences, kwargs, message):
    with pytest.raises(ValueError, match=message):
        utils.pad_sequences(sequences, **kwargs)


@pytest.mark.parametrize(
    "args, packed",
    [((1,), 1), (([1],), ([1],)), ((1, 2), (1, 2)), ((1, 2, 3), (1, 2, 3)), ((1, None, 3), 1), (({"a": 1},), {"a": 1})],
)
def test_pack(args, packed):
    assert utils.pack_x_y_sample_weight(*args) == packed


@pytest.mark.parametrize(
    "data, unpacked",
    [
        (5, (5, None, None)),
        ((1,), (1, None, None)),
        ([1, 2], (1, 2, None)),
        ((1, 2, 3), (1, 2, 3)),
        ({"a": 1}, ({"a": 1}, None, None)),
    ],
)
def test_unpack(data, unpacked):
    assert utils.unpack_x_y_sample_weight(data) == unpacked


@pytest.mark.parametrize("data", [(), (1, 2, 3, 4)])
def test_unpack_refuses(data):
    with pytest.raises(ValueError, match=r"Data is expected to be in format `x`, `\(x,\)`"):
        utils.unpack_x_y_sample_weight(data)


@pytest.mark.parametrize(
    "name, text", [("nope", "has no attribute 'nope'"), ("FeatureSpace", "it is not in kerasish yet; make one array")]
)
def test_absent_names(name, text):
    with pytest.raises(AttributeError, match=text):
        getattr(utils, name)


def test_py_dataset():
    class Plain(utils.PyDataset):
        def __init__(self):
            pass

    dataset = utils.PyDataset(workers=2, max_queue_size=4)
    assert (dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size) == (2, False, 4)
    assert utils.Sequence is utils.PyDataset
    with pytest.raises(NotImplementedError, match="PyDataset needs a method `__getitem__"):
        dataset[0]
    with pytest.raises(NotImplementedError, match="PyDataset needs a method `__len__"):
        _ = dataset.num_batches
    with pytest.warns(UserWarning, match=r"`Plain` should call `super\(\).__init__"):
        Plain()._warn_if_super_not_called()
