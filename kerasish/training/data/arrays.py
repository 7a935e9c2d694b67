"""Batches cut from arrays that are in memory."""

import numpy as np
import optree

from kerasish.core import dtypes
from kerasish.core.tensor import Tensor, as_array
from kerasish.core.variable import Variable
from kerasish.device import bring, on
from kerasish.training.data.order import orders_in_batches, sample_order
from kerasish.training.data.weights import check_sample_weight, class_weight_to_sample_weights
from kerasish.utils.batch_utils import pack_x_y_sample_weight

DEFAULT_BATCH_SIZE = 32


def is_array_like(x) -> bool:
    """Whether x is one array of any library."""
    return isinstance(x, Variable) or hasattr(x, "__array__") or hasattr(x, "__dlpack__") or hasattr(x, "to_numpy")


def is_numbers(x) -> bool:
    """Whether x is a (nested) list of Python numbers: one array, not a list of arrays."""
    while isinstance(x, (list, tuple)) and len(x):
        x = x[0]
    return isinstance(x, (bool, int, float, np.generic))


def map_arrays(function, structure):
    """`function` of each array of a structure; lists of numbers count as arrays, None stays."""
    if structure is None or type(structure) is np.ndarray:
        return structure if structure is None else function(structure)
    return optree.tree_map(
        lambda leaf: None if leaf is None else function(leaf), structure, is_leaf=is_numbers, none_is_leaf=True
    )


def standardize_array(x):
    """One array, floats in the default float dtype.

    Raises:
        ValueError: If it is no array, or an array of something else than numbers and booleans.
    """
    if type(x).__name__ in ("DataFrame", "Series") and hasattr(x, "to_numpy"):
        x = x.to_numpy() if x.ndim > 1 else x.to_numpy()[:, None]
    if hasattr(x, "detach") and getattr(x, "requires_grad", False):
        x = x.detach()
    with on("cpu"):  # batches move to the device, not the whole set
        array = as_array(x)
    kind = getattr(array.dtype, "kind", "V")
    if kind in "OUSM" or not array.ndim:
        raise ValueError(_not_numbers(x, array))
    name = dtypes.name_of(array)
    if dtypes.is_float(name) and name != dtypes.floatx():
        return array.astype(dtypes.numpy_dtype(dtypes.floatx()))
    return array


def _not_numbers(x, array) -> str:
    if not array.ndim:
        return f"Expected an array with at least one dimension (the samples), but received the scalar {x!r}."
    return (
        f"Invalid dtype: {array.dtype.name}. Expected an array of numbers, but received a {type(x).__name__} of shape "
        f"{array.shape} whose entries are {type(array.flat[0]).__name__ if array.size else 'nothing'}; convert it "
        "first, e.g. with `np.stack(list_of_equal_arrays)` or `x.astype('float32')`."
    )


