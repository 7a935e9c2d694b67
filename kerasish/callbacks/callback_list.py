"""CallbackList: several callbacks called as one, in order."""

from typing import Any

import optree

from kerasish.callbacks.callback import Callback
from kerasish.callbacks.history import History
from kerasish.callbacks.progbar_logger import ProgbarLogger


def _for_each(name):
    """A method that calls the method `name` of every callback that has its own."""

    def call(self, logs=None):
        logs = logs or {}
        for callback in self.callbacks:
            getattr(callback, name)(logs)

    call.__name__, call.__doc__ = name, f"Calls `{name}` of each callback."
    return call


def _for_each_numbered(name):
    """The same for methods that also get the number of a batch or an epoch."""

    def call(self, number, logs=None):
        hooks = self._hooks.get(name)
        if hooks is None:
            hooks = self._hooks[name] = self._own(name)
        for hook in hooks:
            hook(number, {} if logs is None else logs)

    call.__name__, call.__doc__ = name, f"Calls `{name}` of each callback that has its own."
    return call


class CallbackList(Callback):
    """Calls several callbacks in order.

    Args:
        callbacks: A callback, or a (nested) list of them.
        add_history: Whether to add a `History` if there is none.
        add_progbar: Whether to add a `ProgbarLogger` if there is none.
        model: The model that runs.
        **params: What each callback gets as `params`.

    Raises:
        TypeError: If something in the list is no callback.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ):
        super().__init__()
        self.callbacks = optree.tree_leaves(callbacks) if callbacks else []
        for callback in self.callbacks:
            if isinstance(callback, type) or not hasattr(callback, "set_model"):
                raise TypeError(
                    f"`callbacks` must be `keras.callbacks.Callback` instances. Received: {callback!r} "
                    f"(of type {type(callback)})" + ("; did you forget `()`?" if isinstance(callback, type) else "")
                )
        self._add_defaults(add_history, add_progbar)
        self._hooks: dict[str, list] = {}
        self.set_params(params)
        if model is not None:
            self.set_model(model)

    def _add_defaults(self, add_history, add_progbar):
        found = {
            kind: next((c for c in self.callbacks if isinstance(c, kind)), None) for kind in (History, ProgbarLogger)
        }
        self._progbar, self._history = found[ProgbarLogger], found[History]
        if self._history is None and add_history:
            self._history = History()
            self.callbacks.append(self._history)
        if self._progbar is None and add_progbar:
            self._progbar = ProgbarLogger()
            self.callbacks.append(self._progbar)

    def append(self, callback: Callback) -> None:
        """Adds a callback at the end."""
        self.callbacks.append(callback)
        self._hooks.clear()

    def set_params(self, params: dict) -> None:
        """Gives each callback the parameters of the run."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Gives each callback the model, and the model its History."""
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def wants_logs(self, kind: str) -> bool:
        """Whether some callback has use for the values of the batch of "train", "test" or "predict" that ends now."""
        return any(_wants_logs(callback, kind) for callback in self.callbacks)

    def _own(self, name):
        return [getattr(callback, name) for callback in self.callbacks if _has_own(callback, name)]

    on_train_begin = _for_each("on_train_begin")
    on_train_end = _for_each("on_train_end")
    on_test_begin = _for_each("on_test_begin")
    on_test_end = _for_each("on_test_end")
    on_predict_begin = _for_each("on_predict_begin")
    on_predict_end = _for_each("on_predict_end")
    on_epoch_begin = _for_each_numbered("on_epoch_begin")
    on_epoch_end = _for_each_numbered("on_epoch_end")
    on_batch_begin = _for_each_numbered("on_batch_begin")
    on_batch_end = _for_each_numbered("on_batch_end")
    on_train_batch_begin = _for_each_numbered("on_train_batch_begin")
    on_train_batch_end = _for_each_numbered("on_train_batch_end")
    on_test_batch_begin = _for_each_numbered("on_test_batch_begin")
    on_test_batch_end = _for_each_numbered("on_test_batch_end")
    on_predict_batch_begin = _for_each_numbered("on_predict_batch_begin")
    on_predict_batch_end = _for_each_numbered("on_predict_batch_end")


def _wants_logs(callback, kind) -> bool:
    wants = getattr(callback, "_wants_logs", None)
    return True if wants is None else wants(kind)


def _has_own(callback, name) -> bool:
    """Whether calling the method would do anything: a batch method also through its other name."""
    other = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}.get(name, name)
    for method in {name, other}:
        if method in vars(callback) or getattr(type(callback), method, None) is not getattr(Callback, method):
            return True
    return False
