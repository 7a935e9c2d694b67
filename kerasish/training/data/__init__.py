"""Where batches come from: arrays, generators, PyDatasets, and anything else that can be iterated."""

from kerasish.training.data.arrays import ArrayAdapter, is_array_like, train_validation_split
from kerasish.training.data.iterables import GeneratorAdapter, IterableAdapter
from kerasish.training.data.py_dataset import PyDatasetAdapter
from kerasish.utils.py_dataset import PyDataset

__all__ = ["adapter_for", "train_validation_split"]


def adapter_for(
    x,
    y=None,
    sample_weight=None,
    *,
    batch_size=None,
    steps=None,
    shuffle=False,
    class_weight=None,
    output_rank=None,
    where="fit",
):
    """The adapter that yields batches of what was passed to `fit`, `evaluate` or `predict`.

    Raises:
        ValueError: If the kind of `x` is unknown, or `y` and `sample_weight` come beside a data set that has them.
    """
    if isinstance(x, PyDataset):
        _refuse_beside("PyDataset", y, sample_weight)
        return PyDatasetAdapter(x, shuffle=shuffle, class_weight=class_weight, output_rank=output_rank)
    if hasattr(x, "__next__") and hasattr(x, "__iter__"):
        _refuse_beside("generator", y, sample_weight)
        return GeneratorAdapter(x, class_weight=class_weight)
    if _is_dataset(x):
        _refuse_beside(type(x).__name__, y, sample_weight)
        return IterableAdapter(x, class_weight=class_weight, output_rank=output_rank)
    return ArrayAdapter(
        x,
        y,
        sample_weight,
        batch_size=batch_size,
        steps=steps,
        shuffle=shuffle,
        class_weight=class_weight,
        output_rank=output_rank,
        where=where,
    )


def _is_dataset(x) -> bool:
    """Whether x is iterable batch by batch: a `torch` DataLoader, a `tf.data.Dataset`, a user's own class."""
    return hasattr(x, "__iter__") and not isinstance(x, (list, tuple, dict, str, bytes)) and not is_array_like(x)


def _refuse_beside(kind, y, sample_weight):
    for name, value in (("y", y), ("sample_weights", sample_weight)):
        if value is not None:
            what = "targets" if name == "y" else "sample weights"
            raise ValueError(
                f"When providing `x` as a {kind}, `{name}` should not be passed. Instead, the {what} should be "
                f"included as part of the {kind}: let it yield `(x, y)` or `(x, y, sample_weight)`."
            )
