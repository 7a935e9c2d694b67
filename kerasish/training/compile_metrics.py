"""CompileMetrics: the metrics that `compile()` was given, as one metric whose result is a dict."""

from dataclasses import dataclass

from kerasish import metrics as metrics_module
from kerasish.training.identifiers import is_identifier, metric_of
from kerasish.training.outputs import MISSING, Outputs, unwrap
from kerasish.training.placement import move_beside


@dataclass(slots=True)
class _Entry:
    """A metric, the output it looks at, and what the logs call it."""

    name: str
    metric: metrics_module.Metric
    output: int
    weighted: bool


class CompileMetrics(metrics_module.Metric):
    """All metrics of all outputs.

    Args:
        metrics: A list of metrics, or lists and dicts of lists by output.
        weighted_metrics: The same, for metrics that take the sample weights into account.
        name: Name of this metric.
        output_names: Names of the outputs, of a Functional model.

    Raises:
        ValueError: If `metrics` or `weighted_metrics` is no list, tuple or dict.
    """

    def __init__(self, metrics, weighted_metrics, name="compile_metrics", output_names=None):
        super().__init__(name=name)
        for argument, given in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
            if given and not isinstance(given, (list, tuple, dict)):
                raise ValueError(
                    f"Expected `{argument}` argument to be a list, tuple, or dict. Received instead: "
                    f"{argument}={given} of type {type(given)}"
                )
        self._given = {"metrics": metrics, "weighted_metrics": weighted_metrics}
        self._output_names = output_names
        self._outputs = None
        self._entries = ()

    @property
    def built(self) -> bool:
        """Whether the outputs have been seen."""
        return self._outputs is not None

    @property
    def metrics(self) -> list[metrics_module.Metric]:
        """The metrics, those without weights first."""
        return [entry.metric for entry in self._entries]

    @property
    def variables(self) -> list:
        """The state of all metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    @property
    def entries(self) -> tuple[_Entry, ...]:
        """The metrics with their names in the logs."""
        return tuple(self._entries)

    def build(self, y_true, y_pred) -> None:
        """Finds out which metrics each output has.

        Raises:
            ValueError: For a metric that nobody knows, or metrics that do not fit the outputs.
        """
        outputs = Outputs(y_pred, self._output_names)
        targets = outputs.align(y_true, "y")
        preds = outputs.align(y_pred, "y_pred")
        entries = []
        for argument, given in self._given.items():
            weighted = argument == "weighted_metrics"
            for i, identifiers in enumerate(_by_output(outputs, given, argument)):
                for identifier in identifiers:
                    metric = metric_of(identifier, targets[i], preds[i])
                    name = _free_name(metric.name, _output_name(outputs, i), weighted, entries)
                    entries.append(_Entry(name, metric, i, weighted))
        self._entries = tuple(entries)
        move_beside(self.variables, y_pred)
        self._outputs = outputs  # says that all is there

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Shows a batch to every metric."""
        if self._outputs is None:
            self.build(y_true, y_pred)
        if len(self._outputs) == 1:
            targets, preds, weights = [unwrap(y_true)], [unwrap(y_pred)], [unwrap(sample_weight)]
        else:
            targets = self._outputs.align(y_true, "y")
            preds = self._outputs.align(y_pred, "y_pred")
            weights = self._outputs.align(sample_weight, "sample_weight")
        for entry in self._entries:
            target = targets[entry.output]
            if target is None or target is MISSING:
                continue
            weight = weights[entry.output] if entry.weighted else None
            entry.metric.update_state(target, preds[entry.output], sample_weight=None if weight is MISSING else weight)

    def result(self) -> dict:
        """The values by their names in the logs."""
        results = {}
        for entry in self._entries:
            value = entry.metric.result()
            results.update(value if isinstance(value, dict) else {entry.name: value})
        return results

    def reset_state(self) -> None:
        """Forgets what was seen."""
        for entry in self._entries:
            entry.metric.reset_state()

    def get_config(self):
        raise NotImplementedError("`CompileMetrics` is described by the model's `get_compile_config()`.")


def _by_output(outputs: Outputs, given, argument: str) -> list[list]:
    """The metrics of each output."""
    if not given:
        return [[] for _ in range(len(outputs))]
    if len(outputs) == 1:
        return [_flat(given)]
    is_dict = isinstance(outputs.structure, dict)
    is_nested = any(len(path) > 1 for path in outputs.paths)
    if not isinstance(given, dict) and ((is_dict and is_nested) or len(given) != len(outputs.structure)):
        raise ValueError(_misfit(outputs, given, argument))
    try:
        found = outputs.align(given, argument)
    except ValueError as error:
        raise ValueError(f"{error}\n{_misfit(outputs, given, argument)}") from None
    return [[] if part is None or part is MISSING else _flat(part) for part in found]


def _output_name(outputs: Outputs, i: int) -> str | None:
    """What stands before the names of an output's metrics: its name, without the path that leads to it."""
    name = outputs.name(i) if len(outputs) > 1 else None
    return name if name is None else name.removeprefix(outputs.prefix(i))


def _misfit(outputs, given, argument):
    return (
        f"Invalid `{argument}`. `{argument}` should contain metrics objects and either be a dict or a list matching "
        f"the outputs of the model: {outputs.describe()}. Received: {argument}={given}"
    )


def _flat(given) -> list:
    if given is None or is_identifier(given) or not isinstance(given, (list, tuple, dict)):
        return [given]
    return [metric for part in (given.values() if isinstance(given, dict) else given) for metric in _flat(part)]


def _free_name(name, output, weighted, entries) -> str:
    """The name with its output's, marked if weighted or repeated and taken already."""
    taken = {entry.name for entry in entries}
    prefix = f"{output}_" if output is not None else ""
    if weighted and prefix + name in taken:
        name = f"weighted_{name}"
    candidate, number = prefix + name, 0
    while candidate in taken:
        number += 1
        candidate = f"{prefix}{name}_{number}"
    return candidate
