"""Op: a differentiable computation, and the one path by which it is called."""

from __future__ import annotations

from typing import NamedTuple

from kerasish import kernels
from kerasish.core import autodiff, dtypes, scopes
from kerasish.core.operation import Operation, read_config
from kerasish.core.symbolic import KerasTensor, Node
from kerasish.core.tensor import Tensor, as_array, as_own_array, holds_tensors, stacked
from kerasish.core.variable import Variable
from kerasish.device import where

_UNLIKE_VALUES = (KerasTensor, list, tuple)


class Spec(NamedTuple):
    """A shape and a dtype. A weak Python scalar has its type as dtype."""

    shape: tuple
    dtype: str


class Context:
    """What one call of an op keeps for its backward pass.

    Attributes:
        kernels: the kernels of the device on which the arrays live.
        recording: whether a tape will go back through this call.
        saved: what `save` was given, arrays having become Tensors (linked to the tape, where they went in or came out).
        needs: during backward, which inputs want a gradient.
    """

    __slots__ = ("kernels", "recording", "saved", "needs")

    def __init__(self, twin, recording):
        self.kernels, self.recording = twin, recording
        self.saved, self.needs = (), ()

    def save(self, *values):
        """Keep values for backward."""
        self.saved = values


class Op(Operation):
    """A computation with `infer` (shapes), `forward` (arrays) and `backward` (gradients, in terms of ops).

    The positional arguments of a call are the differentiable inputs; whatever else shapes the computation goes to the
    constructor.

    Attributes:
        nary: whether a call takes one list of inputs.
        differentiable: False for an op whose derivative is zero or undefined: tapes pass it by, and it needs no
            `backward`. Results that are no floats are passed by in any case.
        keeps_constants: whether `forward` may save floats that are neither inputs nor results. Tapes cannot follow
            them, so a derivative of `backward` must not go through them.
    """

    nary = False
    differentiable = True
    keeps_constants = False
    module = "keras.src.ops.numpy"

    def __new__(cls, *args, **kwargs):
        return object.__new__(cls)

    def __init__(self):
        pass

    def __getattr__(self, attribute):
        # Names and nodes are for graphs; an op that runs eagerly never pays for them.
        if attribute == "name":
            self.name = scopes.auto_name(type(self).__name__)
            return self.name
        if attribute in ("_inbound_nodes", "_outbound_nodes"):
            nodes: list[Node] = []
            setattr(self, attribute, nodes)
            return nodes
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{attribute}'")

    def infer(self, *specs):
        """The Spec (or Specs) of the results."""
        raise NotImplementedError(f"{type(self).__name__} cannot be called on symbolic tensors")

    def forward(self, ctx: Context, *arrays):
        """The resulting array (or a tuple of them)."""
        raise NotImplementedError(f"{type(self).__name__} does not define `forward`")

    def backward(self, ctx: Context, *gys):
        """A gradient (or None) for each input."""
        raise NotImplementedError(
            f"{type(self).__name__} has no gradient: give it `backward`, or `differentiable = False` if there is none"
        )

    def prepare(self, inputs: tuple):
        """The inputs made canonical: Tensors or Variables of the dtypes that `forward` wants."""
        return inputs

    def __call__(self, *args):
        inputs = tuple(args[0]) if self.nary else args
        for x in inputs:
            if type(x) is not Tensor and isinstance(x, _UNLIKE_VALUES):
                return self._call_unlike_values(inputs, args)
        return self.call(*inputs)

    def _call_unlike_values(self, inputs, args):
        """A call with symbolic tensors or lists among the inputs; lists of tensors become tensors that tapes follow."""
        if any(holds_tensors(x) for x in inputs):
            inputs = [stacked(x) if holds_tensors(x) else x for x in inputs]
            args = (inputs,) if self.nary else inputs
        symbolic = any(isinstance(x, KerasTensor) for x in inputs)
        return self.symbolic_call(*args) if symbolic else self.call(*inputs)

    def call(self, *inputs):
        """Run on values, and leave an entry on each tape that watches an input."""
        inputs = [
            x if type(x) is Tensor or x is None or isinstance(x, Variable) else Tensor(as_own_array(x))
            for x in self.prepare(inputs)
        ]
        arrays = [x.value if type(x) is Tensor else x.array if x is not None else None for x in inputs]
        watching = autodiff.watchers(inputs) if autodiff.recording() and self.differentiable else None
        ctx = Context(kernels.twin_of(arrays[0]), bool(watching))
        try:
            result = self.forward(ctx, *arrays)
        except Exception as error:
            _refuse_mixed(self, arrays, error)
            raise
        several = isinstance(result, tuple)
        results = result if several else (result,)
        outputs = [Tensor(y) for y in results]
        if watching and any(_follows_derivatives(y) for y in results):
            if ctx.saved:
                known = [*zip(arrays, inputs), *zip(results, outputs)]
                ctx.saved = tuple([self._linked(value, known) for value in ctx.saved])
            autodiff.record(watching, self.backward, ctx, inputs, outputs)
        return tuple(outputs) if several else outputs[0]

    def _linked(self, value, known):
        """A saved array as a Tensor, the one that tapes know where it went in or came out of the op.

        Raises:
            RuntimeError: for floats of another origin, through which a second derivative would be lost.
        """
        if not hasattr(value, "dtype"):
            return value
        for array, x in known:
            if array is value:
                return x if type(x) is Tensor else _reading(x)
        if _follows_derivatives(value) and not self.keeps_constants:
            raise RuntimeError(
                f"{type(self).__name__}.forward saves an array that is neither an input nor a result, so derivatives "
                "through it would be lost; save what it was made from, or set `keeps_constants` if it is a constant"
            )
        return Tensor(value)

    def compute_output_spec(self, *args):
        inputs = tuple(args[0]) if self.nary else args
        specs = self.infer(*[spec_of(x) for x in inputs])
        if isinstance(specs, Spec):
            return KerasTensor(specs.shape, specs.dtype)
        return tuple(KerasTensor(s.shape, s.dtype) for s in specs)

    def get_config(self) -> dict:
        """The name and the constructor's arguments: the attributes without a leading underscore."""
        return {"name": self.name, **{k: v for k, v in self.__dict__.items() if not k.startswith("_")}}

    @classmethod
    def from_config(cls, config: dict) -> Op:
        """An op made again from its config."""
        config = read_config(config)
        name = config.pop("name", None)
        op = cls(**config)
        if name is not None:
            op.name = name
        return op


