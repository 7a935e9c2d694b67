"""ModelCheckpoint: the model in a file, again and again."""

import os
import warnings

import numpy as np

from kerasish.callbacks.monitor_callback import MonitorCallback
from kerasish.callbacks.save_frequency import BatchCounter
from kerasish.utils import io_utils


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, every epoch or every so many batches.

    Args:
        filepath: Path of the file, which may contain `{epoch}`, `{batch}` and names of the logs, with formats:
            `"model_{epoch:02d}_{val_loss:.2f}.keras"`. It ends in `.keras`, or in `.weights.h5` for weights alone.
        monitor: Name of the value in the logs that tells which model is best.
        verbose: 1 to say what is saved.
        save_best_only: Whether to save only when that value got better.
        save_weights_only: Whether to save the weights alone.
        mode: `"min"`, `"max"`, or `"auto"`: as the metric of that name says of itself.
        save_freq: `"epoch"`, or a number of batches.
        initial_value_threshold: A value to be beaten before anything is saved.

    Raises:
        ValueError: If the path ends otherwise, or `save_freq` is neither.

    Example:

    ```python
    best = keras.callbacks.ModelCheckpoint("best.keras", monitor="val_accuracy", save_best_only=True)
    model.fit(x, y, validation_split=0.1, epochs=10, callbacks=[best])
    ```
    """

    def __init__(
        self,
        filepath: str | os.PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        self.verbose = verbose
        self.filepath = os.fspath(filepath)
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(f"Unrecognized save_freq: {save_freq}. Expected save_freq are 'epoch' or integer values")
        self._check_ending()
        self._counter = BatchCounter(save_freq)
        self._current_epoch = 0

    def _check_ending(self):
        if self.save_weights_only and not self.filepath.endswith(".weights.h5"):
            raise ValueError(
                "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath provided must end in "
                f"`.weights.h5` (Keras weights format). Received: filepath={self.filepath}"
            )
        if not self.save_weights_only and not self.filepath.endswith((".keras", ".h5")):
            raise ValueError(
                f"The filepath provided must end in `.keras` (Keras model format). Received: filepath={self.filepath}"
            )

    def _wants_logs(self, kind):
        return kind == "train" and self.save_freq != "epoch"

    def on_epoch_begin(self, epoch, logs=None):
        self._current_epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq != "epoch" and self._counter.is_due(batch):
            self._save(self._current_epoch, batch, logs or {})

    def on_epoch_end(self, epoch, logs=None):
        if self.save_best_only and self.monitor_op is None:
            self._decide_direction()
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch, batch, logs):
        filepath = self._path(epoch, batch, logs)
        if not self._is_worth_saving(epoch, logs, filepath):
            return
        if self.verbose > 0 and not self.save_best_only:
            io_utils.print_msg(f"\nEpoch {epoch + 1}: saving model to {filepath}")
        if os.path.isdir(filepath):
            raise OSError(
                "Please specify a non-directory filepath for ModelCheckpoint. "
                f"Filepath used is an existing directory: {filepath}"
            )
        os.makedirs(os.path.dirname(filepath) or ".", exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(filepath, overwrite=True)
        if self.verbose > 0:
            io_utils.print_msg(f"\nEpoch {epoch + 1}: finished saving model to {filepath}")

    def _is_worth_saving(self, epoch, logs, filepath) -> bool:
        """Whether the model is to be saved now; says why if asked to, and remembers the best value."""
        if not self.save_best_only:
            return True
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(f"Can save best model only with {self.monitor} available.", stacklevel=4)
            return True
        if np.ndim(current) > 0:
            warnings.warn(
                "Can save best model only when `monitor` is a scalar value. "
                f"Received: {current}. Falling back to `save_best_only=False`.",
                stacklevel=4,
            )
            return True
        best = "None" if self.best is None else f"{self.best:.5f}"
        better = self._is_improvement(current, self.best)
        if self.verbose > 0:
            change = f"improved from {best} to {current:.5f}, saving model to {filepath}"
            change = change if better else f"did not improve from {best}"
            io_utils.print_msg(f"\nEpoch {epoch + 1}: {self.monitor} {change}")
        if better:
            self.best = current
        return better

    def _path(self, epoch, batch, logs) -> str:
        numbers = {"epoch": epoch + 1} if batch is None else {"epoch": epoch + 1, "batch": batch + 1}
        try:
            return self.filepath.format(**{**logs, **numbers})
        except KeyError as error:
            raise KeyError(
                f'Failed to format this callback filepath: "{self.filepath}". Reason: {error}; '
                f"the logs have {sorted(logs)}"
            ) from None
