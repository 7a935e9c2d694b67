"""Sequences of unequal length to one array."""

import numpy as np


def pad_sequences(
    sequences,
    maxlen: int | None = None,
    dtype="int32",
    padding: str = "pre",
    truncating: str = "pre",
    value=0.0,
) -> np.ndarray:
    """Pads sequences to the same length.

    Args:
        sequences: List of sequences (each a list or an array of steps).
        maxlen: Length of the result, by default that of the longest sequence.
        dtype: Type of the result; `object` for strings of unequal length.
        padding: `"pre"` or `"post"`: where the padding goes.
        truncating: `"pre"` or `"post"`: which end of a sequence longer than `maxlen` is dropped.
        value: What to pad with.

    Returns:
        Array of shape `(len(sequences), maxlen, ...)`.

    Raises:
        ValueError: If `sequences` is no list of iterables, or two steps differ in shape.
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    for sequence in sequences:
        if not hasattr(sequence, "__len__"):
            raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {sequence}")
    lengths = [len(sequence) for sequence in sequences]
    if maxlen is None:
        maxlen = int(np.max(lengths))
    step_shape = next((np.asarray(s).shape[1:] for s in sequences if len(s)), ())
    _check_value(dtype, value)
    padded = np.full((len(sequences), maxlen, *step_shape), value, dtype=dtype)
    for position, sequence in enumerate(sequences):
        if not len(sequence):
            continue
        kept = np.asarray(_truncate(sequence, maxlen, truncating), dtype=dtype)
        if kept.shape[1:] != step_shape:
            raise ValueError(
                f"Shape of sample {kept.shape[1:]} of sequence at position {position} is different from "
                f"expected shape {step_shape}"
            )
        _place(padded[position], kept, padding)
    return padded


def _check_value(dtype, value):
    is_text = np.issubdtype(dtype, np.str_)
    if isinstance(value, str) and dtype is not object and not is_text:
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}\n"
            "You should set `dtype=object` for variable length strings."
        )


def _truncate(sequence, maxlen, truncating):
    if truncating == "pre":
        return sequence[-maxlen:]
    if truncating == "post":
        return sequence[:maxlen]
    raise ValueError(f'Truncating type "{truncating}" not understood')


def _place(row, kept, padding):
    if padding == "post":
        row[: len(kept)] = kept
    elif padding == "pre":
        row[len(row) - len(kept) :] = kept
    else:
        raise ValueError(f'Padding type "{padding}" not understood')
