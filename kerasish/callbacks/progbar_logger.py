"""ProgbarLogger: the progress on stdout."""

import time

from kerasish.callbacks.callback import Callback
from kerasish.utils import io_utils
from kerasish.utils.progbar import Progbar


class ProgbarLogger(Callback):
    """Shows the progress of a run. `fit()`, `evaluate()` and `predict()` add one unless `verbose=0`.

    Shown are the averages of the epoch so far. They are computed when the bar is about to be drawn.
    """

    def __init__(self):
        super().__init__()
        self.seen = 0
        self.progbar = None
        self.target = None
        self.verbose = 1
        self.epochs = 1
        self._called_in_fit = False
        self._drawn = 0.0

    def set_params(self, params):
        self.verbose = params["verbose"]
        self.epochs = params["epochs"]
        self.target = params["steps"]

    def on_train_begin(self, logs=None):
        self._called_in_fit = True

    def on_epoch_begin(self, epoch, logs=None):
        self._reset()
        if self.verbose and self.epochs > 1:
            io_utils.print_msg(f"Epoch {epoch + 1}/{self.epochs}")

    def on_test_begin(self, logs=None):
        if not self._called_in_fit:
            self._reset()

    def on_predict_begin(self, logs=None):
        self._reset()

    def _wants_logs(self, kind):
        """Whether the bar is about to be drawn."""
        if self.verbose != 1 or kind == "predict" or (kind == "test" and self._called_in_fit):
            return False
        return io_utils.can_redraw() and time.time() - self._drawn >= self.progbar.interval

    def on_train_batch_end(self, batch, logs=None):
        self._advance(batch, logs)

    def on_test_batch_end(self, batch, logs=None):
        if not self._called_in_fit:
            self._advance(batch, logs)

    def on_predict_batch_end(self, batch, logs=None):
        self._advance(batch, None)

    def on_epoch_end(self, epoch, logs=None):
        self._finish(logs)

    def on_test_end(self, logs=None):
        if not self._called_in_fit:
            self._finish(logs)

    def on_predict_end(self, logs=None):
        self._finish(logs)

    def _reset(self):
        self.seen = 0
        self._drawn = 0.0
        self.progbar = Progbar(self.target, verbose=self.verbose, stateless_metrics=(), unit_name="step")

    def _advance(self, batch, logs):
        self.seen = batch + 1 if self.target is None else min(batch + 1, self.target)
        if self.verbose == 1:
            self.progbar.update(self.seen, list(logs.items()) if logs else None, finalize=False)
            if logs:
                self._drawn = time.time()

    def _finish(self, logs):
        if self.target is None:
            self.target = self.progbar.target = self.seen
        self.progbar.update(self.target, list((logs or {}).items()), finalize=True)
