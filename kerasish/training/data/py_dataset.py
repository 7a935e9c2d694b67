"""Batches of a PyDataset, prepared ahead by threads where it asks for workers."""

import collections
import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from kerasish.training.data.iterables import standardize_batch


class PyDatasetAdapter:
    """Batches of a `PyDataset`, in order or with the order of whole batches shuffled.

    `workers > 1` fetches batches ahead in that many threads, in order. `use_multiprocessing` gives threads as well:
    a forked process could not run compiled kernels, and NumPy releases the interpreter's lock in its loops.
    """

    batch_size = None

    def __init__(self, dataset, shuffle=False, class_weight=None):
        dataset._warn_if_super_not_called()
        self._dataset = dataset
        self._shuffle = shuffle
        self._class_weight = class_weight
        self.num_batches = dataset.num_batches
        if self.num_batches == 0:
            raise ValueError(f"The `PyDataset` {type(dataset).__name__} has no batches: its length is 0.")

    def batches(self):
        """One epoch, between the data set's `on_epoch_begin` and `on_epoch_end`."""
        self._dataset.on_epoch_begin()
        self.num_batches = self._dataset.num_batches
        return self._epoch()

    def _epoch(self):
        for batch in self._fetched(self._order()):
            yield standardize_batch(batch, self._class_weight)
        self._dataset.on_epoch_end()

    def _order(self):
        if self.num_batches is None:
            return itertools.count()
        return np.random.permutation(self.num_batches).tolist() if self._shuffle else range(self.num_batches)

    def _fetched(self, order):
        if self._dataset.workers <= 1:
            return map(self._dataset.__getitem__, order)
        return self._fetched_ahead(iter(order))

    def _fetched_ahead(self, order):
        ahead = max(self._dataset.max_queue_size, self._dataset.workers)
        with ThreadPoolExecutor(self._dataset.workers, "kerasish-dataset") as pool:
            queue = collections.deque(pool.submit(self._dataset.__getitem__, i) for i in itertools.islice(order, ahead))
            try:
                while queue:
                    yield queue.popleft().result()
                    queue.extend(pool.submit(self._dataset.__getitem__, i) for i in itertools.islice(order, 1))
            finally:
                for future in queue:
                    future.cancel()
