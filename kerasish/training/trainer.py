"""Trainer: fit, evaluate and predict."""

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import optree

from kerasish import config
from kerasish.callbacks.callback_list import CallbackList
from kerasish.callbacks.history import History
from kerasish.core.operation import trace_shapes
from kerasish.core.symbolic import KerasTensor
from kerasish.device import natives, waiting
from kerasish.training.data import adapter_for, train_validation_split
from kerasish.training.epochs import Epochs
from kerasish.training.logs import pythonify
from kerasish.training.placement import beside_weights
from kerasish.training.steps import Steps, output_rank, to_numpy
from kerasish.utils.batch_utils import unpack_x_y_sample_weight


class Trainer(Steps):
    """What a model needs to be trained: the mix-in of `Model`."""

    history: History | None = None
    stop_training = False
    stop_evaluating = False
    stop_predicting = False
    _initial_epoch: int | None = None

    @beside_weights
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | list = 1,
    ) -> History:
        """Trains the model for a number of epochs.

        Args:
            x: Inputs: an array, a list or dict of arrays; or a generator, a `PyDataset`, or any iterable of
                batches `(x, y)` or `(x, y, sample_weight)`.
            y: Targets, in the structure of the outputs; not with a data set, which yields them.
            batch_size: Samples per step, 32 by default; not used with a data set.
            epochs: The epoch at which to stop, counted from 0 (not the number to run, if `initial_epoch` is set).
            verbose: 0 (silent), 1 or `"auto"` (a progress bar), 2 (one line an epoch).
            callbacks: List of callbacks.
            validation_split: Fraction of the arrays, from their end, to evaluate instead of training on it.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or a data set to evaluate after each epoch.
            shuffle: Whether to shuffle the samples of arrays. After `keras.utils.set_random_seed` the order is that of
                Keras on TensorFlow, which is the same in every epoch; without a seed each epoch has its own.
                `"epoch"` has a new order each epoch, the same ones in each run; `"batch"` shuffles the samples
                within each batch. Of a `PyDataset` the batches are shuffled; other data sets come as they are.
            class_weight: Weights by class number, for models with one output.
            sample_weight: Weights of the samples: an array, or arrays in the structure of `y`.
            initial_epoch: The epoch at which to start.
            steps_per_epoch: Batches in an epoch; by default the data are gone through once. The next epoch goes
                on where this one stopped.
            validation_steps: Batches of `validation_data` to evaluate; all by default.
            validation_batch_size: Samples per step of the evaluation; `batch_size` by default.
            validation_freq: Evaluate every so many epochs, or after the epochs (from 1) of a list.

        Returns:
            A `History`; its attribute `history` has the values of each epoch by name.

        Raises:
            ValueError: If the model was not compiled, or the data do not fit the model or each other.
        """
        self._require_compiled("fit")
        _check_frequency(validation_freq)
        epochs = _limited(epochs)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = train_validation_split((x, y, sample_weight), validation_split)
        adapter = adapter_for(
            x,
            y,
            sample_weight,
            batch_size=batch_size,
            steps=steps_per_epoch,
            shuffle=shuffle,
            class_weight=class_weight,
            output_rank=None if class_weight is None else output_rank(self),
        )
        source = Epochs(adapter, steps_per_epoch, self.steps_per_execution)
        validate = self._validation(
            validation_data, validation_batch_size or batch_size, validation_steps, validation_freq
        )
        self._ensure_built(source)
        callbacks = self._callback_list(callbacks, verbose, epochs=epochs, steps=source.num_batches, history=True)
        vars(self).update(stop_training=False, _initial_epoch=None)
        self._run_epochs(source, callbacks, initial_epoch, epochs, validate)
        return self.history

    def _run_epochs(self, source, callbacks, initial_epoch, epochs, validate):
        compiled_before = natives.compile_report()
        callbacks.on_train_begin()
        logs = {}
        for epoch in range(self._initial_epoch or initial_epoch, epochs):
            self.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            epoch_logs = self._train_epoch(source, callbacks)
            if epoch_logs is None:
                break
            validation = {f"val_{name}": value for name, value in validate(epoch, callbacks).items()}
            logs = pythonify({**epoch_logs, **validation})
            callbacks.on_epoch_end(epoch, logs)
            compiled_before = _tell_compile_time(compiled_before, callbacks.params["verbose"])
            if self.stop_training:
                break
        if epochs > 0 and hasattr(self.optimizer, "finalize_variable_values"):
            self.optimizer.finalize_variable_values(self.trainable_weights)
        callbacks.on_train_end(logs)

    def _train_epoch(self, source, callbacks) -> dict | None:
        """Trains for one epoch; returns its logs, or None if there was no batch left."""
        run, raw, first = self._quiet_step("train"), None, True
        with contextlib.ExitStack() as after_first_batch:
            for step, batches in source.groups():
                callbacks.on_train_batch_begin(step)
                for batch in batches:
                    raw = run(batch)
                if first:
                    after_first_batch.enter_context(self._walked())
                first = False
                logs = self._logs(raw) if callbacks.wants_logs("train") else None
                callbacks.on_train_batch_end(step + self.steps_per_execution - 1, logs)
                if self.stop_training:
                    break
        return None if first else self._epoch_logs(raw)

    def _epoch_logs(self, raw) -> dict:
        """The metrics' values; or what the last step returned, if that is something else."""
        if raw is not None and set(raw) != set(self.get_metrics_result()):
            return self._logs(raw)
        return self._logs(None)

    def _validation(self, data, batch_size, steps, frequency) -> Callable:
        """The function of an epoch and the callbacks that evaluates after that epoch, if it is due."""
        if data is None:
            return lambda epoch, callbacks: {}
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        adapter = adapter_for(x, y, sample_weight, batch_size=batch_size, steps=steps, where="evaluate")
        source = Epochs(adapter, steps, self.steps_per_execution)

        def validate(epoch, callbacks):
            if not _is_due(epoch, frequency):
                return {}
            return self.evaluate(
                x, y, batch_size, 0, sample_weight, steps, callbacks=callbacks, return_dict=True, _source=source
            )

        return validate

    @beside_weights
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> float | list | dict:
        """Computes the loss and the metrics of data.

        Args:
            x: Inputs, or a data set, as for `fit()`.
            y: Targets.
            batch_size: Samples per step, 32 by default; not used with a data set.
            verbose: 0 (silent), 1 or `"auto"` (a progress bar), 2 (one line).
            sample_weight: Weights of the samples.
            steps: Number of batches; all by default.
            callbacks: List of callbacks.
            return_dict: Whether to return the values by name.

        Returns:
            The loss and the metrics: one number, a list (the loss, those of `compile()`, others by name), or a dict.

        Raises:
            ValueError: If the model was not compiled, or the data do not fit the model or each other.
        """
        source = kwargs.pop("_source", None)
        if kwargs:
            raise ValueError(f"Arguments not recognized: {kwargs}")
        self._require_compiled("evaluate")
        if source is None:
            adapter = adapter_for(x, y, sample_weight, batch_size=batch_size, steps=steps, where="evaluate")
            source = Epochs(adapter, steps, self.steps_per_execution)
        if not isinstance(callbacks, CallbackList):
            self._ensure_built(source)
            callbacks = self._callback_list(callbacks, verbose, epochs=1, steps=source.num_batches)
        vars(self)["stop_evaluating"] = False
        logs = self._evaluate(source, callbacks)
        return logs if return_dict else self._logs_in_order(logs)

    def _evaluate(self, source, callbacks) -> dict:
        run, raw = self._quiet_step("test"), None
        callbacks.on_test_begin()
        self.reset_metrics()
        for step, batches in source.groups():
            callbacks.on_test_batch_begin(step)
            for batch in batches:
                raw = run(batch)
            logs = self._logs(raw) if callbacks.wants_logs("test") else None
            callbacks.on_test_batch_end(step + self.steps_per_execution - 1, logs)
            if self.stop_evaluating:
                break
        source.rewind()
        logs = self._epoch_logs(raw)
        callbacks.on_test_end(logs)
        return logs

    @beside_weights
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Computes the outputs for inputs, batch by batch.

        Nothing is built or kept by a call: it may be called in a loop, and a single batch costs one forward pass.

        Args:
            x: Inputs, or a data set, as for `fit()`.
            batch_size: Samples per step, 32 by default; not used with a data set.
            verbose: 0 (silent), 1 or `"auto"` (a progress bar), 2 (one line).
            steps: Number of batches; all by default.
            callbacks: List of callbacks.

        Returns:
            NumPy arrays in the structure of the model's outputs.

        Raises:
            ValueError: If the data do not fit the model.
        """
        source = Epochs(
            adapter_for(x, batch_size=batch_size, steps=steps, where="predict"), steps, self.steps_per_execution
        )
        callbacks = self._callback_list(callbacks, verbose, epochs=1, steps=source.num_batches)
        vars(self)["stop_predicting"] = False
        callbacks.on_predict_begin()
        collected = []
        for step, batches in source.groups():
            callbacks.on_predict_batch_begin(step)
            collected.extend(to_numpy(self.predict_step(batch)) for batch in batches)
            logs = {"outputs": collected[-1]} if callbacks.wants_logs("predict") else None
            callbacks.on_predict_batch_end(step + self.steps_per_execution - 1, logs)
            if self.stop_predicting:
                break
        callbacks.on_predict_end()
        return _concatenated(collected)

    def _callback_list(self, callbacks, verbose, history=False, **params) -> CallbackList:
        """The callbacks of a run; History and ProgbarLogger join them where they are needed."""
        if isinstance(callbacks, CallbackList):
            return callbacks
        verbose = 1 if verbose == "auto" else verbose
        return CallbackList(
            callbacks, add_history=history, add_progbar=verbose != 0, model=self, verbose=verbose, **params
        )

    def _ensure_built(self, source) -> None:
        """Makes the variables before the callbacks first see the model, by running it on the shapes of a batch.

        A model that cannot run on shapes is built by its first step.
        """
        batch = None if self.built else source.peek()
        if batch is not None:
            with contextlib.suppress(Exception):
                trace_shapes(self, optree.tree_map(_open_batch, unpack_x_y_sample_weight(batch)[0]))


def _open_batch(x) -> KerasTensor:
    return KerasTensor((None, *x.shape[1:]), x.dtype)


def _concatenated(collected):
    if len(collected) == 1:
        return collected[0]
    if not collected:
        raise ValueError("predict() received no batches: the data set is empty.")
    return optree.tree_map(lambda *parts: np.concatenate(parts), *collected)


def _limited(epochs: int) -> int:
    """`epochs`, unless `keras.config.set_max_epochs` allows fewer."""
    most = config.max_epochs()
    if most is None or epochs <= most:
        return epochs
    warnings.warn(f"Limiting epochs to {most}", stacklevel=4)
    return most


def _check_frequency(frequency) -> None:
    if isinstance(frequency, int) and frequency < 1:
        raise ValueError(f"`validation_freq` must be at least 1. Received: validation_freq={frequency}")
    if not isinstance(frequency, (int, list, tuple, set)):
        raise ValueError(
            f"Expected `validation_freq` to be a list or int. Received: validation_freq={frequency} of the "
            f"type {type(frequency)}."
        )


def _is_due(epoch, frequency) -> bool:
    return (epoch + 1) % frequency == 0 if isinstance(frequency, int) else epoch + 1 in frequency


def _tell_compile_time(before, verbose):
    """Says what compiling cost in the epoch that ended; returns the new state of the report."""
    now = natives.compile_report()
    count, seconds = now[0] - before[0], now[1] - before[1]
    if verbose and seconds > 1:
        waiting.tell(count, seconds)
    return now
