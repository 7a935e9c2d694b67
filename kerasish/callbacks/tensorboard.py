"""TensorBoard: the values of training where the program `tensorboard` shows them."""

import os
import time

import numpy as np

from kerasish.callbacks.callback import Callback
from kerasish.callbacks.event_file import EventFile
from kerasish.core.errors import not_yet


class TensorBoard(Callback):
    """Writes the values of training and validation for TensorBoard (`pip install tensorboard` to look at them).

    Args:
        log_dir: Directory of the files, which are written to its `train` and `validation`.
        histogram_freq: Must be 0: histograms are not written.
        write_graph: Has no effect: there is no graph to write. `model.summary()` shows the layers.
        write_images: Must be `False`: images are not written.
        write_steps_per_second: Whether to write the speed of training.
        update_freq: `"epoch"`, `"batch"`, or a number of batches after which to write the values so far.
        profile_batch: Must be 0: no profile is written.
        embeddings_freq: Must be 0: embeddings are not written.
        embeddings_metadata: Must be `None`.

    Raises:
        NotImplementedError: If something is asked for that is not written.

    Example:

    ```python
    model.fit(x, y, epochs=3, callbacks=[keras.callbacks.TensorBoard("logs")])
    # then: tensorboard --logdir logs
    ```
    """

    def __init__(
        self,
        log_dir: str | os.PathLike = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: dict | None = None,
    ):
        super().__init__()
        asked = {
            "histogram_freq": histogram_freq,
            "write_images": write_images,
            "profile_batch": profile_batch,
            "embeddings_freq": embeddings_freq,
            "embeddings_metadata": embeddings_metadata,
        }
        for name, value in asked.items():
            if value:
                raise not_yet(f"TensorBoard({name}={value!r})", "leave it out; scalars are written without it.")
            setattr(self, name, value)
        if update_freq not in ("epoch", "batch") and (isinstance(update_freq, str) or update_freq < 1):
            raise ValueError(f"`update_freq` must be 'epoch', 'batch' or a positive number. Received: {update_freq!r}")
        self.log_dir = os.fspath(log_dir)
        self.write_graph = write_graph
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self._files: dict[str, EventFile] = {}
        self._steps = 0
        self._epoch_began = (0, 0.0)

    def _file(self, kind: str) -> EventFile:
        if kind not in self._files:
            self._files[kind] = EventFile(os.path.join(self.log_dir, kind))
        return self._files[kind]

    def _wants_logs(self, kind):
        return kind == "train" and self.update_freq != "epoch" and (self._steps + 1) % self.update_freq == 0

    def on_train_begin(self, logs=None):
        self._steps = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_began = (self._steps, time.time())

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1
        if self.update_freq != "epoch" and self._steps % self.update_freq == 0:
            self._write("train", {f"batch_{name}": value for name, value in (logs or {}).items()}, self._steps)

    def on_test_end(self, logs=None):
        values = {f"evaluation_{name}_vs_iterations": value for name, value in (logs or {}).items()}
        self._write("validation", values, int(getattr(self.model.optimizer, "iterations", 0)))

    def on_epoch_end(self, epoch, logs=None):
        logs = dict(logs or {})
        rate = getattr(self.model.optimizer, "learning_rate", None)
        if rate is not None:
            logs.setdefault("learning_rate", float(rate))
        train = {f"epoch_{name}": value for name, value in logs.items() if not name.startswith("val_")}
        if self.write_steps_per_second:
            steps, began = self._epoch_began
            train["epoch_steps_per_second"] = (self._steps - steps) / max(time.time() - began, 1e-9)
        self._write("train", train, epoch)
        validation = {name.removeprefix("val_"): value for name, value in logs.items() if name.startswith("val_")}
        if validation:
            self._write("validation", {f"epoch_{name}": value for name, value in validation.items()}, epoch)

    def _write(self, kind, values, step):
        file = self._file(kind)
        for name, value in values.items():
            if np.ndim(value) == 0:
                file.scalar(name, float(value), step)
        file.flush()

    def on_train_end(self, logs=None):
        for file in self._files.values():
            file.close()
        self._files.clear()
