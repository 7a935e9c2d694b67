"""Sliding windows over a time series."""

import numpy as np

from kerasish.utils.dataset import Dataset, shuffle_buffer


def timeseries_dataset_from_array(
    data,
    targets,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """Makes a dataset of windows of a series.

    Args:
        data: Array whose first axis is time.
        targets: One target per window (`targets[i]` belongs to the window that starts at `data[i]`), or `None`.
        sequence_length: Number of steps in a window.
        sequence_stride: Steps from one window's start to the next.
        sampling_rate: Steps from one entry of a window to the next.
        batch_size: Windows per batch, or `None` for single windows.
        shuffle: Whether to shuffle the windows: all of them once, and in every epoch anew by a buffer of eight batches.
        seed: Seed of the shuffling.
        start_index: First step of `data` to use.
        end_index: First step of `data` not to use.
        format: `"tf"`, the only one: a `keras.utils.Dataset`.

    Returns:
        Dataset of windows, or of pairs (windows, targets).

    Raises:
        ValueError: If a number is out of range.
    """
    data = np.asarray(data)
    _check_arguments(len(data), sequence_length, sequence_stride, sampling_rate, start_index, end_index, format)
    start, end = start_index or 0, len(data) if end_index is None else end_index
    steps = end - start
    count = steps - (sequence_length - 1) * sampling_rate
    if targets is not None:
        count = min(count, len(targets) - start)
    firsts = np.arange(0, max(count, 0), sequence_stride)
    offsets = start + sampling_rate * np.arange(sequence_length)
    if shuffle:
        seed = np.random.randint(10**6) if seed is None else seed
        np.random.RandomState(seed).shuffle(firsts)
    rows = Dataset.from_tensor_slices(firsts)
    if shuffle:
        rows = rows.shuffle(shuffle_buffer(batch_size), seed=seed)
    if batch_size is not None:
        rows = rows.batch(batch_size)

    def window(first):
        found = data[np.asarray(first)[..., None] + offsets]
        return found if targets is None else (found, np.asarray(targets)[first + start])

    return Dataset(lambda: map(window, rows.as_numpy_iterator()), len(rows))


def _check_arguments(length, sequence_length, sequence_stride, sampling_rate, start_index, end_index, format):
    if format != "tf":
        raise ValueError(f'`format` should be "tf": kerasish has one kind of dataset. Received: format={format}')
    for name, value in (("start_index", start_index), ("end_index", end_index)):
        if value is None:
            continue
        if value < 0 or (name == "end_index" and value == 0):
            raise ValueError(f"`{name}` must be higher than 0. Received: {name}={value}")
        if value >= length:
            raise ValueError(
                f"`{name}` must be lower than the length of the data. Received: {name}={value}, "
                f"for data of length {length}"
            )
    if start_index and end_index and end_index <= start_index:
        raise ValueError(
            f"`end_index` must be higher than `start_index`. Received: start_index={start_index}, "
            f"and end_index={end_index} "
        )
    for name, value in (("sampling_rate", sampling_rate), ("sequence_stride", sequence_stride)):
        if value <= 0:
            raise ValueError(f"`{name}` must be higher than 0. Received: {name}={value}")
        if value >= length:
            raise ValueError(
                f"`{name}` must be lower than the length of the data. Received: {name}={value}, "
                f"for data of length {length}"
            )
    if sequence_length <= 0:
        raise ValueError(f"`sequence_length` must be higher than 0. Received: sequence_length={sequence_length}")
