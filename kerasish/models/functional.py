"""Functional: a model made of a graph of layers."""

from __future__ import annotations

import inspect
import warnings

from kerasish.core import nest, scopes
from kerasish.core.autodiff import recording
from kerasish.core.function import Function, put, shapes_of
from kerasish.core.symbolic import KerasTensor, Node, node_of
from kerasish.core.tensor import Tensor, as_array
from kerasish.layers import calling
from kerasish.layers.input_layer import Input
from kerasish.layers.input_spec import check_inputs
from kerasish.layers.layer import Layer
from kerasish.models.graph_config import graph_config, graph_from_config
from kerasish.models.inputs import is_numbers, read_inputs, specs_of
from kerasish.models.model import Model
from kerasish.models.plans import Plan, Unforeseen
from kerasish.models.replays import Replays
from kerasish.training.trainer import Trainer


class Functional(Function, Model):
    """A model made of a graph, from symbolic inputs to symbolic outputs.

    Args:
        inputs: KerasTensors in any structure.
        outputs: likewise.
        name: made up if None.
        trainable: whether the weights are trained.
    """

    _layers_in_graph: list
    _lean: dict[bool, Plan]
    _changes: dict[int, int]  # what layers were when the graph was made, by their ids
    _replays: Replays

    def __new__(cls, *args, **kwargs):
        return Layer.__new__(cls)

    def __init__(self, inputs, outputs, name=None, **kwargs):
        trainable = kwargs.pop("trainable", None)
        _compare_names(inputs)
        for what, ends in (("inputs", inputs), ("outputs", outputs)):
            for x in nest.flatten(ends):
                if not isinstance(x, KerasTensor):
                    raise ValueError(
                        f"All `{what}` values must be KerasTensors. Received: {what}={ends} including invalid value "
                        f"{x} of type {type(x)}"
                    )
        if not all(node_of(x).is_input for x in nest.flatten(inputs)):
            inputs, outputs = _cut_at(inputs, outputs)
        Layer.__init__(self, name=name, **kwargs)
        Trainer.__init__(self)
        self._init_graph(inputs, outputs)
        self.__dict__.update(_lean={}, _replays=Replays(self))
        self.__dict__["_layers_in_graph"] = [o for o in self._operations if isinstance(o, Layer)]
        self.__dict__["_changes"] = {id(layer): vars(layer).get("_change") for layer in self._layers_in_graph}
        self.input_spec = specs_of(inputs, self._inputs)
        self.built = True
        if len(self._inputs) == 1 and not isinstance(inputs, dict):
            self._build_shapes = {"input_shape": tuple(self._inputs[0].shape)}
        if trainable is not None:
            self._trainable = bool(trainable)  # the layers keep their own, as in Keras

    def _nested_layers(self):
        held = self.__dict__.get("_layers_in_graph", [])
        return held + [x for x in super()._nested_layers() if not any(x is y for y in held)]

    @property
    def _graph(self):
        return self

    @property
    def layers(self) -> list:
        """The layers of the graph, deepest first."""
        return list(self._layers_in_graph)

    @layers.setter
    def layers(self, _):
        raise AttributeError("`Model.layers` attribute is reserved and should not be used. Please use another name.")

    def get_build_config(self) -> dict:
        """Nothing: a functional model is built by its graph. (Keras writes it so.)"""
        return {"input_shape": None}

    def build_from_config(self, config) -> None:
        """Do nothing: the model is built."""

    # -- running

    def __call__(self, *args, **kwargs):
        if args and isinstance(args[0], list) and len(self._inputs) == 1 and is_numbers(args[0]):
            args = (as_array(args[0]), *args[1:])
        y = Layer.__call__(self, *args, **kwargs)
        return _alone(y) if scopes.shapes_only() else y

    def _allows(self, x) -> bool:
        return isinstance(x, (int, float, list, tuple))

    def call(self, inputs, training=None, mask=None):
        """Run the graph on values. A list of one output comes as that output."""
        return _alone(self._run_on(inputs, training, mask))

    def _run_on(self, inputs, training, mask):
        values = read_inputs(self, inputs)
        if mask is not None:
            for x, m in zip(values, nest.flatten(mask)):
                if m is not None:
                    x._keras_mask = m
        trains = bool(calling.state.training if training is None else training)
        plan, call = self._plan_for(values, trains), None if training is None else _overriding(training)
        if plan is None:
            return self._by_layers(values, call)
        if trains:
            return self._along(plan, values, call)
        return self._replays.run(values, plan, lambda given: self._along(plan, given, call))

    def _along(self, plan, values, call):
        """The outputs by a plan; from where something comes that the plan does not know, by the graph's own steps.

        Nothing is done twice: layers draw random numbers and move averages.
        """
        steps = plan.steps
        if steps is None:
            return self.run(values, call)
        slots = self._opened(values)
        for number, step in enumerate(steps):
            try:
                self._take(step, slots, call)
            except Unforeseen as found:
                left, plan.steps = plan.left_after(number), None
                put(found.outputs, slots, step.outputs)
                for own in left:
                    self._take(own, slots, call)
                break
        return self._results(slots)

    def _plan_for(self, values, training: bool) -> Plan | None:
        """The plan for inference or for training; None where the graph's own steps are to be taken."""
        if not all(map(_plain, values)) or (recording() and not training) or not self._foresaw(values):
            return None
        plan = self._lean.get(training)
        if plan is None or not plan.stamp.holds():
            plan = self._lean[training] = Plan(self, training)
            plan.tell(self)
            if not plan.stamp.holds():  # changed while it was made
                return None
        return None if plan.steps is None else plan

    def _by_layers(self, values, call):
        """The outputs by the layers' own calls; where one refuses, what the model was built for is said, too."""
        try:
            return self.run(values, call)
        except ValueError as error:
            if not all(map(_plain, values)) or self._foresaw(values):
                raise
            built, came = ([tuple(x.shape) for x in some] for some in (self._inputs, values))
            raise ValueError(
                f"{error}. Model '{self.name}' was built for inputs of shape {_alone(built)}, and was called on "
                f"{_alone(came)}"
            ) from error

    def _foresaw(self, values) -> bool:
        """Whether the graph was built for such shapes: a Sequential takes others, which its layers look at."""
        return all(
            len(v.value.shape) == len(x.shape)
            and all(a is None or a == b for a, b in zip(x.shape[1:], v.value.shape[1:]))
            for v, x in zip(values, self._inputs)
        )

    def _check_arguments(self, args):
        """Nothing: `read_inputs` does."""

    def _maybe_build(self, arguments):
        """Nothing: the model is built."""

    def compute_output_spec(self, inputs, training=None, mask=None):
        if self.input_spec is not None:
            check_inputs(self.input_spec, inputs, self.name)
        values = read_inputs(self, inputs, symbolic=True)
        if all(x is not None and tuple(x.shape) == y.shape for x, y in zip(values, self._inputs)):
            return nest.map_structure(lambda y: KerasTensor(y.shape, y.dtype), self._outputs_struct)
        return self.run(values, shapes_of)

    def compute_output_shape(self, input_shape):
        """The outputs' shapes for the inputs'."""
        with scopes.shape_scope():
            specs = nest.map_shapes(KerasTensor, input_shape)
            for spec, x in zip(nest.flatten(specs), self._inputs):
                spec._dtype = x.dtype
            return nest.map_structure(lambda y: y.shape, self.compute_output_spec(specs))

    def add_loss(self, loss):
        """Raises: a model made of a graph has no `call` of its own to add losses in; a layer in it has."""
        raise NotImplementedError(
            f"model '{self.name}': add_loss() is for the `call` of a layer or of a subclassed model; put a layer that "
            "adds the loss into the graph"
        )

    # -- description

    @property
    def input_shape(self):
        return _alone([x.shape for x in self._inputs])

    @property
    def output_shape(self):
        return _alone([y.shape for y in self._outputs])

    @property
    def input(self):
        return self._inputs_struct

    @property
    def output(self):
        return self._outputs_struct

    @property
    def input_names(self) -> list[str]:
        return [x._keras_history.operation.name for x in self._inputs]

    @property
    def output_names(self) -> list[str]:
        return [y._keras_history.operation.name for y in self._outputs]

    def build(self, input_shape=None):
        """Nothing is left to build."""
        self.built = True

    def get_config(self) -> dict:
        own_constructor = type(self).__init__ is not Functional.__init__
        if own_constructor and not passes_graph(type(self)):
            return Model.get_config(self)
        return graph_config(self)


