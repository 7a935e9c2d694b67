"""The graph of a model: KerasTensor (a tensor to be), Node (one call), and what lies between inputs and outputs."""

from __future__ import annotations

from typing import NamedTuple

from kerasish.core import dtypes, nest, scopes
from kerasish.core.errors import shape_text
from kerasish.core.operators import Operators, op
from kerasish.core.variable import standardize_shape


class KerasHistory(NamedTuple):
    """Where a KerasTensor came from."""

    operation: object
    node_index: int
    tensor_index: int


class KerasTensor(Operators):
    """A tensor with a shape and a dtype but no value.

    Args:
        shape: dimensions, None where open.
        dtype: its dtype.
        sparse, ragged: must be False; sparse and ragged tensors are not supported.
        record_history: an attribute for those who ask for it; operations leave nodes in any case.
        name: made up if None.
        ragged_rank, row_splits_dtype: of ragged tensors only.

    Raises:
        NotImplementedError: if it is to be sparse or ragged.
    """

    def __init__(
        self,
        shape,
        dtype="float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        ragged_rank=None,
        row_splits_dtype=None,
    ):
        if sparse or ragged or ragged_rank is not None or row_splits_dtype is not None:
            raise NotImplementedError("sparse and ragged tensors are not supported by kerasish; pass a dense one")
        self._shape = standardize_shape(shape)
        self._dtype = dtypes.standardize_dtype(dtype)
        self.sparse, self.ragged, self.record_history = False, False, record_history
        self._name = name or ("shape" if scopes.shapes_only() else scopes.uniquify("keras_tensor"))

    @property
    def name(self) -> str:
        return self._name

    @property
    def shape(self) -> tuple:
        return self._shape

    @property
    def dtype(self) -> str:
        return self._dtype

    @property
    def ndim(self) -> int:
        return len(self._shape)

    @property
    def T(self):
        return op("transpose")(self)

    def reshape(self, *newshape):
        """The tensor in another shape."""
        return op("reshape")(self, newshape[0] if len(newshape) == 1 and not isinstance(newshape[0], int) else newshape)

    def squeeze(self, axis=None):
        """The tensor without axes of length 1."""
        return op("squeeze")(self, axis)

    def __eq__(self, other):
        """Whether it is the same object, so that lists of tensors can be searched; elementwise while shapes are traced,
        where it stands for a value."""
        return op("equal")(self, other) if scopes.shapes_only() else self is other

    def __ne__(self, other):
        return op("not_equal")(self, other) if scopes.shapes_only() else self is not other

    __hash__ = object.__hash__

    def __array__(self, dtype=None, copy=None):
        raise ValueError(
            "A KerasTensor is symbolic: it's a placeholder for a shape an a dtype. It doesn't have any actual "
            "numerical value. You cannot convert it to a NumPy array."
        )

    def __bool__(self):
        raise TypeError("A symbolic KerasTensor cannot be used as a boolean.")

    def __int__(self):
        raise ValueError("A KerasTensor is symbolic: it has no value. You cannot convert it to a Python int.")

    def __float__(self):
        raise ValueError("A KerasTensor is symbolic: it has no value. You cannot convert it to a Python float.")

    def __iter__(self):
        raise NotImplementedError("Iterating over a symbolic KerasTensor is not supported.")

    def __len__(self):
        if not self._shape or self._shape[0] is None:
            raise TypeError(f"len() of a symbolic tensor of shape {shape_text(self._shape)}")
        return self._shape[0]

    def __repr__(self):
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse=False, ragged=False, name={self.name}>"


def is_keras_tensor(x) -> bool:
    """Whether x is a symbolic tensor."""
    return isinstance(x, KerasTensor)


def any_symbolic(args: tuple = (), kwargs: dict | None = None) -> bool:
    """Whether a KerasTensor is among the arguments."""
    return any(isinstance(x, KerasTensor) for x in nest.flatten((args, kwargs or {})))


class Node:
    """One call of an operation on symbolic tensors.

    Attributes:
        operation: what was called.
        args, kwargs: with what.
        input_tensors, output_tensors: the KerasTensors among the arguments and the results, flat.
    """

    def __init__(self, operation, call_args: tuple = (), call_kwargs: dict | None = None, outputs=None):
        self.operation = operation
        self.args, self.kwargs = tuple(call_args), dict(call_kwargs or {})
        self.input_tensors = [x for x in nest.flatten((self.args, self.kwargs)) if isinstance(x, KerasTensor)]
        self.outputs_structure = outputs
        self.output_tensors = [x for x in nest.flatten(outputs) if isinstance(x, KerasTensor)]
        operation._inbound_nodes.append(self)
        for parent in {id(n): n for n in self.parent_nodes}.values():
            parent.operation._outbound_nodes.append(self)
        index = len(operation._inbound_nodes) - 1
        for i, y in enumerate(self.output_tensors):
            y._keras_history = KerasHistory(operation, index, i)

    @property
    def arguments(self) -> Node:
        """What Keras keeps the arguments in: the node itself."""
        return self

    @property
    def keras_tensors(self) -> list[KerasTensor]:
        return self.input_tensors

    @property
    def outputs(self) -> list[KerasTensor]:
        return self.output_tensors

    @property
    def is_input(self) -> bool:
        return not self.input_tensors

    @property
    def parent_nodes(self) -> list[Node]:
        """The nodes that made the inputs."""
        return [node_of(x) for x in self.input_tensors if hasattr(x, "_keras_history")]

    def __repr__(self):
        return f"<Node operation={self.operation}, id={id(self)}>"


