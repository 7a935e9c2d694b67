"""CompileLoss: the losses that `compile()` was given, added up over the model's outputs."""

from dataclasses import dataclass
from typing import Any

from kerasish import metrics
from kerasish.training.identifiers import loss_of, name_of
from kerasish.training.outputs import MISSING, OutputKeyError, Outputs, unwrap


@dataclass(slots=True)
class _Term:
    """One output's share of the loss."""

    loss: Any
    weight: float | None
    tracker: metrics.Mean | None


class CompileLoss:
    """The loss of all outputs.

    Args:
        loss: A name, function or `Loss` for every output, or lists and dicts of these by output.
        loss_weights: A number, or lists and dicts of numbers by output.
        output_names: Names of the outputs, of a Functional model.

    Raises:
        ValueError: If `loss_weights` is of another type.
    """

    def __init__(self, loss, loss_weights=None, output_names=None):
        if loss_weights is not None and not isinstance(loss_weights, (int, float, list, tuple, dict)):
            raise ValueError(
                "Expected `loss_weights` argument to be a float (single output case) or a list, tuple, or dict "
                f"(multiple output case). Received instead: loss_weights={loss_weights} of type {type(loss_weights)}"
            )
        self._given = loss
        self._given_weights = loss_weights
        self._output_names = output_names
        self._outputs: Outputs | None = None
        self._terms: list[_Term | None] = []
        self._only: _Term | None = None

    @property
    def built(self) -> bool:
        """Whether the outputs have been seen."""
        return self._outputs is not None

    @property
    def metrics(self) -> list[metrics.Mean]:
        """The mean loss of each output, when there are several with a loss."""
        return [term.tracker for term in self._terms if term is not None and term.tracker is not None]

    def build(self, y_true, y_pred) -> None:
        """Finds out which loss and weight each output has.

        Raises:
            ValueError: For a loss that nobody knows, or keys that do not fit the outputs.
            KeyError: For an entry that no output has, or a weight that is missing.
        """
        outputs = Outputs(y_pred, self._output_names)
        given = self._losses_by_output(outputs)
        if all(loss is None for loss in given):
            raise ValueError(f"No loss to compute: every output has the loss None. Received: loss={self._given}")
        weights = self._weights_by_output(outputs, given)
        targets = self._targets(outputs, y_true, given)
        preds = outputs.align(y_pred, "y_pred")
        several = sum(loss is not None for loss in given) > 1
        self._terms = []
        for i, (identifier, weight) in enumerate(zip(given, weights)):
            loss = loss_of(identifier, targets[i], preds[i])
            name = outputs.name(i) or outputs.prefix(i) + (_short_name(identifier, loss) if loss else "")
            tracker = metrics.Mean(name=f"{name}_loss") if several and loss is not None else None
            self._terms.append(None if loss is None else _Term(loss, weight, tracker))
        self._only = self._terms[0] if len(self._terms) == 1 else None
        self._outputs = outputs

    def _losses_by_output(self, outputs):
        named_list = outputs.names and isinstance(outputs.structure, (list, tuple)) and len(outputs) > 1
        if isinstance(self._given, dict) and named_list and set(self._given) != set(outputs.names):
            raise ValueError(
                f"Expected keys {outputs.names} in loss dict, but found loss.keys()={list(self._given)}. "
                "Give an output that has no loss the loss `None`."
            )
        only_name = outputs.name(0) if len(outputs) == 1 else None
        if isinstance(self._given, dict) and only_name is not None and only_name not in self._given:
            raise ValueError(f"Expected keys {[only_name]} in loss dict, but found loss.keys()={list(self._given)}.")
        given = outputs.align(self._given, "loss", error=OutputKeyError)
        if any(isinstance(loss, (list, tuple)) for loss in given):
            raise ValueError(
                f"`loss` has more entries than the model has outputs. Received: loss={self._given}; the outputs are "
                f"{outputs.describe()}. To add several losses up for one output, write a function that adds them."
            )
        return [None if loss is MISSING else loss for loss in given]

    def _weights_by_output(self, outputs, given):
        weights = outputs.align(self._given_weights, "loss_weights", error=ValueError)
        if len(outputs) == 1 and isinstance(weights[0], (list, tuple, dict)):
            raise ValueError(
                "`loss_weights` must match the number of losses, got 1 losses and "
                f"{len(weights[0])} weights. Received: loss_weights={self._given_weights}"
            )
        for i, weight in enumerate(weights):
            if weight is MISSING and given[i] is not None:
                raise OutputKeyError(
                    f"`loss_weights` says nothing about the output {(outputs.name(i) or i)!r}. Received: "
                    f"loss_weights={self._given_weights}; the outputs are {outputs.describe()}."
                )
        return [None if weight is MISSING or weight == 1.0 else weight for weight in weights]

    def _targets(self, outputs, y_true, given):
        """The target of each output, which must be there where there is a loss."""
        if y_true is None:
            raise ValueError(
                f"No targets: y is None, but the model was compiled with loss={_shown(self._given)}. Pass `y`, or data "
                "that yields `(x, y)`; to train without targets, compile without a loss and use `add_loss()`."
            )
        several = sum(loss is not None for loss in given) > 1
        targets = outputs.align(y_true, "y", broadcast=not several, error=OutputKeyError)
        for i, (target, loss) in enumerate(zip(targets, given)):
            if loss is not None and (target is None or target is MISSING):
                raise OutputKeyError(
                    f"The output {(outputs.name(i) or i)!r} has the loss {_shown(loss)}, but `y` has no target for it. "
                    f"The outputs are {outputs.describe()}."
                )
        return targets

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The weighted sum of the outputs' losses."""
        if self._outputs is None:
            self.build(y_true, y_pred)
        if self._only is None or y_true is None:
            return self._sum(y_true, y_pred, sample_weight)
        term = self._only
        value = term.loss(unwrap(y_true), unwrap(y_pred), unwrap(sample_weight))
        return value if term.weight is None else value * term.weight

    def _sum(self, y_true, y_pred, sample_weight):
        losses = [term and term.loss for term in self._terms]
        targets = self._targets(self._outputs, y_true, losses)
        preds = self._outputs.align(y_pred, "y_pred")
        weights = self._outputs.align(sample_weight, "sample_weight", error=OutputKeyError)
        total = None
        # As in Keras's graphs, the outputs' means count each batch once; only the total weighs a batch by its samples.
        for term, target, pred, weight in zip(self._terms, targets, preds, weights):
            if term is None:
                continue
            value = term.loss(target, pred, None if weight is MISSING else weight)
            if term.tracker is not None:
                term.tracker.update_state(value)
            value = value if term.weight is None else value * term.weight
            total = value if total is None else total + value
        return total


def _short_name(identifier, loss) -> str:
    return identifier if isinstance(identifier, str) else name_of(loss)


def _shown(loss) -> str:
    return repr(loss) if isinstance(loss, (str, list, dict)) else getattr(loss, "name", None) or name_of(loss)
