"""The base class of data sets written by users: batch by number."""

import warnings


class PyDataset:
    """Base class of a data source that can produce its batch number `i`.

    A subclass implements `__getitem__` (one whole batch, as a tuple `(x, y)` or `(x, y, sample_weight)`) and
    `__len__` (the number of batches), or the property `num_batches` where `None` means endless. It may shuffle
    or read anew in `on_epoch_end`. Its `__init__` should call `super().__init__(**kwargs)`.

    Args:
        workers: Number of threads or processes that prepare batches ahead.
        use_multiprocessing: Whether the workers are processes rather than threads.
        max_queue_size: Largest number of batches to keep ready.

    Example:

    ```python
    class Squares(keras.utils.PyDataset):
        def __len__(self):
            return 10

        def __getitem__(self, i):
            x = np.arange(i * 32, (i + 1) * 32, dtype="float32")[:, None]
            return x, x**2
    ```
    """

    _workers = 1
    _use_multiprocessing = False
    _max_queue_size = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self._workers = workers
        self._use_multiprocessing = use_multiprocessing
        self._max_queue_size = max_queue_size
        self._initialized = True

    def _warn_if_super_not_called(self) -> None:
        if not getattr(self, "_initialized", False):
            warnings.warn(
                f"Your `PyDataset` class `{type(self).__name__}` should call `super().__init__(**kwargs)` in its "
                "constructor. `**kwargs` can include `workers`, `use_multiprocessing`, `max_queue_size`; "
                "do not pass them to `fit()`.",
                stacklevel=3,
            )
            self._initialized = True

    @property
    def workers(self) -> int:
        """Number of workers that prepare batches ahead."""
        return self._workers

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Whether the workers are processes."""
        return self._use_multiprocessing

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        """Largest number of batches kept ready."""
        return self._max_queue_size

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    def __getitem__(self, index: int):
        raise NotImplementedError(
            f"{type(self).__name__} needs a method `__getitem__(self, index)` that returns batch number `index`."
        )

    def __iter__(self):
        try:
            count = self.num_batches
        except NotImplementedError:  # without a length there is no end
            count = None
        i = 0
        while count is None or i < count:
            yield self[i]
            i += 1

    @property
    def num_batches(self) -> int | None:
        """Number of batches, `None` if endless."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(
            f"{type(self).__name__} needs a method `__len__(self)`, or a property `num_batches`, that returns the "
            "number of batches (`None` if the data set has no end)."
        )

    def on_epoch_begin(self) -> None:
        """Called at the start of every epoch."""

    def on_epoch_end(self) -> None:
        """Called at the end of every epoch."""


Sequence = PyDataset
