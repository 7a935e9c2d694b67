"""History: the values of each epoch."""

from kerasish.callbacks.callback import Callback


class History(Callback):
    """Keeps the values of each epoch. `fit()` adds one and returns it.

    Attributes:
        history: Dictionary of lists: one value for each epoch, by name.
        epoch: List of the epochs' numbers.

    Example:

    ```python
    history = model.fit(x, y, epochs=10)
    history.history["loss"]
    ```
    """

    def __init__(self):
        super().__init__()
        self.history: dict[str, list] = {}

    def on_train_begin(self, logs=None):
        self.epoch: list[int] = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self