def _compare_names(inputs):
    """Warn of inputs whose keys in a dict are not their names, by which files and callers know them."""
    for key, x in inputs.items() if isinstance(inputs, dict) else ():
        if isinstance(x, KerasTensor) and key != x.name:
            warnings.warn(
                "When providing `inputs` as a dict, all keys in the dict must match the names of the corresponding "
                f"tensors. Received key '{key}' mapping to value {x} which has name '{x.name}'. Change the tensor name "
                f"to '{key}' (via `Input(..., name='{key}')`)",
                stacklevel=3,
            )


def _alone(items):
    """The only item of a list or tuple of one, else what is given."""
    return items[0] if isinstance(items, (list, tuple)) and len(items) == 1 else items


def passes_graph(cls) -> bool:
    """Whether a class's constructor takes what Functional's does, or passes on whatever it gets."""
    spec = inspect.getfullargspec(cls.__init__)
    return spec.args[1:] == ["inputs", "outputs", "name"] or bool(spec.varargs and spec.varkw)


def takes(cls, name: str) -> bool:
    """Whether a class's constructor takes an argument of that name, or any."""
    spec = inspect.getfullargspec(cls.__init__)
    return bool(spec.varkw) or name in spec.args or name in spec.kwonlyargs


def adopt(cls: type) -> None:
    """Make a Model's subclass one of Functional, because its constructor was given a graph."""
    if cls is Model or issubclass(cls, Functional):
        return
    bases = tuple(Functional if b is Model else b for b in cls.__bases__)
    if bases != cls.__bases__:
        cls.__bases__ = bases
        return
    for base in cls.__bases__:
        if issubclass(base, Model):
            adopt(base)


