"""ReduceLROnPlateau: a smaller learning rate when a value stops getting better."""

import numpy as np

from kerasish.callbacks.learning_rates import learning_rates, optimizers_with_rates
from kerasish.callbacks.monitor_callback import MonitorCallback
from kerasish.utils import io_utils


class ReduceLROnPlateau(MonitorCallback):
    """Reduces the learning rate when a value has stopped getting better.

    Args:
        monitor: Name of the value in the logs.
        factor: What the learning rate is multiplied by; less than 1.
        patience: Number of epochs without improvement after which to reduce it.
        verbose: 1 to say so.
        mode: `"min"`, `"max"`, or `"auto"`: as the metric of that name says of itself.
        min_delta: A change that is not greater does not count.
        cooldown: Number of epochs to wait after a reduction before watching again.
        min_lr: Smallest learning rate.

    Raises:
        ValueError: If `factor` is 1 or more.

    Example:

    ```python
    model.fit(x, y, epochs=50, validation_split=0.1, callbacks=[ReduceLROnPlateau(factor=0.2, patience=5)])
    ```
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau does not know the arguments {list(kwargs)}.")
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}")
        self.factor = factor
        self.min_lr = min_lr
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs=None):
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor_op is None:
            self._decide_direction()
        logs = {} if logs is None else logs
        current = logs.get(self.monitor)
        logs.update(learning_rates(self.model.optimizer))
        if current is None:
            self._missing("Learning rate reduction is", logs, end=".")
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                several = optimizers_with_rates(self.model.optimizer)
                if any([self._reduce(epoch, *one) for one in several]):  # a list: all of them are reduced
                    self.cooldown_counter = self.cooldown
                    self.wait = 0

    def _reduce(self, epoch, name, optimizer) -> bool:
        """Whether there was something to reduce."""
        before = float(optimizer.learning_rate)
        if before <= np.float32(self.min_lr):
            return False
        after = max(before * self.factor, self.min_lr)
        optimizer.learning_rate = after
        if self.verbose > 0:
            what = f"{name} learning rate" if name else "learning rate"
            io_utils.print_msg(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing {what} to {after}.")
        return True

    def in_cooldown(self) -> bool:
        """Whether the callback waits after a reduction."""
        return self.cooldown_counter > 0
