"""Functions: graphs of operations from symbolic inputs to symbolic outputs, to be run on values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kerasish.core import nest, scopes
from kerasish.core.symbolic import KerasTensor, Node, map_graph
from kerasish.core.tensor import as_array


class Step(NamedTuple):
    """One call in a plan. Tensors of the graph have numbers, their slots."""

    node: Node
    operation: object
    single: int | None  # the slot of the only argument, where the call is as simple as that
    outputs: list[int]


class Function:
    """The graph from `inputs` to `outputs`, which can be run on values or on other symbolic tensors.

    Args:
        inputs: KerasTensors in any structure.
        outputs: likewise.
        name: made up if None.

    Raises:
        ValueError: if outputs cannot be reached from inputs.
    """

    def __init__(self, inputs, outputs, name: str | None = None):
        self.name = name if name is not None else scopes.auto_name(type(self).__name__)
        self._init_graph(inputs, outputs)

    def _init_graph(self, inputs, outputs):
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self._inputs, self._outputs = nest.flatten(inputs), nest.flatten(outputs)
        if not self._inputs:
            raise ValueError(f"`inputs` argument cannot be empty. Received:\ninputs={inputs}\noutputs={outputs}")
        if not self._outputs:
            raise ValueError(f"`outputs` argument cannot be empty. Received:\ninputs={inputs}\noutputs={outputs}")
        graph = map_graph(self._inputs, self._outputs, outputs)
        self._nodes, self._nodes_by_depth = graph.nodes, graph.by_depth
        self._operations, self._operations_by_depth = graph.operations, graph.operations_by_depth
        self._plan = self._make_plan()

    def _make_plan(self):
        """The steps in order; each tensor of the graph has a slot."""
        ends = {id(x) for x in self._inputs}
        self._slots = {id(x): i for i, x in enumerate(self._inputs)}
        steps = []
        for node in self._nodes:
            if node.is_input or any(id(t) in ends for t in node.output_tensors):
                continue
            if not all(id(x) in self._slots for x in node.input_tensors):
                continue
            plain = len(node.args) == 1 and isinstance(node.args[0], KerasTensor)
            plain = plain and all(v is None for v in node.kwargs.values())
            outputs = [self._slots.setdefault(id(y), len(self._slots)) for y in node.output_tensors]
            steps.append(Step(node, node.operation, self._slots[id(node.args[0])] if plain else None, outputs))
        return steps

    @property
    def operations(self) -> list:
        return self._operations[:]

    @property
    def inputs(self) -> list[KerasTensor]:
        return self._inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        return self._outputs

    def __call__(self, inputs):
        values = [x if hasattr(x, "shape") else as_array(x) for x in nest.flatten(inputs)]
        self._check_inputs(inputs, values)
        return self.run(values)

    def _check_inputs(self, inputs, values):
        """Raises ValueError for another structure than the inputs', or shapes that do not fit theirs."""
        if not nest.same_structure(inputs, self._inputs_struct):
            raise ValueError(
                "Function was called with an invalid input structure. Expected input structure: "
                f"{self._inputs_struct}\nReceived input structure: {inputs}"
            )
        for x, expected in zip(values, self._inputs):
            shape, wanted = tuple(x.shape), tuple(expected.shape)
            if len(shape) != len(wanted) or any(m not in (n, None) and n is not None for m, n in zip(shape, wanted)):
                raise ValueError(
                    f"{type(self).__name__} was passed incompatible inputs. For input '{expected.name}', expected "
                    f"shape {wanted}, but received instead a tensor with shape {shape}."
                )

    def compute_output_spec(self, inputs):
        """The outputs as `KerasTensor`s, for inputs of which only shape and dtype count."""
        values = nest.flatten(inputs)
        self._check_inputs(inputs, values)
        if all(tuple(x.shape) == tuple(y.shape) for x, y in zip(values, self._inputs)):
            return nest.map_structure(lambda y: KerasTensor(y.shape, y.dtype), self._outputs_struct)
        return self.run([KerasTensor(x.shape, x.dtype) for x in values], shapes_of)

    def compute_output_shape(self, input_shape):
        """The outputs' shapes for the inputs'."""
        inputs = nest.map_shapes(KerasTensor, input_shape)
        for x, expected in zip(nest.flatten(inputs), self._inputs):
            x._dtype = expected.dtype
        return nest.map_structure(lambda y: y.shape, self.compute_output_spec(inputs))

    def run(self, values: list, call: Callable | None = None):
        """Run the graph on a flat list of values.

        Args:
            values: one for each input.
            call: called as `call(operation, args, kwargs)`; by default the operation is just called.

        Returns:
            Results in the structure of `outputs`.
        """
        slots = self._opened(values)
        for step in self._plan:
            self._take(step, slots, call)
        return self._results(slots)

    def _opened(self, values: list) -> list:
        """Room for all tensors of the graph, in which the inputs lie."""
        return list(values) + [None] * (len(self._slots) - len(values))

    def _take(self, step: Step, slots: list, call: Callable | None) -> None:
        """Take a step, from slots to slots."""
        node, operation, single, outputs = step
        if single is not None:
            args, kwargs = (slots[single],), {}
        else:
            args, kwargs = nest.map_structure(lambda x: self._filled(x, slots), (node.args, node.kwargs))
        put(operation(*args, **kwargs) if call is None else call(operation, args, kwargs), slots, outputs)

    def _results(self, slots: list) -> Any:
        """What lies in the slots of the outputs, in their structure."""
        return nest.pack_as(self._outputs_struct, [slots[self._slots[id(y)]] for y in self._outputs])

    def _filled(self, x, slots):
        return slots[self._slots[id(x)]] if isinstance(x, KerasTensor) else x


def put(result, slots: list, outputs: list[int]) -> None:
    """Put a step's result, or its leaves, into slots."""
    if len(outputs) == 1 and not isinstance(result, (list, tuple, dict)):
        slots[outputs[0]] = result
    else:
        for slot, value in zip(outputs, nest.flatten(result)):
            slots[slot] = value


def shapes_of(operation, args, kwargs):
    """An operation's output shapes, without a new node, but with names."""
    with scopes.shape_scope():
        outputs = operation(*args, **kwargs)
    return nest.map_structure(lambda y: KerasTensor(y.shape, y.dtype) if hasattr(y, "shape") else y, outputs)
