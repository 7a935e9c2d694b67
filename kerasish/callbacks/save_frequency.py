"""When to save: every so many batches, over the borders of epochs."""


class BatchCounter:
    """Counts the batches since the last saving.

    Args:
        frequency: Number of batches from one saving to the next.
    """

    def __init__(self, frequency):
        self.frequency = frequency
        self._since_saving = 0
        self._last: int | None = None

    def is_due(self, batch: int) -> bool:
        """Whether to save after this batch; some numbers may have been left out (`steps_per_execution`)."""
        is_new_epoch = self._last is None or batch <= self._last
        self._since_saving += batch + 1 if is_new_epoch else batch - self._last
        self._last = batch
        if self._since_saving < self.frequency:
            return False
        self._since_saving = 0
        return True
