"""Operation: anything that can stand in a model's graph, an op or a layer."""

from __future__ import annotations

from kerasish.core import nest, scopes
from kerasish.core.automatic_config import automatic_config
from kerasish.core.operators import op
from kerasish.core.symbolic import KerasTensor, Node, any_symbolic


class Operation:
    """A named computation that runs on values and leaves a node when it is called on `KerasTensor`s.

    Subclasses define `call` and, unless it can be found by tracing, `compute_output_spec`.

    Args:
        name: made up from the class's name if None.
    """

    def __new__(cls, *args, **kwargs):
        instance = super().__new__(cls)
        instance.__dict__["_init_arguments"] = (args, kwargs)
        return instance

    def __init__(self, name: str | None = None):
        if name is None:
            name = scopes.auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                f"Argument `name` must be a string and cannot contain character `/`. Received: name={name} "
                f"(of type {type(name)})"
            )
        self.name = name
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []

    def __call__(self, *args, **kwargs):
        if any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args, **kwargs):
        """Work out the outputs' shapes, and leave a node unless only shapes are wanted."""
        if not scopes.shapes_only():
            self.name  # noqa: B018 - an op is named when it is called, not when the graph is looked at
        outputs = self.compute_output_spec(*args, **kwargs)
        if not scopes.shapes_only():
            Node(operation=self, call_args=args, call_kwargs=kwargs, outputs=outputs)
        return outputs

    def call(self, *args, **kwargs):
        """The computation."""
        raise NotImplementedError(f"{type(self).__name__} does not define `call`")

    def compute_output_spec(self, *args, **kwargs):
        """The outputs as `KerasTensor`s; by default found by running `call` on shapes."""
        return trace_shapes(self.call, *args, **kwargs)

    def get_config(self) -> dict:
        """The name; and the constructor's arguments, if the class has no `get_config` of its own.

        Raises:
            NotImplementedError: for arguments that are not plain values, or that cannot be given by name.
        """
        if type(self).get_config is not Operation.get_config:
            return {"name": self.name}
        return automatic_config(self)

    @classmethod
    def from_config(cls, config: dict):
        """An operation made again from its config.

        Raises:
            TypeError: if the constructor refuses it, with its reason.
        """
        try:
            return cls(**config)
        except Exception as error:
            message = f"Error when deserializing class '{cls.__name__}' using config={config}."
            raise TypeError(f"{message}\n\nException encountered: {error}") from error

    def _symbolic_end(self, which: str):
        if not self._inbound_nodes:
            raise AttributeError(f"The layer {self.name} has never been called and thus has no defined {which}.")
        tensors = getattr(self._inbound_nodes[0], f"{which}_tensors")
        return tensors[0] if len(tensors) == 1 else list(tensors)

    @property
    def input(self):
        """The symbolic input of the operation's first call: a tensor, or a list of them."""
        return self._symbolic_end("input")

    @property
    def output(self):
        """The symbolic output of the operation's first call: a tensor, or a list of them."""
        return self._symbolic_end("output")

    def __repr__(self):
        return f"<Operation name={self.name}>"


def read_config(config: dict) -> dict:
    """A config whose functions and arrays, which were written as dictionaries, are what they were."""
    return {k: op("deserialize")(v) if isinstance(v, dict) and "class_name" in v else v for k, v in config.items()}


# Two stand-ins for an open dimension; output dimensions that differ between them are open too.
PROBES = (83, 89)


def trace_shapes(function, *args, **kwargs):
    """The specs of `function`'s results, found by running it on symbolic tensors without leaving nodes.

    Open dimensions are tried with two sizes, so that code that reads a shape works; what depends on them comes out
    open.
    """
    leaves = [x for x in nest.flatten((args, kwargs)) if isinstance(x, KerasTensor)]
    probes = PROBES if any(None in x.shape for x in leaves) else (None,)
    results = []
    for probe in probes:
        filled_args, filled_kwargs = nest.map_structure(lambda x, p=probe: _filled(x, p), (args, kwargs))
        with scopes.shape_scope():
            results.append(function(*filled_args, **filled_kwargs))
    return nest.map_structure(_merged, *results)


def _filled(x, probe):
    if isinstance(x, KerasTensor):
        return KerasTensor([probe if d is None else d for d in x.shape], x.dtype, name=x.name)
    return x


def _merged(first, second=None):
    if first is None or not hasattr(first, "shape"):
        return first
    shape = tuple(first.shape)
    if second is not None:
        shape = tuple(m if m == n else None for m, n in zip(shape, second.shape))
    return KerasTensor(shape, first.dtype)
