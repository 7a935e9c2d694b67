"""CompileLoss: the losses that `compile()` was given, added up over the model's outputs."""

from dataclasses import dataclass
from typing import Any

from kerasish import metrics
from kerasish.core import nest
from kerasish.training.identifiers import loss_of, name_of
from kerasish.training.loss_terms import Place, flat, mirrors, places
from kerasish.training.outputs import MISSING, OutputKeyError, Outputs, is_nest, packed, unwrap


@dataclass(slots=True)
class _Term:
    """A loss of one output, or of the part of them that is like `nest`."""

    loss: Any
    weight: float | None
    tracker: metrics.Mean | None
    leaves: slice
    nest: Any = None

    def of(self, leaves: list):
        """Its part of what there is for each output."""
        mine = leaves[self.leaves]
        return mine[0] if self.nest is None else packed(self.nest, iter(mine))

    def weight_of(self, weights: list):
        """Its part of the sample weights; one array stands for a whole nest."""
        mine = weights[self.leaves]
        if mine[0] is MISSING:
            return None
        return mine[0] if all(weight is mine[0] for weight in mine) else packed(self.nest, iter(mine))


class CompileLoss:
    """The loss of all outputs.

    Args:
        loss: A name, function or `Loss` for every output, or lists and dicts of these by output.
        loss_weights: A number, or lists and dicts of numbers by output.
        output_names: Names of the outputs, of a Functional model.
        eager: Whether the model runs without graphs, as `run_eagerly=True` asks for.

    Raises:
        ValueError: If `loss_weights` is of another type.
    """

    def __init__(self, loss, loss_weights=None, output_names=None, eager=False):
        if loss_weights is not None and not isinstance(loss_weights, (int, float, list, tuple, dict)):
            raise ValueError(
                "Expected `loss_weights` argument to be a float (single output case) or a list, tuple, or dict "
                f"(multiple output case). Received instead: loss_weights={loss_weights} of type {type(loss_weights)}"
            )
        self._given = loss
        self._given_weights = loss_weights
        self._output_names = output_names
        self._eager = eager
        self._outputs: Outputs | None = None
        self._terms: list[_Term] = []
        self._lossless: list[bool] = []
        self._only: _Term | None = None

    @property
    def built(self) -> bool:
        """Whether the outputs have been seen."""
        return self._outputs is not None

    @property
    def metrics(self) -> list[metrics.Mean]:
        """The mean loss of each output, when there are several with a loss."""
        return [term.tracker for term in self._terms if term.tracker is not None]

    def build(self, y_true, y_pred) -> None:
        """Finds out which loss and weight each output has.

        Raises:
            ValueError: For a loss that nobody knows, or keys that do not fit the outputs.
            KeyError: For an entry that no output has, or a weight that is missing.
        """
        outputs = Outputs(y_pred, self._output_names)
        found = self._places(outputs)
        if not found:
            raise ValueError(f"No loss to compute: every output has the loss None. Received: loss={self._given}")
        lossless = [not any(path[: len(p.path)] == p.path for p in found) for path in outputs.paths]
        targets = self._targets(outputs, y_true, lossless)
        preds = outputs.align(y_pred, "y_pred")
        terms = []
        for place in found:
            below = [i for i, path in enumerate(outputs.paths) if path[: len(place.path)] == place.path]
            nest = outputs.at(place.path)
            term = _Term(None, place.weight, None, slice(below[0], below[-1] + 1), nest if is_nest(nest) else None)
            term.loss = loss_of(place.loss, term.of(targets), term.of(preds))
            if len(found) > 1:
                term.tracker = metrics.Mean(name=f"{self._name(outputs, place, below, term)}_loss")
            terms.append(term)
        self._only = terms[0] if len(terms) == len(outputs) == 1 else None
        self._terms, self._lossless = terms, lossless
        self._outputs = outputs

    @staticmethod
    def _name(outputs, place, below, term) -> str:
        if term.nest is None:
            return outputs.name(below[0]) or outputs.prefix(below[0]) + _short_name(place.loss, term.loss)
        return "/".join(map(str, place.path)) or "_".join(outputs.name(i) or str(i) for i in below)

    def _places(self, outputs) -> list[Place]:
        """The losses, each with the way to its part of the outputs."""
        self._check_keys(outputs)
        given = self._by_key(outputs)
        if not mirrors(given, outputs.structure):
            found = places(given, self._given_weights, outputs)
            if not is_nest(outputs.structure) and len(found) > 1:
                raise ValueError(
                    f"`loss` has more entries than the model has outputs, which is one. Received: loss={self._given}. "
                    "To add several losses up for one output, write a function that adds them."
                )
            return found
        losses = self._losses_by_output(outputs)
        weights = self._weights_by_output(outputs, losses)
        return [Place(*found) for found in zip(outputs.paths, losses, weights) if found[1] is not None]

    def _by_key(self, outputs):
        """The losses as given, a dict by the names of outputs that come as a list turned into one."""
        if not isinstance(self._given, dict):
            return self._given
        if not is_nest(outputs.structure) and len(self._given) == 1:
            return next(iter(self._given.values()))
        if outputs.names and not isinstance(outputs.structure, dict) and set(self._given) == set(outputs.names):
            return [self._given[name] for name in outputs.names]
        return self._given

    def _check_keys(self, outputs):
        named_list = outputs.names and isinstance(outputs.structure, (list, tuple)) and len(outputs) > 1
        if isinstance(self._given, dict) and named_list and set(self._given) != set(outputs.names):
            raise ValueError(
                f"Expected keys {outputs.names} in loss dict, but found loss.keys()={list(self._given)}. "
                "Give an output that has no loss the loss `None`."
            )
        only_name = outputs.name(0) if len(outputs) == 1 else None
        if isinstance(self._given, dict) and only_name is not None and only_name not in self._given:
            raise ValueError(f"Expected keys {[only_name]} in loss dict, but found loss.keys()={list(self._given)}.")

    def _losses_by_output(self, outputs):
        given = outputs.align(self._given, "loss", error=OutputKeyError)
        return [None if loss is MISSING else loss for loss in given]

    def _weights_by_output(self, outputs, given):
        by_name = isinstance(self._given, dict) and isinstance(self._given_weights, dict)
        shared = list(flat(self._given_weights)) if not is_nest(self._given) else []
        if is_nest(self._given_weights) and len(shared) == 1:
            return shared * len(given)
        if is_nest(self._given_weights) and not shared and not (by_name and not isinstance(outputs.structure, dict)):
            self._check_number_of_weights()
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

    def _check_number_of_weights(self):
        """There has to be a weight for each entry of a nest of losses, `None` among them."""
        losses, weights = len(list(flat(self._given))), len(list(flat(self._given_weights)))
        if losses != weights:
            raise ValueError(
                f"`loss_weights` must match the number of losses, got {losses} losses and {weights} weights. Received: "
                f"loss={_shown(self._given)}, loss_weights={self._given_weights}; give each output its loss, or `None`."
            )

    def _targets(self, outputs, y_true, lossless):
        """The target of each output, which must be there where there is a loss."""
        if y_true is None:
            raise ValueError(
                f"No targets: y is None, but the model was compiled with loss={_shown(self._given)}. Pass `y`, or data "
                "that yields `(x, y)`; to train without targets, compile without a loss and use `add_loss()`."
            )
        targets = outputs.align(y_true, "y", broadcast=lossless.count(False) < 2, error=OutputKeyError)
        for i, (target, without) in enumerate(zip(targets, lossless)):
            if not without and (target is None or target is MISSING):
                raise OutputKeyError(
                    f"The output {(outputs.name(i) or i)!r} has a loss (loss={_shown(self._given)}), but `y` has no "
                    f"target for it. The outputs are {outputs.describe()}."
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
        targets = self._targets(self._outputs, y_true, self._lossless)
        preds = self._outputs.align(y_pred, "y_pred")
        weights = self._outputs.align(sample_weight, "sample_weight", error=OutputKeyError)
        total = None
        # As in Keras's graphs, the outputs' means count each batch once, where the total weighs it by its samples;
        # without graphs, Keras weighs those means, too.
        for term in self._terms:
            pred = term.of(preds)
            value = term.loss(term.of(targets), pred, term.weight_of(weights))
            if term.tracker is not None:
                samples = nest.flatten(pred)[0].shape[0] if self._eager else None
                term.tracker.update_state(value, sample_weight=samples)
            value = value if term.weight is None else value * term.weight
            total = value if total is None else total + value
        return total


def _short_name(identifier, loss) -> str:
    return identifier if isinstance(identifier, str) else name_of(loss)


def _shown(loss) -> str:
    return repr(loss) if isinstance(loss, (str, list, dict)) else getattr(loss, "name", None) or name_of(loss)
