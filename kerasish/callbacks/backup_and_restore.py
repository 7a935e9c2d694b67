"""BackupAndRestore: training that goes on after an interruption."""

import json
import os
import shutil
import warnings

from kerasish.callbacks.callback import Callback
from kerasish.callbacks.save_frequency import BatchCounter


class BackupAndRestore(Callback):
    """Saves the state of training, and goes on from it when `fit()` is called again after an interruption.

    After an interruption within an epoch, that epoch starts anew, from the weights saved last.

    Args:
        backup_dir: Directory for the state; not to be shared with other runs.
        save_freq: `"epoch"`, or a number of batches.
        double_checkpoint: Whether to keep the state before the last one too, should an interruption hit the saving.
        delete_checkpoint: Whether to delete the directory when training is done.

    Raises:
        ValueError: If `backup_dir` is empty, or `save_freq` is neither.

    Example:

    ```python
    model.fit(x, y, epochs=100, callbacks=[keras.callbacks.BackupAndRestore("/tmp/backup")])
    ```
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        if not backup_dir:
            raise ValueError("Empty `backup_dir` argument passed")
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                "Invalid value for argument `save_freq`. "
                f"Received: save_freq={save_freq}. Expected either 'epoch' or an integer value."
            )
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.backup_dir = os.fspath(backup_dir)
        self._weights_path = os.path.join(self.backup_dir, "latest.weights.h5")
        self._training_metadata_path = os.path.join(self.backup_dir, "training_metadata.json")
        self._prev_weights_path = f"{self._weights_path}.bkp"
        self._prev_training_metadata_path = f"{self._training_metadata_path}.bkp"
        self._counter = BatchCounter(save_freq)
        self._current_epoch = 0

    def on_train_begin(self, logs=None):
        os.makedirs(self.backup_dir, exist_ok=True)
        before = self._one_before()
        if not os.path.exists(self._weights_path) or not os.path.exists(self._training_metadata_path):
            if before is not None:
                self._go_back(before)
            return
        try:
            self._load(self._weights_path, self._training_metadata_path)
        except (OSError, ValueError, KeyError):
            if before is None:
                raise
            warnings.warn("The last backup cannot be read; going on from the one before it.", stacklevel=2)
            self._go_back(before)

    def _one_before(self):
        """The metadata of the backup before the last, if there is one.

        `_save` moves the weights away first: where it was killed then, the metadata that belong to them still lie at
        their own place.
        """
        if not self.double_checkpoint or not os.path.exists(self._prev_weights_path):
            return None
        moved = os.path.exists(self._weights_path) or not os.path.exists(self._training_metadata_path)
        metadata = self._prev_training_metadata_path if moved else self._training_metadata_path
        return metadata if os.path.exists(metadata) else None

    def _go_back(self, metadata):
        """Goes on from the backup before the last, which becomes the last."""
        shutil.copyfile(self._prev_weights_path, self._weights_path)
        self._load(self._weights_path, metadata)
        if metadata != self._training_metadata_path:
            shutil.copyfile(metadata, self._training_metadata_path)

    def _load(self, weights_path, metadata_path):
        with open(metadata_path) as file:
            epoch = json.load(file)["epoch"]
        self.model.load_weights(weights_path)
        self.model._initial_epoch = self._current_epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        self._current_epoch = epoch + 1
        if self.save_freq == "epoch":
            self._save(0)

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq != "epoch" and self._counter.is_due(batch):
            self._save(batch)

    def _wants_logs(self, kind):
        return False

    def _save(self, batch):
        if self.double_checkpoint and os.path.exists(self._weights_path):
            os.replace(self._weights_path, self._prev_weights_path)
        if self.double_checkpoint and os.path.exists(self._training_metadata_path):
            os.replace(self._training_metadata_path, self._prev_training_metadata_path)
        self.model.save_weights(self._weights_path, overwrite=True)
        unfinished = f"{self._training_metadata_path}.tmp"
        with open(unfinished, "w") as file:
            json.dump({"epoch": self._current_epoch, "batch": batch}, file)
        os.replace(unfinished, self._training_metadata_path)

    def on_train_end(self, logs=None):
        if self.delete_checkpoint and os.path.exists(self.backup_dir):
            shutil.rmtree(self.backup_dir)
