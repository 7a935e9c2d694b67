"""What `compile()` gives a model: optimizer, loss and metrics, and what follows from them alone."""

import contextlib
import warnings
from typing import Any

from kerasish import config, metrics, ops, optimizers
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.training.compile_loss import CompileLoss
from kerasish.training.compile_metrics import CompileMetrics

_COMPILE_ARGUMENTS = (
    "optimizer",
    "loss",
    "loss_weights",
    "metrics",
    "weighted_metrics",
    "run_eagerly",
    "steps_per_execution",
    "jit_compile",
)


class Compilation:
    """The part of a model that `compile()` sets up. State is kept out of the layer's tracking of attributes."""

    compiled = False
    optimizer: Any  # there is none before `compile`, as in Keras
    loss = None
    run_eagerly = False
    jit_compile = False
    steps_per_execution = 1
    _compile_loss: CompileLoss | None = None
    _compile_metrics: CompileMetrics | None = None
    _loss_tracker: metrics.Mean | None = None
    _compile_config: dict | None = None
    _inside: "_Inside | None" = None
    _step_replays: Any = None

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: list | dict | None = None,
        weighted_metrics: list | dict | None = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: str | bool = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Configures the model for training.

        Args:
            optimizer: Name or instance of an optimizer.
            loss: Name, function or `Loss` instance; for several outputs also a list or dict of these by output.
                `"crossentropy"` chooses by the shapes of targets and outputs. `None` if all losses are added
                with `add_loss()`.
            loss_weights: Weights of the outputs' losses in the total: a number, list or dict.
            metrics: List of names, functions or `Metric` instances; for several outputs a list or dict of such
                lists. `"accuracy"` chooses by the shapes of targets and outputs.
            weighted_metrics: As `metrics`, for metrics that take `sample_weight` and `class_weight` into account.
            run_eagerly: Kept for the configuration. Steps always run eagerly: breakpoints and prints in `call()`
                work, whatever is passed here.
            steps_per_execution: Number of batches between two calls of the callbacks' batch methods.
            jit_compile: Kept for the configuration. Kernels are compiled in any case, steps never are.
            auto_scale_loss: Whether to wrap the optimizer in a `LossScaleOptimizer` if the model's dtype policy is
                `"mixed_float16"`.

        Raises:
            ValueError: If an argument cannot be interpreted. What depends on the outputs is found out with the
                first batch.

        Example:

        ```python
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        ```
        """
        if jit_compile is True and run_eagerly:
            warnings.warn(
                "If `run_eagerly` is True, then `jit_compile` cannot also be True. Disabling `jit_compile`.",
                stacklevel=2,
            )
        if steps_per_execution < 1:
            raise ValueError(f"`steps_per_execution` must be at least 1. Received: {steps_per_execution}")
        optimizer = optimizers.get(optimizer)
        compiled = jit_compile is True and not run_eagerly
        given = (optimizer, loss, loss_weights, metrics, weighted_metrics, run_eagerly, steps_per_execution, compiled)
        vars(self).update(
            optimizer=self._scaling(optimizer, auto_scale_loss),
            loss=loss,
            run_eagerly=run_eagerly,
            jit_compile=compiled,
            steps_per_execution=steps_per_execution,
            _compile_loss=(
                None if loss is None else CompileLoss(loss, loss_weights, self._output_names(), bool(run_eagerly))
            ),
            _compile_metrics=self._new_compile_metrics(metrics, weighted_metrics),
            _loss_tracker=_mean("loss"),
            _compile_config=dict(zip(_COMPILE_ARGUMENTS, given)),
            stop_training=False,
            compiled=True,
            _step_replays=None,
        )

    def _scaling(self, optimizer, auto_scale_loss):
        if not auto_scale_loss or self.dtype_policy.name != "mixed_float16" or optimizer is None:
            return optimizer
        if isinstance(optimizer, optimizers.LossScaleOptimizer):
            return optimizer
        return optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")

    def _new_compile_metrics(self, metrics, weighted_metrics):
        if metrics is None and weighted_metrics is None:
            return None
        return CompileMetrics(metrics, weighted_metrics, output_names=self._output_names())

    def _output_names(self):
        return getattr(self, "output_names", None)

    @property
    def metrics(self) -> list:
        """All metrics: of the loss, of `compile()`, and of the layers."""
        found = []
        if self._loss_tracker is not None:
            found.append(self._loss_tracker)
        if self._compile_metrics is not None:
            found.append(self._compile_metrics)
        if self._compile_loss is not None:
            found.extend(self._compile_loss.metrics)
        for layer in self._flatten_layers():
            found.extend(layer._own_metrics())
        return found

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Resets the state of all metrics."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict:
        """The present values of all metrics by name."""
        results = {}
        for metric in self.metrics:
            value = metric.result()
            results.update(value if isinstance(value, dict) else {metric.name: value})
        return results

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ):
        """Computes the total loss of a batch; to be overridden where `compile()` cannot express it.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: The model's outputs.
            sample_weight: Weights of the samples, or `None`.
            training: Whether this is a training step.

        Returns:
            A scalar: the losses of `compile()`, plus those that layers added (`add_loss()`, regularizers).

        Raises:
            ValueError: If there is no loss at all.
        """
        total = self._compile_loss(y, y_pred, sample_weight) if self._compile_loss is not None else None
        for loss in self._added_losses():
            loss = ops.sum(ops.cast(loss, config.floatx()))
            total = loss if total is None else total + loss
        if total is None:
            raise ValueError("No loss to compute. Provide a `loss` argument in `compile()`.")
        return total

    def _added_losses(self) -> list:
        """`losses`, from what is known to be inside during an epoch."""
        inside = self._inside
        if inside is None:
            return self.losses
        found = [x for layer in inside.layers if layer._losses_at >= self._entered_at for x in layer._losses]
        return found + [variable.regularizer(variable) for variable in inside.regularized]

    @contextlib.contextmanager
    def _walked(self):
        """A context in which steps do not walk through the layers again to find the variables and losses.

        What becomes trainable or frozen meanwhile counts from the next epoch on.
        """
        vars(self)["_inside"] = _Inside(self)
        try:
            yield
        finally:
            vars(self)["_inside"] = None

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict:
        """Updates the metrics of `compile()` and returns the values of all; to be overridden to add more.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: The model's outputs.
            sample_weight: Weights of the samples, or `None`.

        Returns:
            Values by name, as `get_metrics_result()`.
        """
        if self._compile_metrics is not None:
            self._compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_compile_config(self) -> dict:
        """The arguments of `compile()`, serialized; empty if the model was not compiled."""
        if not self.compiled or self._compile_config is None:
            return {}
        return {name: serialize_keras_object(value) for name, value in self._compile_config.items()}

    def compile_from_config(self, config: dict) -> None:
        """Compiles the model with the arguments that `get_compile_config()` returned.

        Args:
            config: The dictionary.
        """
        overridden = type(self).compile is not Compilation.compile
        if overridden and type(self).compile_from_config is Compilation.compile_from_config:
            warnings.warn(
                "`compile()` was not called as part of model loading because the model's `compile()` method is "
                "custom. All subclassed Models that have `compile()` overridden should also override "
                "`get_compile_config()` and `compile_from_config(config)`. "
                "Alternatively, you can call `compile()` manually after loading.",
                stacklevel=2,
            )
            return
        self.compile(**deserialize_keras_object(config))
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)

    def _require_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"You must call `compile()` before using the model. Model '{self.name}': {method}() needs a loss and "
                "an optimizer; call e.g. `model.compile(optimizer='adam', loss='mse')` first."
            )


class _Inside:
    """The layers of a model, its trainable variables, and those of them that have a regularizer."""

    def __init__(self, model):
        self.layers = list(model._flatten_layers())
        self.trainable = model.trainable_weights
        self.regularized = [v for v in self.trainable if v.regularizer is not None]


def _mean(name):
    """A Mean, from methods in which `metrics` is the name of an argument."""
    return metrics.Mean(name=name)
