"""One step: on a batch that `fit()` cut, or on one that the user hands over."""

import functools
import inspect
import warnings
from typing import Any

import numpy as np
import optree

from kerasish.core.autodiff import GradientTape
from kerasish.core.tensor import Tensor
from kerasish.device import bring
from kerasish.training.compilation import Compilation
from kerasish.training.data.arrays import count_samples, map_arrays, standardize_array
from kerasish.training.data.weights import check_sample_weight, class_weight_to_sample_weights
from kerasish.training.logs import in_order, pythonify
from kerasish.training.placement import beside_weights
from kerasish.utils.batch_utils import unpack_x_y_sample_weight


class Steps(Compilation):
    """Steps of training, evaluation and prediction, each of which a subclass may override."""

    def train_step(self, data: tuple) -> dict:
        """Trains on one batch; to be overridden for a training of your own.

        Args:
            data: What the data source yields: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

        Returns:
            Values by name, for the logs.

        Example:

        ```python
        def train_step(self, data):
            x, y = data
            with keras.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            gradients = tape.gradient(loss, self.trainable_weights)
            self.optimizer.apply(gradients, self.trainable_weights)
            return {"loss": loss}
        ```
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self._learn(x, y, sample_weight)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: tuple) -> dict:
        """Evaluates one batch; to be overridden for an evaluation of your own.

        Args:
            data: What the data source yields.

        Returns:
            Values by name, for the logs.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self._judge(x, y, sample_weight)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: tuple) -> Any:
        """Computes the outputs of one batch; to be overridden for a prediction of your own.

        Args:
            data: What the data source yields; only the inputs are used.

        Returns:
            The model's outputs.
        """
        x, _, _ = unpack_x_y_sample_weight(data)
        return self._call_model(x, training=False)

    def _call_model(self, x, training):
        return self(x, training=training) if takes_argument(type(self).call, "training") else self(x)

    def _learn(self, x, y, sample_weight):
        """One step down the gradient; returns the outputs."""
        if self.optimizer is None:
            raise ValueError(
                f"Model '{self.name}' was compiled with optimizer=None, so it can be evaluated, not trained."
            )
        variables = None if not self.built else self._trained_now()
        loss, y_pred, gradients = self._gradients(x, y, sample_weight, variables)
        self._loss_tracker.update_state(loss, sample_weight=_batch_size(x))
        variables = self._trained_now() if variables is None else variables
        if variables:
            self.optimizer.apply(gradients, variables)
        else:
            warnings.warn("The model does not have any trainable weights.", stacklevel=2)
        return y_pred

    def _trained_now(self):
        return self.trainable_weights if self._inside is None else self._inside.trainable

    def _gradients(self, x, y, sample_weight, variables):
        """The loss of a batch, the outputs, and the gradients; `variables` is None before the model is built."""
        if variables and self._step_replays is None and type(self).compute_loss is Steps.compute_loss:
            vars(self)["_step_replays"] = self._step_recorder()
        if variables and self._step_replays is not None:
            return self._step_replays.gradients(x, y, sample_weight, variables)
        return self._step_by_step(x, y, sample_weight, variables)

    def _step_recorder(self):
        """What records training steps and replays them; None for what cannot be recorded."""

    def _step_by_step(self, x, y, sample_weight, variables):
        """`_gradients` by the layers' own calls, under a tape."""
        with GradientTape() as tape:
            y_pred = self._call_model(x, training=True)
            loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
            scaled = self.optimizer.scale_loss(loss)
        return loss, y_pred, tape.gradient(scaled, self._trained_now() if variables is None else variables)

    def _judge(self, x, y, sample_weight):
        """Takes the loss of a batch down; returns the outputs."""
        y_pred = self._call_model(x, training=False)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=False)
        self._loss_tracker.update_state(loss, sample_weight=_batch_size(x))
        return y_pred

    def _loss_of(self, x, y, y_pred, sample_weight, training):
        """`compute_loss`, which a subclass may have written without its last argument."""
        function = self.compute_loss
        if takes_argument(type(self).compute_loss, "training"):
            return function(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)
        return function(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)

    def _quiet_step(self, kind: str):
        """The step of `kind` for the loops: it may return None instead of logs, "the metrics know them".

        Reading metrics costs more than updating them, and most steps' values are never looked at.
        """
        own = type(self)
        step = "train_step" if kind == "train" else "test_step"
        names = (step, "compute_metrics", "get_metrics_result")
        if any(getattr(own, name) is not getattr(Steps, name) for name in names) or step in vars(self):
            return getattr(self, step)
        advance = self._learn if kind == "train" else self._judge

        def quiet(data):
            x, y, sample_weight = unpack_x_y_sample_weight(data)
            y_pred = advance(x, y, sample_weight)
            if self._compile_metrics is not None:
                self._compile_metrics.update_state(y, y_pred, sample_weight)

        return quiet

    def _logs(self, raw) -> dict:
        """What a step returned as Python numbers; the metrics' values where it left the logs to them."""
        return pythonify(self.get_metrics_result() if raw is None else raw)

    @beside_weights
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict | None = None,
        return_dict: bool = False,
    ) -> float | list | dict:
        """Trains on a single batch.

        Args:
            x: Inputs: an array, or a list or dict of arrays.
            y: Targets.
            sample_weight: Weights of the samples.
            class_weight: Weights by class number; not together with `sample_weight`.
            return_dict: Whether to return the values by name.

        Returns:
            The loss and the metrics of this batch: one number, a list, or a dict.

        Raises:
            ValueError: If the model was not compiled, or both kinds of weights are given.
        """
        self._require_compiled("train_on_batch")
        if class_weight is not None and sample_weight is not None:
            raise ValueError(
                "Arguments `sample_weight` and `class_weight` cannot be specified at the same time. Received: "
                f"sample_weight={sample_weight}, class_weight={class_weight}"
            )
        return self._on_batch(
            self.train_step, _batch(x, y, sample_weight, class_weight, output_rank(self)), return_dict
        )

    @beside_weights
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> float | list | dict:
        """Evaluates a single batch.

        Args:
            x: Inputs: an array, or a list or dict of arrays.
            y: Targets.
            sample_weight: Weights of the samples.
            return_dict: Whether to return the values by name.

        Returns:
            The loss and the metrics of this batch: one number, a list, or a dict.

        Raises:
            ValueError: If the model was not compiled.
        """
        self._require_compiled("test_on_batch")
        return self._on_batch(self.test_step, _batch(x, y, sample_weight), return_dict)

    def _on_batch(self, step, data, return_dict):
        self.reset_metrics()
        logs = self._logs(step(data))
        return logs if return_dict else self._logs_in_order(logs)

    @beside_weights
    def predict_on_batch(self, x: Any) -> Any:
        """Computes the outputs of a single batch.

        Args:
            x: Inputs: an array, or a list or dict of arrays.

        Returns:
            NumPy arrays in the structure of the model's outputs.
        """
        data = (_tensors(x),)
        return to_numpy(self.predict_step(data))

    def _logs_in_order(self, logs: dict) -> float | list:
        names = []
        for metric in self.metrics:
            parts = metric.metrics if metric is self._compile_metrics else [metric]
            names.extend(part.name for part in parts)
        return in_order(logs, names)


