"""CSVLogger: the values of each epoch in a file."""

import csv
import os
from pathlib import Path

import numpy as np

from kerasish.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes the values of each epoch into a CSV file; "NA" where there is none.

    Args:
        filename: Path of the file.
        separator: What stands between two values.
        append: Whether to write on at the end of a file that exists.

    Example:

    ```python
    model.fit(x, y, callbacks=[keras.callbacks.CSVLogger("training.csv")])
    ```
    """

    def __init__(self, filename: str | os.PathLike, separator: str = ",", append: bool = False):
        super().__init__()
        self.sep = separator
        self.filename = os.fspath(filename)
        self.append = append
        self.writer = None
        self.keys = None
        self.append_header = True
        self.csv_file = None

    def on_train_begin(self, logs=None):
        path = Path(self.filename)
        if self.append and path.exists():
            self.append_header = not path.stat().st_size
        self.csv_file = path.open("a" if self.append else "w", newline="")

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self.writer is None:
            self._start(logs)
        row = {"epoch": epoch, **{key: _as_text(logs.get(key, "NA")) for key in self.keys}}
        self.writer.writerow(row)
        self.csv_file.flush()

    def _start(self, logs):
        """Settles the columns; those of validation too, which may come only after a later epoch."""
        self.keys = sorted(logs)
        if not any(key.startswith("val_") for key in self.keys):
            self.keys += [f"val_{key}" for key in self.keys]
        self.writer = csv.DictWriter(
            self.csv_file, ["epoch", *self.keys], delimiter=self.sep, lineterminator=os.linesep
        )
        if self.append_header:
            self.writer.writeheader()

    def on_train_end(self, logs=None):
        self.csv_file.close()
        self.writer = None


def _as_text(value):
    """Numbers and strings as they are, several values as a list in quotes."""
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return f'"[{", ".join(map(str, value))}]"'
