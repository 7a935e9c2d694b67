"""Callback: what a user may do while a model is trained, evaluated or predicts."""

from typing import Any


class Callback:
    """Base class of callbacks: each method is called at its moment of `fit()`, `evaluate()` or `predict()`.

    Attributes:
        params: Dictionary with `verbose`, `epochs` and `steps` of the run.
        model: The model.

    Methods get `logs`, a dictionary of the values known at that moment (of the epoch so far, for batch methods). Values
    of a batch are computed only for callbacks that override a method for the end of a batch.

    Example:

    ```python
    class Lines(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            print(epoch, logs["loss"])

    model.fit(x, y, callbacks=[Lines()])
    ```
    """

    def __init__(self):
        self.params = None
        self._model = None

    @property
    def model(self):
        """The model that runs."""
        return self._model

    def set_params(self, params: dict) -> None:
        """Takes the parameters of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Takes the model."""
        self._model = model

    def _wants_logs(self, kind: str) -> bool:
        """Whether the values after a batch of "train", "test" or "predict" are of use."""
        return overrides(self, f"on_{kind}_batch_end") or (kind == "train" and overrides(self, "on_batch_end"))

    def on_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Another name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Called at the start of an epoch of training."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Called at the end of an epoch of training, after its validation (`val_...` in `logs`)."""

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Called before a step of training."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Called after a step of training."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Called before a step of evaluation, validation included."""

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Called after a step of evaluation, validation included."""

    def on_predict_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Called before a step of prediction."""

    def on_predict_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Called after a step of prediction; `logs["outputs"]` are its outputs."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Called once before training."""

    def on_train_end(self, logs: dict | None = None) -> None:
        """Called once after training, with the last epoch's values."""

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Called before evaluation or validation."""

    def on_test_end(self, logs: dict | None = None) -> None:
        """Called after evaluation or validation, with its values."""

    def on_predict_begin(self, logs: dict | None = None) -> None:
        """Called before prediction."""

    def on_predict_end(self, logs: dict | None = None) -> None:
        """Called after prediction."""


def overrides(callback: Any, method: str) -> bool:
    """Whether a callback has a method of its own, by its class or as an attribute."""
    return method in vars(callback) or getattr(type(callback), method, None) is not getattr(Callback, method)
