"""Epochs: how a stream of batches is cut into them."""

import itertools
import warnings

from kerasish import config

RAN_OUT = (
    "Your input ran out of data; interrupting training. Make sure that your dataset or generator can generate at least "
    "`steps_per_epoch * epochs` batches. You may need to use the `.repeat()` function when building your dataset."
)


def _limited(steps, available):
    """`steps`, unless `keras.config.set_max_steps_per_epoch` allows fewer."""
    most = config.max_steps_per_epoch()
    wanted = steps or available
    if most is None or (wanted is not None and wanted <= most):
        return steps
    warnings.warn(f"Limiting steps_per_epoch to {most}", stacklevel=5)
    return most


class Epochs:
    """Cuts what an adapter yields into epochs, and epochs into groups of `steps_per_execution` batches.

    Without `steps_per_epoch` every epoch goes through the data once. With it, an epoch goes on where the last one
    stopped; where the data ends, the epoch ends early with a warning, and the next one starts the data anew. A group of
    batches that began within the epoch is finished.
    """

    def __init__(self, adapter, steps_per_epoch=None, steps_per_execution=1):
        self.adapter = adapter
        self.steps_per_epoch = _limited(steps_per_epoch, adapter.num_batches)
        self.steps_per_execution = steps_per_execution
        self._stream = None
        self._taken = 0

    @property
    def num_batches(self) -> int | None:
        """Steps in an epoch, None if nobody knows."""
        return self.steps_per_epoch or self.adapter.num_batches

    def peek(self):
        """A batch to come, None if there is none."""
        if hasattr(self.adapter, "sample"):
            return self.adapter.sample()
        self._open()
        first = next(self._stream, None)
        if first is not None:
            self._stream = itertools.chain([first], self._stream)
        return first

    def groups(self):
        """One epoch: pairs of the number of a group's first step and its batches."""
        self._open()
        step, limit = 0, self.num_batches
        while limit is None or step < limit:
            batches = list(itertools.islice(self._stream, self.steps_per_execution))
            if not batches:
                self._ran_out(step)
                return
            step += len(batches)
            self._taken += len(batches)
            yield step - len(batches), batches
        self._close_at_end()

    def rewind(self) -> None:
        """Starts the data anew with the next epoch, if that can be done."""
        self._stream = None

    def _open(self):
        if self._stream is None:
            self._stream, self._taken = iter(self.adapter.batches()), 0

    def _ran_out(self, step):
        self._stream = None
        if not step or self.num_batches is not None:
            warnings.warn(RAN_OUT, stacklevel=2)

    def _close_at_end(self):
        """Lets a stream that has given its last batch run to its end, so that the next epoch starts a new one."""
        if self.adapter.num_batches is not None and self._taken >= self.adapter.num_batches:
            next(self._stream, None)
            self._stream = None
            if self.steps_per_epoch is None and hasattr(self.adapter, "begin_unread"):
                self.adapter.begin_unread()