def functional_from_config(cls, config: dict, custom_objects=None):
    """A functional model from its config."""
    inputs, outputs = graph_from_config(config, custom_objects)
    if cls not in (Model, Functional):
        graph = ("layers", "input_layers", "output_layers", "name")
        own = {k: v for k, v in config.items() if k not in graph and (k != "trainable" or takes(cls, k))}
        return cls(inputs=inputs, outputs=outputs, name=config.get("name"), **own)
    frozen = {"trainable": False} if config.get("trainable") is False else {}
    return Functional(inputs, outputs, name=config.get("name"), **frozen)


def _overriding(training):
    """How to call a graph's operations so that the model's own flag wins over one noted when the graph was made."""

    def call(operation, args, kwargs):
        return operation(*args, **({**kwargs, "training": training} if kwargs.get("training") is not None else kwargs))

    return call


def _plain(x) -> bool:
    """Whether x is a value without a mask."""
    return type(x) is Tensor and calling.get_mask(x) is None


def _cut_at(inputs, outputs):
    """The same graph from fresh inputs, where the given ones are results of other operations."""
    fresh = nest.map_structure(_fresh_input, inputs)
    made = {id(a): b for a, b in zip(nest.flatten(inputs), nest.flatten(fresh))}
    function = Function(inputs, outputs, name="cut")
    values = [made[id(x)] for x in nest.flatten(inputs)]
    return fresh, function.run(values, _call_again)


def _fresh_input(x):
    if node_of(x).is_input:
        return x
    return Input(batch_shape=x.shape, dtype=x.dtype, name=f"{x.name}CLONE")


def _call_again(operation, args, kwargs):
    """A new node of an operation that was called before."""
    outputs = operation.compute_output_spec(*args, **kwargs)
    Node(operation=operation, call_args=args, call_kwargs=kwargs, outputs=outputs)
    return outputs
