"""LearningRateScheduler: the learning rate as a function of the epoch."""

import inspect
from collections.abc import Callable

import numpy as np

from kerasish.callbacks.callback import Callback
from kerasish.callbacks.learning_rates import learning_rates, optimizers_with_rates
from kerasish.utils import io_utils


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch.

    Args:
        schedule: Function of the epoch (from 0) and the present learning rate that returns the new one.
        verbose: 1 to say so.

    Raises:
        ValueError: If the function returns something else than a float.

    Example:

    ```python
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    model.fit(x, y, epochs=3, callbacks=[halve])
    ```
    """

    def __init__(self, schedule: Callable, verbose: int = 0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch, logs=None):
        for name, optimizer in optimizers_with_rates(self.model.optimizer):
            if not hasattr(optimizer, "learning_rate"):
                raise ValueError('Optimizer must have a "learning_rate" attribute.')
            rate = self._scheduled(epoch, float(optimizer.learning_rate))
            if not isinstance(rate, (float, np.floating)) and "float" not in str(getattr(rate, "dtype", "")):
                raise ValueError(f"The output of the `schedule` function should be a float. Got: {rate}")
            optimizer.learning_rate = rate
            if self.verbose > 0:
                what = f"{name} learning rate" if name else "learning rate"
                io_utils.print_msg(f"\nEpoch {epoch + 1}: LearningRateScheduler setting {what} to {float(rate)}.")

    def _scheduled(self, epoch, rate):
        """The schedule's value; a schedule may leave the present rate out of its arguments."""
        try:
            inspect.signature(self.schedule).bind(epoch, rate)
        except (TypeError, ValueError):
            return self.schedule(epoch)
        return self.schedule(epoch, rate)

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update(learning_rates(self.model.optimizer))
