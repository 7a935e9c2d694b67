import gzip
import hashlib
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest

from kerasish import datasets
from kerasish.datasets import fashion_mnist, idx, mnist, storage


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    return tmp_path / "datasets"


def no_network(*args, **kwargs):
    raise ConnectionError("no network in tests")


def write_idx(path, array, type_code=8):
    header = bytes([0, 0, type_code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + array.tobytes())


@pytest.mark.parametrize("code, dtype", [(8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")])
def test_read_idx(code, dtype, tmp_path):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    write_idx(tmp_path / "plain", array, code)
    (tmp_path / "packed").write_bytes(gzip.compress((tmp_path / "plain").read_bytes()))
    for name in ("plain", "packed"):
        read = idx.read_idx(tmp_path / name)
        assert read.dtype.isnative and read.dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"\0\0\x08\x01\0\0\0\x05abc", "is damaged: 11 bytes, expected 13"),
        (b"\0\0\x08\x03\0\0", "is damaged"),
        (b"PNG...", "is not an IDX file"),
        (b"", "is not an IDX file"),
        (gzip.compress(b"x" * 99, mtime=0)[:-9], "is damaged"),
    ],
)
def test_read_idx_refuses(content, message, tmp_path):
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(ValueError, match=f"bad {message}"):
        idx.read_idx(tmp_path / "bad")


def test_packaged_slice():
    (x_train, y_train), (x_test, y_test) = datasets.fashion_mnist_small.load_data()
    assert x_train.shape == (6000, 28, 28) and x_test.shape == (1000, 28, 28) and x_train.dtype == "uint8"
    assert y_train.shape == (6000,) and y_test.shape == (1000,) and set(y_test) == set(range(10))
    assert len(datasets.fashion_mnist_small.CLASS_NAMES) == 10
    assert "MIT License" in (datasets.fashion_mnist_small._FOLDER / "LICENSE").read_text()


def place_fashion(folder, monkeypatch, damaged=()):
    """Small stand-ins for the four files, with their checksums in the module's table."""
    folder.mkdir(parents=True, exist_ok=True)
    checksums = {}
    for i, name in enumerate(fashion_mnist._FILES):
        array = np.full((2, 28, 28) if "images" in name else (2,), i, "uint8")
        write_idx(folder / name, array)
        content = (folder / name).read_bytes()
        checksums[name] = hashlib.sha256(content).hexdigest()
        (folder / name).write_bytes(gzip.compress(content if name not in damaged else content[:-1] + b"?"))
    monkeypatch.setattr(fashion_mnist, "_FILES", checksums)


@pytest.mark.parametrize("place", ["cache", "debian"])
def test_fashion_mnist_found_on_the_machine(place, home, tmp_path, monkeypatch):
    debian = tmp_path / "debian"
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", str(debian))
    place_fashion(debian if place == "debian" else home / "fashion-mnist", monkeypatch)
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert (x_train.max(), y_train.max(), x_test.max(), y_test.max()) == (1, 0, 3, 2)
    assert x_train.shape == (2, 28, 28)


def test_damaged_fashion_mnist_is_not_used(home, tmp_path, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", str(tmp_path / "none"))
    place_fashion(home / "fashion-mnist", monkeypatch, damaged=["train-labels-idx1-ubyte.gz"])
    with pytest.raises(OSError, match="URL fetch failure on .*train-labels(.|\n)*save it as"):
        fashion_mnist.load_data()


def test_mnist_from_the_cache(home, monkeypatch):
    home.mkdir(parents=True)
    arrays = {name: np.full((3, 2), i, "uint8") for i, name in enumerate(("x_train", "y_train", "x_test", "y_test"))}
    np.savez(home / "mnist.npz", **arrays)
    with pytest.raises(OSError, match="URL fetch failure"):
        mnist.load_data()
    monkeypatch.setattr("kerasish.utils.file_utils.validate_file", lambda *_: True)
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert [int(a[0, 0]) for a in (x_train, y_train, x_test, y_test)] == [0, 1, 2, 3]


def place_cifar(home, folder, archive, batches):
    (home / archive).parent.mkdir(parents=True, exist_ok=True)
    source = home / "source" / folder
    source.mkdir(parents=True)
    for name, content in batches.items():
        (source / name).write_bytes(content)
    with tarfile.open(home / archive, "w:gz") as tar:
        tar.add(source, folder)


def pickled(value, label_key):
    """A file as Python 2 wrote CIFAR's: protocol 2, `str` keys, an array of NumPy 1."""
    raw = bytes(np.full((2, 3072), value, "uint8"))
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntU\x01btR(I1\n(I2\nI3072\ntcnumpy\ndtype\n"
        b"(U\x02u1I0\nI1\ntR(I3\nU\x01|NNNI-1\nI-1\nI0\ntbI00\nT" + struct.pack("<i", len(raw)) + raw + b"tb"
    )
    label = b"U" + bytes([len(label_key)]) + label_key.encode() + b"(lI" + str(value).encode() + b"\naI7\na"
    return b"\x80\x02(dU\x04data" + array + b"s" + label + b"s."


@pytest.fixture
def trusting(monkeypatch):
    monkeypatch.setattr("kerasish.utils.file_utils.validate_file", lambda *_: True)


def test_cifar10(home, trusting):
    batches = {f"data_batch_{i}": pickled(i, "labels") for i in range(1, 6)}
    batches["test_batch"] = pickled(9, "labels")
    place_cifar(home, "cifar-10-batches-py", "cifar-10-batches-py-target_archive", batches)
    (x_train, y_train), (x_test, y_test) = datasets.cifar10.load_data()
    assert x_train.shape == (10, 32, 32, 3) and x_test.shape == (2, 32, 32, 3) and x_train.dtype == "uint8"
    assert y_train.ravel().tolist() == [1, 7, 2, 7, 3, 7, 4, 7, 5, 7] and y_test.tolist() == [[9], [7]]
    assert y_train.dtype == "uint8" and x_train[2, 0, 0, 0] == 2


@pytest.mark.parametrize("mode", ["fine", "coarse"])
def test_cifar100(mode, home, trusting):
    batches = {name: pickled(value, f"{mode}_labels") for name, value in (("train", 1), ("test", 2))}
    place_cifar(home, "cifar-100-python", "cifar-100-python-target_archive", batches)
    (x_train, y_train), (_, y_test) = datasets.cifar100.load_data(mode)
    assert x_train.shape == (2, 32, 32, 3) and y_train.tolist() == [[1], [7]] and y_test.tolist() == [[2], [7]]


def test_cifar100_label_mode():
    with pytest.raises(ValueError, match='`label_mode` must be one of `"fine"`, `"coarse"`. Received: label_mode=x'):
        datasets.cifar100.load_data("x")


class Gadget:
    def __reduce__(self):
        return os.system, ("true",)


@pytest.mark.parametrize("content", [Gadget(), np.random.RandomState, print])
def test_pickled_code_is_refused(content, tmp_path):
    (tmp_path / "batch").write_bytes(pickle.dumps({b"data": content}))
    with pytest.raises(pickle.UnpicklingError, match="Refusing to load"):
        storage.load_cifar_batch(tmp_path / "batch", "labels")


def test_pickled_npz_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([Gadget()], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        storage.load_arrays(tmp_path / "a.npz", "x")


def texts(*rows):
    array = np.empty(len(rows), dtype=object)
    array[:] = [list(row) for row in rows]
    return array


ROWS = [(9, 2), (3,), (4, 5, 6), (7, 8, 1)]


@pytest.mark.parametrize(
    "kwargs, first, kept",
    [
        ({}, [1, 12, 5], {0, 1, 2, 3}),
        ({"start_char": None, "index_from": 0}, [9, 2], {0, 1, 2, 3}),
        ({"num_words": 12}, [1, 2, 5], {0, 1, 2, 3}),
        ({"num_words": 12, "oov_char": None}, [1, 5], {0, 1, 2, 3}),
        ({"skip_top": 6}, [2, 12, 2], {0, 1, 2, 3}),
        ({"maxlen": 4}, [1, 12, 5], {0, 1}),
    ],
)
def test_texts(kwargs, first, kept, home, trusting):
    home.mkdir(parents=True)
    x, y = texts(*ROWS), np.arange(4)
    np.savez(home / "imdb.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    np.savez(home / "reuters.npz", x=x, y=y)
    order = np.random.RandomState(113).permutation(4)
    order = [int(row) for row in order if row in kept]
    kwargs = {"num_words": 99, **kwargs}
    (x_train, y_train), (x_test, _) = datasets.imdb.load_data(**kwargs)
    assert list(y_train) == order and len(x_test) == len(kept) and x_train.dtype == object
    assert x_train[order.index(0)] == first
    (x_train, y_train), (x_test, y_test) = datasets.reuters.load_data(test_split=0.5, **kwargs)
    assert [*y_train, *y_test] == order and [*x_train, *x_test][order.index(0)] == first


def test_texts_refuse(home, trusting):
    home.mkdir(parents=True)
    np.savez(home / "imdb.npz", x_train=texts(*ROWS), y_train=np.arange(4), x_test=texts(*ROWS), y_test=np.arange(4))
    with pytest.raises(ValueError, match="shorter than maxlen=1, no sequence was kept"):
        datasets.imdb.load_data(maxlen=1)
    with pytest.raises(TypeError, match="unexpected keyword arguments: nb_words"):
        datasets.imdb.load_data(nb_words=3)
    np.savez(home / "reuters.npz", x=np.array([Gadget()], dtype=object), y=np.zeros(1))
    with pytest.raises(pickle.UnpicklingError, match="Refusing to load"):
        datasets.reuters.load_data()


@pytest.mark.parametrize("name", ["imdb", "reuters"])
def test_word_index(name, home, trusting):
    home.mkdir(parents=True)
    (home / f"{name}_word_index.json").write_text('{"the": 1}')
    assert getattr(datasets, name).get_word_index() == {"the": 1}
    assert len(datasets.reuters.get_label_names()) == 46


@pytest.mark.parametrize(
    "name, kwargs, rows", [("boston_housing", {}, 10), ("california_housing", {"version": "small"}, 10)]
)
def test_housing(name, kwargs, rows, home, trusting):
    home.mkdir(parents=True)
    np.savez(home / f"{name}.npz", x=np.arange(20).reshape(10, 2), y=np.arange(10))
    module = getattr(datasets, name)
    (x_train, y_train), (x_test, y_test) = module.load_data(test_split=0.3, seed=5, **kwargs)
    assert len(x_train) == 7 and len(x_test) == 3
    assert [*y_train, *y_test] == np.random.RandomState(5).permutation(rows).tolist()
    np.testing.assert_array_equal(x_train[:, 0], 2 * y_train)
    with pytest.raises(ValueError, match="Invalid `test_split` argument: 1"):
        module.load_data(test_split=1)


def test_california_versions():
    with pytest.raises(ValueError, match="must be one of 'small', 'large'. Received: version=x"):
        datasets.california_housing.load_data("x")