class ArrayAdapter:
    """Batches of arrays: views when the order is kept, gathered rows when it is shuffled.

    `shuffle` is True (the samples, in the order of `sample_order`), `"batch"` (the samples within each batch) or
    `"epoch"` (the samples, in a new order each epoch).
    """

    def __init__(self, x, y, sample_weight, *, batch_size, steps, shuffle, class_weight, output_rank, where):
        self._check_kinds(x, y, sample_weight)
        x, y, sample_weight = (map_arrays(standardize_array, part) for part in (x, y, sample_weight))
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError("You cannot pass `class_weight` and `sample_weight` at the same time to `fit()`.")
            sample_weight = class_weight_to_sample_weights(y, class_weight, output_rank)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, y)
        self.num_samples = count_samples(x, y, sample_weight)
        if not self.num_samples and where != "predict":
            raise ValueError(f"{where}() received no samples: x has shape {_first(x).shape}.")
        self.batch_size = _check_batch_size(batch_size) or self._default_batch_size(steps)
        self.num_batches = max(-(-self.num_samples // self.batch_size), 1)
        self.shuffle = shuffle
        self._epoch = 0
        packed = pack_x_y_sample_weight(x, y, sample_weight)
        self._leaves, self._structure = optree.tree_flatten(packed, none_is_leaf=True)
        self._flat = isinstance(packed, tuple) and all(a is b for a, b in zip(self._leaves, packed))

    @staticmethod
    def _check_kinds(x, y, sample_weight):
        for part in (x, y, sample_weight):
            if part is None or type(part) is np.ndarray:
                continue
            for leaf in optree.tree_leaves(part, is_leaf=is_numbers, none_is_leaf=True):
                if leaf is not None and not is_array_like(leaf) and not is_numbers(leaf) or is_scalar(leaf):
                    raise ValueError(
                        f"Unrecognized data type: {leaf!r:.80} (of type {type(leaf)}). Expected NumPy arrays, tensors, "
                        "data frames, (nested) lists or dicts of these, a generator, a `PyDataset` or an iterable of "
                        "batches."
                    )

    def _default_batch_size(self, steps) -> int:
        return max(-(-self.num_samples // steps), 1) if steps else DEFAULT_BATCH_SIZE

    def batches(self):
        """One epoch: `x` (in a tuple if it is a list), `(x, y)` or `(x, y, sample_weight)`, of tensors."""
        n, size = self.num_samples, self.batch_size
        if not self.shuffle:
            rows = (slice(start, start + size) for start in range(0, max(n, 1), size))
            return (self._cut(row) for row in rows)
        return (self._cut(row) for row in self._shuffled_rows(n, size))

    def _shuffled_rows(self, n, size):
        if isinstance(self.shuffle, str) and self.shuffle == "batch":
            return orders_in_batches(n, size)
        order = sample_order(n, self._epoch, self.shuffle)
        self._epoch += 1
        return (order[start : start + size] for start in range(0, n, size))

    def _cut(self, rows):
        if isinstance(rows, slice):
            leaves = [leaf if leaf is None else Tensor(bring(leaf[rows])) for leaf in self._leaves]
        else:
            leaves = [leaf if leaf is None else Tensor(bring(leaf.take(rows, axis=0))) for leaf in self._leaves]
        return tuple(leaves) if self._flat else self._structure.unflatten(leaves)


def is_scalar(x) -> bool:
    """Whether x is a single Python number."""
    return isinstance(x, (bool, int, float, np.generic))


def _check_batch_size(batch_size):
    if batch_size is None:
        return None
    if isinstance(batch_size, bool) or not hasattr(batch_size, "__index__"):
        raise TypeError(f"`batch_size` must be an integer. Received: batch_size={batch_size!r}")
    if batch_size < 0:
        raise ValueError(f"`batch_size` must be positive. Received: batch_size={batch_size}")
    return int(batch_size)


def _first(structure):
    return next(leaf for leaf in optree.tree_leaves(structure, none_is_leaf=True) if leaf is not None)


def count_samples(x, y, sample_weight) -> int:
    """The number of rows of all arrays.

    Raises:
        ValueError: If there are none, or they differ.
    """
    sizes = {}
    for name, part in (("x", x), ("y", y), ("sample_weight", sample_weight)):
        if part is None:
            continue
        found = [leaf.shape[0] for leaf in optree.tree_leaves(part, none_is_leaf=True) if leaf is not None]
        if found:
            sizes[name] = found
    counts = {size for found in sizes.values() for size in found}
    if not counts:
        raise ValueError(
            "No data: x is None. Pass arrays, a generator, a `PyDataset` or an iterable of batches as `x`."
        )
    if len(counts) > 1:
        listing = "\n".join(f"'{name}' sizes: {', '.join(map(str, found))}" for name, found in sizes.items())
        raise ValueError(
            f"Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.\n{listing}"
        )
    return counts.pop()


def train_validation_split(arrays, validation_split: float):
    """Splits the last part of each array off, for validation.

    Args:
        arrays: A tuple `(x, y, sample_weight)` of structures of arrays.
        validation_split: Fraction of the samples to split off.

    Returns:
        Two such tuples: for training, and for validation.

    Raises:
        ValueError: If these are no arrays, or a part would be empty.
    """
    leaves = optree.tree_leaves(arrays, is_leaf=is_numbers, none_is_leaf=True)
    wrong = [type(leaf) for leaf in leaves if leaf is not None and not is_array_like(leaf) and not is_numbers(leaf)]
    if wrong or all(leaf is None for leaf in leaves):
        raise ValueError(
            "Argument `validation_split` is only supported for tensors or NumPy arrays. "
            f"Found incompatible type in the input: {wrong}. Pass `validation_data` instead."
        )
    arrays = map_arrays(standardize_array, arrays)
    total = count_samples(*arrays)
    cut = int(np.floor(total * (1.0 - validation_split)))
    if cut <= 0 or cut >= total:
        raise ValueError(
            f"Training data contains {total} samples, which is not sufficient to split it into a validation and "
            f"training set as specified by `validation_split={validation_split}`. Either provide more data, or a "
            "different value for the `validation_split` argument."
        )
    return map_arrays(lambda a: a[:cut], arrays), map_arrays(lambda a: a[cut:], arrays)