@functools.cache
def takes_argument(function, name: str) -> bool:
    """Whether a function has an argument of that name, or takes any."""
    parameters = inspect.signature(function).parameters
    return name in parameters or any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())


def _batch_size(x) -> int:
    if isinstance(x, Tensor):
        return x.shape[0]
    return next(leaf.shape[0] for leaf in optree.tree_leaves(x) if hasattr(leaf, "shape"))


def _tensors(structure):
    return map_arrays(lambda a: Tensor(bring(standardize_array(a))), structure)


def output_rank(model) -> int | None:
    """The number of axes of the only output, None where it is not known."""
    outputs = getattr(model, "outputs", None) if model.built else None
    return len(outputs[0].shape) if isinstance(outputs, list) and len(outputs) == 1 else None


def _batch(x, y, sample_weight, class_weight=None, rank=None) -> tuple:
    x, y, sample_weight = _tensors(x), _tensors(y), _tensors(sample_weight)
    if class_weight is not None:
        sample_weight = Tensor(bring(class_weight_to_sample_weights(y, class_weight, rank)))
    if sample_weight is not None and y is not None:
        sample_weight = check_sample_weight(sample_weight, y)
    count_samples(x, y, sample_weight)
    return x, y, sample_weight


def to_numpy(outputs):
    """Outputs as NumPy arrays of their own, which share no memory with the inputs or the model."""
    if isinstance(outputs, Tensor):
        return outputs.numpy()
    return optree.tree_map(lambda y: None if y is None else np.array(y), outputs, none_is_leaf=True)
