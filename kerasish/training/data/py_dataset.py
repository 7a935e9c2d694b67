"""Batches of a PyDataset, prepared ahead by threads where it asks for workers."""

import collections
import itertools
import random
from concurrent.futures import ThreadPoolExecutor

from kerasish.training.data.iterables import standardize_batch


class PyDatasetAdapter:
    """Batches of a `PyDataset`, in order or with the order of whole batches shuffled by Python's `random`.

    As Keras does to know their types, the first epoch begins with asking for batches 0 and 1 once more than they are
    used: a data set that draws random numbers for its batches gives the same ones under both.
    `workers > 1` fetches batches ahead in that many threads, in order. `use_multiprocessing` gives threads as well:
    a forked process could not run compiled kernels, and NumPy releases the interpreter's lock in its loops.
    """

    batch_size = None

    def __init__(self, dataset, shuffle=False, class_weight=None, output_rank=None):
        dataset._warn_if_super_not_called()
        self._dataset = dataset
        self._shuffle = shuffle
        self._class_weight, self._output_rank = class_weight, output_rank
        self._sample = None
        self.num_batches = dataset.num_batches
        if self.num_batches == 0:
            raise ValueError(f"The `PyDataset` {type(dataset).__name__} has no batches: its length is 0.")

    def batches(self):
        """One epoch, between the data set's `on_epoch_begin` and `on_epoch_end`."""
        self.sample()
        order = self._order() if self._has_workers() else None
        self._dataset.on_epoch_begin()
        self.num_batches = self._dataset.num_batches
        return self._epoch(order)

    def sample(self) -> tuple:
        """A batch outside of epochs."""
        if self._sample is None:
            some = range(2 if self.num_batches is None else min(2, self.num_batches))
            self._sample = [standardize_batch(self._dataset[i], self._class_weight, self._output_rank) for i in some][0]
        return self._sample

    def _has_workers(self):
        data = self._dataset
        return data.workers > 1 or (data.workers > 0 and data.use_multiprocessing)

    def _epoch(self, order):
        for batch in self._fetched(self._order() if order is None else order):
            yield standardize_batch(batch, self._class_weight, self._output_rank)
        self._dataset.on_epoch_end()

    def _order(self):
        if self.num_batches is None:
            return itertools.count()
        order = list(range(self.num_batches))
        if self._shuffle:
            random.shuffle(order)
        return order

    def _fetched(self, order):
        if not self._has_workers():
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
