"""`model.summary()`: Keras's table of layers, character for character."""

import math
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from kerasish.core import dtypes
from kerasish.utils import io_utils

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
_BITS = {"bool": 1, "int4": 4, "uint4": 4}
_CONNECTED, _TRAINABLE = "Connected to", "Trainable"
_TO_ASCII = str.maketrans({"└": "`", "…": "~"})  # one for one, so that the columns stay straight


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: list[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: list[str] | tuple[str, str] | None = None,
) -> None:
    """Prints the layers of a model with their output shapes and parameter counts.

    Args:
        model: The model.
        line_length: Width of the table in characters; by default it fits the terminal.
        positions: Where the columns end, as fractions of the width, or as absolute positions.
        print_fn: Called once with the whole text instead of printing it.
        expand_nested: Whether the layers of nested models are listed too.
        show_trainable: Whether there is a column that says which layers are trained.
        layer_range: Names (or regular expressions) of the first and last layer to list.

    Raises:
        ValueError: If the columns get too narrow, or `layer_range` does not match.
    """
    graph = _graph_nodes(model)
    plan = _plan_columns(graph is not None, show_trainable, line_length, positions)
    layers = model.layers if not _is_functional(model) else model._operations
    first, last = _bounds(layers, layer_range)
    table = _make_table(plan)
    for layer in layers[first:last]:
        for row in _rows(layer, graph, expand_nested, show_trainable):
            table.add_row(*row)
    _show([f'[bold]Model: "{_escape(model.name)}"[/]', table, *_totals(model)], print_fn, line_length)


def count_params(weights: Iterable[Any]) -> int:
    """How many numbers the variables hold."""
    return sum(math.prod(weight.shape) for weight in weights)


def weight_memory_size(weights: Iterable[Any]) -> float:
    """How many bytes the variables occupy, each counted once."""
    unique = {id(weight): weight for weight in weights}.values()
    return sum(math.prod(weight.shape) * _bits(weight.dtype) for weight in unique) / 8


def readable_memory_size(size: float) -> str:
    """`1536.0` as `"1.50 KB"`."""
    unit = 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.2f} {_UNITS[unit]}"


def _bits(dtype: str) -> int:
    name = dtypes.standardize_dtype(dtype)
    return _BITS.get(name) or dtypes.numpy_dtype(name).itemsize * 8


def _is_functional(model: Any) -> bool:
    return getattr(model, "_graph", None) is model


def _graph_nodes(model: Any) -> list[Any] | None:
    """The model's nodes if its graph is more than a chain; the summary then says what is connected to what."""
    if not _is_functional(model):
        return None
    nodes = [node for level in model._nodes_by_depth.values() for node in level]
    levels = model._nodes_by_depth.values()
    is_chain = all(len(level) == 1 and len(level[0].input_tensors) <= 1 for level in levels)
    here = {id(node) for node in nodes}
    calls = [sum(id(node) in here for node in layer._inbound_nodes) for layer in model.layers]
    return None if is_chain and max(calls, default=0) <= 1 else nodes


class _Plan(NamedTuple):
    """The columns of the table."""

    headers: list[str]
    justify: list[str]
    widths: list[int]
    line_length: int


def _plan_columns(
    with_connections: bool, show_trainable: bool, line_length: int | None, positions: list[float] | None
) -> _Plan:
    headers, justify = ["Layer (type)", "Output Shape", "Param #"], ["left", "left", "right"]
    wanted, ends = 88, positions or [0.45, 0.80, 1.0]
    if with_connections:
        headers, justify = [*headers, _CONNECTED], [*justify, "left"]
        wanted, ends = 108, positions or [0.3, 0.56, 0.74, 1.0]
    if show_trainable:
        headers, justify = [*headers, _TRAINABLE], [*justify, "center"]
        wanted, ends = wanted + 12, [end * 0.90 for end in ends] + [1.0]
    line_length = line_length or min(wanted, shutil.get_terminal_size().columns - 4)
    return _Plan(headers, justify, _widths(ends, line_length, len(headers)), line_length)


def _widths(ends: list[float], line_length: int, columns: int) -> list[int]:
    if len(ends) != columns:
        raise ValueError(
            f"positions has {len(ends)} entries, but the summary has {columns} columns; give one for each."
        )
    if ends[-1] > 1:
        ends = [end / line_length for end in ends]
    widths, current = [], 0
    for end in ends:
        widths.append(int(end * line_length) - current)
        current += widths[-1]
    if min(widths) < 4:
        raise ValueError(
            f"Insufficient console width to print summary. Received: line_length={line_length}, which gives columns of "
            f"{widths} characters, where at least 4 are needed; pass a larger line_length."
        )
    return widths


def _make_table(plan: _Plan) -> Any:
    from rich.table import Column, Table

    columns = [
        Column(header, justify=justify, width=width)
        for header, justify, width in zip(plan.headers, plan.justify, plan.widths)
    ]
    return Table(*columns, width=plan.line_length, show_lines=True)


