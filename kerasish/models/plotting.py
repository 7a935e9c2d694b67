"""Drawings of a model's graph, through pydot and Graphviz."""

import os
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from kerasish.models.functional import Functional
from kerasish.models.sequential import Sequential

_INSTALL = "pip install pydot"


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Turns a model into a graph in the DOT language.

    Args:
        model: A built model.
        show_shapes: Whether to show the layers' input and output shapes.
        show_dtype: Whether to show the outputs' dtypes.
        show_layer_names: Whether to show the layers' names beside their classes.
        rankdir: `"TB"` for a vertical drawing, `"LR"` for a horizontal one.
        expand_nested: Whether nested models are drawn as clusters of their layers.
        dpi: Resolution of the picture.
        subgraph: Whether to return a `pydot.Cluster` to be put into another graph.
        show_layer_activations: Whether to show activations.
        show_trainable: Whether to show which layers are trained.
        splines: How Graphviz draws the edges.

    Returns:
        A `pydot.Dot`, or a `pydot.Cluster` if `subgraph`.

    Raises:
        ValueError: If the model is not built.
        ImportError: If pydot is not installed.
    """
    if "layer_range" in kwargs:
        raise ValueError("Argument `layer_range` is no longer supported.")
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments: {kwargs}")
    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by calling the model "
            "on a batch of data."
        )
    pydot = _import_pydot("model_to_dot")
    style = _Style(show_shapes, show_dtype, show_layer_names, expand_nested, show_layer_activations, show_trainable)
    if subgraph:
        dot = pydot.Cluster(style="dashed", graph_name=model.name)
        dot.set("label", model.name)
        dot.set("labeljust", "l")
    else:
        dot = pydot.Dot()
        for key, value in {"rankdir": rankdir, "concentrate": True, "dpi": dpi, "splines": splines}.items():
            dot.set(key, value)
        dot.set_node_defaults(shape="record")
    _draw(dot, model, style, pydot)
    return dot


def plot_model(
    model: Any,
    to_file: str | os.PathLike = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Draws a model into a picture file.

    Args:
        model: A built model.
        to_file: The file; its ending says the format (`.png`, `.svg`, `.pdf`, ...).
        show_shapes: Whether to show the layers' input and output shapes.
        show_dtype: Whether to show the outputs' dtypes.
        show_layer_names: Whether to show the layers' names beside their classes.
        rankdir: `"TB"` for a vertical drawing, `"LR"` for a horizontal one.
        expand_nested: Whether nested models are drawn as clusters of their layers.
        dpi: Resolution of the picture.
        show_layer_activations: Whether to show activations.
        show_trainable: Whether to show which layers are trained.
        splines: How Graphviz draws the edges.

    Returns:
        In a notebook the picture, to be displayed; otherwise None.

    Raises:
        ImportError: If pydot or Graphviz is not installed.

    Example:

    ```python
    keras.utils.plot_model(model, "model.png", show_shapes=True)
    ```
    """
    pydot = _import_pydot("plot_model")
    dot = model_to_dot(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        dpi=dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
        **kwargs,
    )
    _require_graphviz(pydot)
    to_file = os.fspath(to_file)
    extension = os.path.splitext(to_file)[1].lstrip(".") or "png"
    dot.write(to_file, format=extension)
    if extension != "pdf" and "IPython" in sys.modules:
        from IPython import display

        return display.Image(filename=to_file) if extension != "svg" else display.SVG(filename=to_file)
    return None


def _import_pydot(function: str) -> Any:
    try:
        import pydot
    except ImportError:
        raise ImportError(f"You must install pydot (`{_INSTALL}`) for `{function}` to work.") from None
    return pydot


def _require_graphviz(pydot: Any) -> None:
    try:
        pydot.Dot.create(pydot.Dot())
    except (OSError, AssertionError):
        raise ImportError(
            "You must install graphviz (see instructions at https://graphviz.gitlab.io/download/) for `plot_model` "
            f"to work: its program `dot` was not found. pydot alone (`{_INSTALL}`) is not enough."
        ) from None


class _Style(NamedTuple):
    """What is shown of each layer."""

    shapes: bool
    dtype: bool
    names: bool
    expand: bool
    activations: bool
    trainable: bool

    @property
    def columns(self) -> int:
        return max(1, 2 * self.shapes + self.dtype + self.trainable)


