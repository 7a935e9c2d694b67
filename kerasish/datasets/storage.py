"""How data sets lie in files, and readers that run no code from them."""

import io
import os
import pickle
import zipfile

import numpy as np

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

_ARRAY_PARTS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler of arrays, numbers, strings and containers; it refuses every other class and function."""

    def find_class(self, module, name):
        if (module, name) not in _ARRAY_PARTS:
            raise pickle.UnpicklingError(
                f"Refusing to load `{module}.{name}` from a data set: only arrays are expected there. "
                "The file may be corrupted or malicious; delete it from the cache and load again."
            )
        owner = np if module == "numpy" else np._core.multiarray
        return getattr(owner, name)


def load_arrays(path: str | os.PathLike, *names: str) -> list[np.ndarray]:
    """Reads the named arrays of an npz file without running anything that is pickled in it."""
    with np.load(path, allow_pickle=False) as file:
        return [file[name] for name in names]


def load_object_arrays(path: str | os.PathLike, *names: str) -> list[np.ndarray]:
    """Reads arrays of lists (texts of unequal length) from an npz file; nothing but arrays and lists is unpickled."""
    with zipfile.ZipFile(path) as archive:
        return [_read_npy(archive.read(f"{name}.npy")) for name in names]


def _read_npy(content):
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    _, _, dtype = read_header(stream)
    if dtype.hasobject:
        return ArrayUnpickler(stream).load()
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


def load_cifar_batch(path: str | os.PathLike, label_key: str) -> tuple[np.ndarray, np.ndarray]:
    """Reads one of CIFAR's files: images (N, 3, 32, 32) and labels (N,), both uint8."""
    with open(path, "rb") as file:
        content = ArrayUnpickler(file, encoding="bytes").load()
    images = content[b"data"].reshape(-1, 3, 32, 32)
    return images, np.asarray(content[label_key.encode()], dtype="uint8")