def spec_of(x) -> Spec | None:
    """The Spec of a tensor, array, scalar or None."""
    if x is None or isinstance(x, Spec):
        return x
    if isinstance(x, (Tensor, Variable, KerasTensor)):
        return Spec(tuple(x.shape), x.dtype)
    if type(x) in (int, float, complex):
        return Spec((), type(x))
    array = as_array(x)
    return Spec(array.shape, dtypes.name_of(array))


def _refuse_mixed(op, arrays, error) -> None:
    """Raises:
    ValueError: if the arrays lie on several devices, which is then what went wrong.
    """
    arrays = [a for a in arrays if a is not None]
    places = [where(a) for a in arrays]
    if len(set(places)) > 1:
        found = ", ".join(f"{tuple(a.shape)} on {place}" for a, place in zip(arrays, places))
        raise ValueError(
            f"{type(op).__name__}: its inputs lie on several devices: {found}. Make them on one: inside of "
            f"`with keras.device({max(places)!r}):`, or move one by `keras.ops.convert_to_tensor(x.numpy())` there."
        ) from error


def _follows_derivatives(array) -> bool:
    """Whether an array can have a derivative: floats (bfloat16's kind is "V") and complex numbers."""
    return array.dtype.kind in "fVc"


def _reading(variable: Variable) -> Tensor:
    """A Tensor over a variable's array that tapes take for the variable."""
    tensor = Tensor(variable.array)
    tensor.key = variable.key
    return tensor