def node_of(tensor: KerasTensor) -> Node:
    """The node that made a tensor.

    Raises:
        ValueError: if none did: the tensor is a bare shape and dtype.
    """
    if not hasattr(tensor, "_keras_history"):
        raise ValueError(f"{tensor} is made by no Input and no operation; start the model's graph from keras.Input")
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]


def comes_in(tensor: KerasTensor) -> bool:
    """Whether a tensor is an input layer's."""
    return hasattr(tensor, "_keras_history") and node_of(tensor).is_input


class Graph(NamedTuple):
    """The part of a graph between inputs and outputs: nodes in an order in which they can run, and by depth."""

    nodes: list[Node]
    by_depth: dict[int, list[Node]]
    operations: list
    operations_by_depth: dict[int, list]


def map_graph(inputs: list[KerasTensor], outputs: list[KerasTensor], structure=None) -> Graph:
    """Find what lies between inputs and outputs.

    Operations are sorted by depth from the outputs, and at one depth in the order in which the walk met them.
    Messages call an output by its place in `structure`.

    Raises:
        ValueError: if an output cannot be reached from the inputs, or two operations share a name.
    """
    ends = {id(x) for x in inputs}
    visited, met = _walk(ends, outputs, structure)
    depth_of_node, depth_of_operation = _depths(visited, inputs, met)
    by_depth: dict[int, list[Node]] = {}
    for node, depth in depth_of_node:
        by_depth.setdefault(depth, []).append(node)
    operations_by_depth: dict[int, list] = {}
    for operation in sorted(met, key=lambda o: met[o]):
        operations_by_depth.setdefault(depth_of_operation[operation], []).append(operation)
    operations = [o for d in sorted(operations_by_depth, reverse=True) for o in operations_by_depth[d]]
    _check_names(operations)
    nodes = [n for d in sorted(by_depth, reverse=True) for n in by_depth[d]]
    return Graph(nodes, by_depth, operations, operations_by_depth)


def _walk(ends, outputs, structure):
    """Nodes in post-order from the outputs, and each operation's number in the order in which it was met.

    The walk keeps its own stack, so the depth of a model is not bounded by Python's recursion limit.
    """
    done, open_nodes, order, met = set(), set(), [], {}
    for number, output in enumerate(outputs):
        stack = [(output, False)]
        while stack:
            tensor, leaving = stack.pop()
            if id(tensor) in ends and not comes_in(tensor):
                continue  # what made it is not of this graph
            node = node_of(tensor)
            if leaving:
                open_nodes.discard(id(node))
                done.add(id(node))
                order.append(node)
                continue
            if id(node) in done:
                continue
            if id(node) in open_nodes:
                raise ValueError(f"Tensor {tensor} from operation '{node.operation.name}' is part of a cycle.")
            met.setdefault(node.operation, len(met))
            open_nodes.add(id(node))
            stack.append((tensor, True))
            if id(tensor) in ends:
                continue
            if node.is_input:
                raise ValueError(
                    f"`inputs` not connected to `outputs`. Output with path `{nest.path_of(structure, number)}` is not "
                    f"connected to `inputs`: it depends on the input layer '{node.operation.name}', which is not among "
                    "`inputs`; add it there"
                )
            stack.extend((x, False) for x in reversed(node.input_tensors))
    return order, met


def _depths(order, inputs, met):
    """Depths, counted from the outputs: a node lies deeper than all that use it."""
    node_depth: dict[int, int] = {}
    operation_depth: dict = {}
    in_graph = {id(n) for n in order}
    ends = {id(x) for x in inputs}
    for node in reversed(order):
        depth = max(node_depth.setdefault(id(node), 0), operation_depth.get(node.operation, 0))
        node_depth[id(node)] = operation_depth[node.operation] = depth
        if any(id(t) in ends for t in node.output_tensors):
            continue
        for parent in node.parent_nodes:
            if id(parent) in in_graph:
                node_depth[id(parent)] = max(depth + 1, node_depth.get(id(parent), 0))
    for x in inputs:
        if not comes_in(x):
            continue
        operation = x._keras_history.operation
        if operation not in operation_depth:
            operation_depth[operation] = 0
            met[operation] = -1
            node_depth[id(node_of(x))] = 0
            order.append(node_of(x))
    return [(n, node_depth[id(n)]) for n in order], operation_depth


def _check_names(operations):
    names = [o.name for o in operations]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f'The name "{name}" is used {names.count(name)} times in the model. All operation names should be '
                "unique."
            )
