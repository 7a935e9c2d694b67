"""SwapEMAWeights: the averaged weights where a model is looked at, the raw ones where it learns."""

from kerasish.callbacks.callback import Callback


class SwapEMAWeights(Callback):
    """Swaps the model's weights with their moving averages for evaluation, prediction and, if asked, saving.

    The optimizer must keep the averages: `keras.optimizers.Adam(use_ema=True)`.

    Args:
        swap_on_epoch: Whether the averages are also in place at the end of each epoch, so that a callback that
            follows in the list, such as `ModelCheckpoint`, saves them. After the last epoch they stay.

    Raises:
        ValueError: If the optimizer keeps no averages, when they are first needed.

    Example:

    ```python
    model.compile(keras.optimizers.Adam(use_ema=True), "mse")
    model.fit(x, y, validation_split=0.1, callbacks=[keras.callbacks.SwapEMAWeights()])
    ```
    """

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._in_place = False

    def _averages(self) -> list[tuple]:
        """Pairs of a variable and its average."""
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                "SwapEMAWeights must be used when `use_ema=True` is set on the optimizer. "
                f"Received: use_ema={getattr(optimizer, 'use_ema', None)} of {type(optimizer).__name__}"
            )
        if not optimizer.built:
            return []
        return list(zip(optimizer._trainable_variables, optimizer._averages))

    def _swap(self):
        for variable, average in self._averages():
            value = variable.numpy()
            variable.assign(average)
            average.assign(value)

    def on_epoch_begin(self, epoch, logs=None):
        if self._in_place:
            self._swap()
            self._in_place = False

    def on_epoch_end(self, epoch, logs=None):
        if not self.swap_on_epoch:
            return
        self._swap()
        self._in_place = True
        if epoch + 1 == self.params["epochs"]:
            for variable, average in self._averages():
                average.assign(variable)
            self._in_place = False

    def on_test_begin(self, logs=None):
        self._swap()

    def on_test_end(self, logs=None):
        self._swap()

    def on_predict_begin(self, logs=None):
        self._swap()

    def on_predict_end(self, logs=None):
        self._swap()
