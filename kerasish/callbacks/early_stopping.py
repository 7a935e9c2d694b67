"""EarlyStopping: ends training when a value stops getting better."""

from kerasish.callbacks.monitor_callback import MonitorCallback
from kerasish.utils import io_utils


class EarlyStopping(MonitorCallback):
    """Stops training when a value has stopped getting better.

    Args:
        monitor: Name of the value in the logs.
        min_delta: A change that is not greater does not count.
        patience: Number of epochs without improvement after which to stop.
        verbose: 1 to say so.
        mode: `"min"`, `"max"`, or `"auto"`: as the metric of that name says of itself.
        baseline: A value that must be beaten within `patience` epochs.
        restore_best_weights: Whether to go back to the weights of the best epoch at the end.
        start_from_epoch: Number of epochs to wait before watching.

    Example:

    ```python
    model.fit(x, y, epochs=100, validation_split=0.1, callbacks=[EarlyStopping(patience=5, restore_best_weights=True)])
    ```
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.wait = 0
        self.stopped_epoch = 0
        self.restore_best_weights = restore_best_weights
        self.best_weights = None
        self.start_from_epoch = start_from_epoch

    def on_train_begin(self, logs=None):
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_weights = None
        self.best_epoch = 0

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor_op is None:
            self._decide_direction()
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep_weights(epoch)
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best = current
            self.best_epoch = epoch
            if self.restore_best_weights:
                self._keep_weights(epoch)
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep_weights(self, epoch):
        self.best_weights = self.model.get_weights()
        self.best_epoch = epoch

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0 and self.verbose > 0:
            io_utils.print_msg(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                best = self.best_epoch + 1
                io_utils.print_msg(f"Restoring model weights from the end of the best epoch: {best}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: dict | None) -> float | None:
        """The watched value, or `None` (with a warning) if the logs do not have it."""
        logs = logs or {}
        if self.monitor not in logs:
            self._missing("Early stopping", logs)
        return logs.get(self.monitor)