def _bounds(layers: list[Any], layer_range: Any) -> tuple[int, int]:
    """The slice of the layers between the first match of one name and the last match of the other."""
    if layer_range is None:
        return 0, len(layers)
    if len(layer_range) != 2:
        raise ValueError(
            "layer_range must be a list or tuple of length 2. Received: "
            f"layer_range = {layer_range} of length {len(layer_range)}"
        )
    if not all(isinstance(name, str) for name in layer_range):
        raise ValueError(f"layer_range should contain string type only. Received: {layer_range}")
    starts, ends = ([i for i, layer in enumerate(layers) if re.match(name, layer.name)] for name in layer_range)
    if not starts or not ends:
        raise ValueError(
            f"Passed layer_names do not match the layer names in the model. Received: {layer_range}; "
            f"the model has {[layer.name for layer in layers]}"
        )
    if min(starts) > max(ends):
        starts, ends = ends, starts
    return min(starts), max(ends) + 1


def _rows(
    layer: Any, graph: list[Any] | None, expand_nested: bool, show_trainable: bool, level: int = 0
) -> Iterator[list[str]]:
    indent = "   " * level + "└ " if level else ""
    name = f"{_escape(indent + layer.name)} ([color(33)]{_escape(type(layer).__name__)}[/])"
    row = [name, _shape_text(layer), _params_text(layer)]
    if graph is not None:
        row.append(_connections(layer, graph))
    if show_trainable:
        row.append(_trainable_text(layer))
    yield row
    for nested in (getattr(layer, "layers", None) or ()) if expand_nested else ():
        yield from _rows(nested, graph, expand_nested, show_trainable, level + 1)


def _params_text(layer: Any) -> str:
    if not hasattr(layer, "built"):
        return _number(0)
    return _number(f"{layer.count_params():,}") if layer.built else f"{_number(0)} (unbuilt)"


def _trainable_text(layer: Any) -> str:
    if not getattr(layer, "weights", None):
        return "[bold]-[/]"
    return "[bold][color(34)]Y[/][/]" if layer.trainable else "[bold][color(9)]N[/][/]"


def _connections(layer: Any, graph: list[Any]) -> str:
    here = {id(node) for node in graph}
    sources = [
        tensor._keras_history for node in layer._inbound_nodes if id(node) in here for tensor in node.input_tensors
    ]
    texts = [f"{_escape(h.operation.name)}[{_number(h.node_index)}][{_number(h.tensor_index)}]" for h in sources]
    return ", ".join(texts) or "-"


def _shape_text(layer: Any) -> str:
    """The shape of what the layer's last call in a graph gave, or of what it would give as it was built."""
    if layer._inbound_nodes:
        shapes = [tensor.shape for tensor in layer._inbound_nodes[-1].output_tensors]
    else:
        shapes = _built_shapes(layer)
    if shapes is None:
        return "?"
    texts = [f"({', '.join(_number(dim) for dim in shape)})" for shape in shapes]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _built_shapes(layer: Any) -> list[tuple] | None:
    build_shapes = getattr(layer, "_build_shapes", None)
    if not build_shapes:
        return None
    try:
        if hasattr(layer, "output_shape"):
            return [layer.output_shape]
        outputs = layer.compute_output_shape(**build_shapes)
    except Exception:  # whatever a user's layer cannot say is shown as "?"
        return None
    return list(_flat_shapes(outputs))


def _flat_shapes(shapes: Any) -> Iterator[tuple]:
    if isinstance(shapes, (tuple, list)) and all(dim is None or isinstance(dim, int) for dim in shapes):
        yield tuple(shapes)
        return
    for shape in shapes.values() if isinstance(shapes, dict) else shapes:
        yield from _flat_shapes(shape)


def _totals(model: Any) -> list[str]:
    trainable, frozen = model.trainable_weights, model.non_trainable_weights
    optimizer = model.optimizer if getattr(model, "compiled", False) else None
    state = optimizer.variables if optimizer is not None and optimizer.built else None
    groups = {"Trainable": trainable, "Non-trainable": frozen, "Optimizer": state}
    groups = {label: list(weights) for label, weights in groups.items() if weights is not None}
    count = sum(count_params(weights) for weights in groups.values())
    size = sum(weight_memory_size(weights) for weights in groups.values())
    lines = [_total("Total", count, size)]
    return lines + [_total(label, count_params(w), weight_memory_size(w)) for label, w in groups.items()]


def _total(label: str, count: int, size: float) -> str:
    return f"[bold] {label} params: [/]{_number(f'{count:,}')} ({readable_memory_size(size)})"


def _number(value: Any) -> str:
    return f"[color({45 if value is None else 34})]{value}[/]"


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _show(parts: list[Any], print_fn: Callable[[str], Any] | None, line_length: int | None) -> None:
    """Prints with colours where the stream has them (terminals, notebooks), else hands over plain text."""
    from rich.console import Console

    unicode = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
    capture = print_fn is not None or not unicode or not io_utils.is_interactive_logging_enabled()
    console = Console(highlight=False, **({"force_terminal": False, "color_system": None} if capture else {}))
    if line_length and line_length > console.width:
        console.width = line_length
    if not capture:
        _print_all(console, parts)
        return
    with console.capture() as captured:
        _print_all(console, parts)
    text = captured.get() if unicode else captured.get().translate(_TO_ASCII)
    if print_fn is None:
        io_utils.print_msg(text, line_break=False)
    else:
        print_fn(text)


def _print_all(console: Any, parts: list[Any]) -> None:
    for part in parts:
        console.print(part)