def _draw(dot: Any, model: Any, style: _Style, pydot: Any) -> None:
    for layer in _parts(model):
        if style.expand and _is_graph(layer):
            cluster = pydot.Cluster(style="dashed", graph_name=layer.name)
            cluster.set("label", layer.name)
            cluster.set("labeljust", "l")
            _draw(cluster, layer, style, pydot)
            dot.add_subgraph(cluster)
        else:
            label = f"<{_label(layer, style)}>"
            dot.add_node(pydot.Node(_key(layer), label=label, fontname="Helvetica", border="0", margin="0"))
    for source, target in dict.fromkeys(_edges(model, style.expand)):
        dot.add_edge(pydot.Edge(source, target, penwidth="2"))


def _is_graph(layer: Any) -> bool:
    return isinstance(layer, (Functional, Sequential))


def _is_chain(layer: Any) -> bool:
    return isinstance(layer, Sequential)


def _parts(model: Any) -> list[Any]:
    """What is drawn for a model: the operations of a graph, the layers of a chain, or the model itself."""
    if _is_chain(model):
        return model.layers
    return model.operations if _is_graph(model) else [model]


def _edges(model: Any, expand: bool) -> Iterator[tuple[str, str]]:
    if _is_chain(model):
        for before, after in zip(model.layers, model.layers[1:]):
            yield _source(before, 0, expand), _target(after, 0, expand)
    elif _is_graph(model):
        here = {id(node) for level in model._nodes_by_depth.values() for node in level}
        for operation in model.operations:
            for node in (node for node in operation._inbound_nodes if id(node) in here):
                for position, tensor in enumerate(node.input_tensors):
                    before, _, index = tensor._keras_history
                    yield _source(before, index, expand), _target(operation, position, expand)


def _source(layer: Any, index: int, expand: bool) -> str:
    """The drawn node that gives the layer's output of that index: inside the layer, if that is drawn as a cluster."""
    if expand and _is_chain(layer):
        return _source(layer.layers[-1], index, expand)
    if expand and _is_graph(layer):
        operation, _, inner_index = layer.outputs[index]._keras_history
        return _source(operation, inner_index, expand)
    return _key(layer)


def _target(layer: Any, position: int, expand: bool) -> str:
    """The drawn node that takes the layer's input of that position."""
    if expand and _is_chain(layer):
        return _target(layer.layers[0], position, expand)
    if expand and _is_graph(layer):
        return _key(layer.inputs[position]._keras_history.operation)
    return _key(layer)


def _key(layer: Any) -> str:
    return str(id(layer))


def _label(layer: Any, style: _Style) -> str:
    """An HTML table: the name, the activation, and a row of shapes, dtype and whether it is trained."""
    cells = "".join(_cells(layer, style))
    return (
        '<table border="0" cellborder="1" bgcolor="black" cellpadding="10">'
        f'<tr><td colspan="{style.columns}" bgcolor="black"><font point-size="16" color="white">{_title(layer, style)}'
        f"</font></td></tr>{_activation_row(layer, style)}{f'<tr>{cells}</tr>' if cells else ''}</table>"
    )


def _title(layer: Any, style: _Style) -> str:
    kind = type(layer).__name__
    return f"<b>{layer.name}</b> ({kind})" if style.names else f"<b>{kind}</b>"


def _activation_row(layer: Any, style: _Style) -> str:
    activation = getattr(layer, "activation", None) if style.activations else None
    if activation is None:
        return ""
    name = getattr(activation, "name", None) or getattr(activation, "__name__", type(activation).__name__)
    text = f'<font point-size="14">Activation: <b>{name}</b></font>'
    return f'<tr><td bgcolor="white" colspan="{style.columns}">{text}</td></tr>'


def _cells(layer: Any, style: _Style) -> Iterator[str]:
    node = layer._inbound_nodes[-1] if layer._inbound_nodes else None
    if style.shapes:
        if node is None or node.input_tensors:
            yield _cell(f"Input shape: <b>{_values(node and node.input_tensors, 'shape')}</b>")
        yield _cell(f"Output shape: <b>{_values(node and node.output_tensors, 'shape')}</b>")
    if style.dtype:
        yield _cell(f"Output dtype: <b>{_values(node and node.output_tensors, 'dtype')}</b>")
    if style.trainable and getattr(layer, "weights", None):
        yield (
            _cell("<b>Trainable</b>", "forestgreen") if layer.trainable else _cell("<b>Non-trainable</b>", "firebrick")
        )


def _cell(text: str, background: str = "white") -> str:
    color = "" if background == "white" else ' color="white"'
    return f'<td bgcolor="{background}"><font point-size="14"{color}>{text}</font></td>'


def _values(tensors: list[Any] | None, attribute: str) -> str:
    if not tensors:
        return "?"
    values = [getattr(tensor, attribute) for tensor in tensors]
    return str(values[0] if len(values) == 1 else values)
