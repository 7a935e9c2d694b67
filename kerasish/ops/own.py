"""Ops of a user's own functions of arrays: `numba_op`. It is kerasish's own; Keras has no such name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from kerasish.core import dtypes, scopes
from kerasish.core.op import Op
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor
from kerasish.device import array_module
from kerasish.ops.own_functions import Functions, is_own_op


def numba_op(
    forward: Callable | None = None,
    backward: Callable | None = None,
    *,
    output_spec: Callable | None = None,
    cuda: Callable | None = None,
    cuda_backward: Callable | None = None,
    name: str | None = None,
) -> Callable:
    """Make an op of a function of arrays, to be called on tensors: eagerly, in layers, losses and models.

    The functions may be plain Python, made by `numba.njit` (also with `parallel=True`), or by this library's
    `kerasish.device.jit.njit`. They get C-contiguous arrays, which they must not change. One marked
    `kerasish.device.jit.njit(parallel=True)` makes no arrays, so it is called as `kernel(tasks, *results, *arrays)`:
    `output_spec` says what results it writes, and there are as many tasks as the first of them has rows; what it writes
    as `backward` are the gradients of the inputs of floats. Keyword arguments of a call are handed to all functions.

    Args:
        forward: `forward(*inputs)` gives an array, or a tuple of some. Without it, a decorator is returned.
        backward: `backward(*gradients_of_results, *inputs)`, or, if it takes as many arguments more,
            `backward(*gradients_of_results, *inputs, *results)`, gives a gradient for each input: an array of its shape
            and dtype, None for one without gradient. If it is an op itself, its own gradient is the second derivative.
        output_spec: `output_spec(*inputs)`, of KerasTensors, gives the result's `KerasTensor`, or its shape where its
            dtype is the first input's; or a tuple of those. Without it, shapes in models are found by trials: `forward`
            is run on small arrays of ones.
        cuda, cuda_backward: the same functions for arrays of CuPy, when tensors lie on a card.
        name: of the op, in messages, graphs and files; by default the name of `forward`.

    Returns:
        A function of tensors. Register it (`keras.saving.register_keras_serializable`) to load a functional model that
        holds it.

    Raises:
        TypeError, ValueError: when called, for what the functions do not take or should not return, saying which op.

    Example:

    ```python
    def forward(x):
        return x * x

    def backward(gy, x):
        return 2 * x * gy

    square = keras.ops.numba_op(forward, backward, name="square")
    ```
    """
    given = {"output_spec": output_spec, "cuda": cuda, "cuda_backward": cuda_backward, "name": name}
    if forward is None:
        return lambda function: numba_op(function, backward, **given)
    functions = Functions(forward, backward, **given)

    def op(*inputs: Any, **options: Any) -> Any:
        if options or any(isinstance(x, KerasTensor) for x in inputs):
            return NumbaOp(op, options)(*inputs)
        return plain(*inputs)

    op.__name__, op.__qualname__, op.__module__ = functions.name, functions.qualname, functions.module
    op.__doc__, vars(op)["functions"] = inspect.getdoc(forward), functions
    plain = NumbaOp(op)
    return op


class NumbaOp(Op):
    """A call of an op that `numba_op` has made, with its options."""

    module = "keras.src.ops.own"

    def __init__(self, function: Callable, options: dict | None = None):
        if not is_own_op(function):
            raise TypeError(f"expected an op made by keras.ops.numba_op. Received: {function!r}")
        self.function, self.options = function, options or {}

    @property
    def _functions(self) -> Functions:
        return vars(self.function)["functions"]

    def __getattr__(self, attribute):
        if attribute == "name":
            self.name = scopes.auto_name(self._functions.name)
            return self.name
        return super().__getattr__(attribute)

    def prepare(self, inputs):
        missing = [i for i, x in enumerate(inputs) if x is None]
        if missing or not inputs:
            found = f"input {missing[0]} is None" if missing else "called without inputs"
            raise ValueError(f"{self._functions}: {found}; it takes tensors")
        return inputs

    def infer(self, *specs):
        promised = self._functions.output_spec is not None
        return (self._functions.promised if promised else self._functions.found_by_trial)(specs, self.options)

    def forward(self, ctx, *arrays):
        results = self._functions.forward(arrays, self.options)
        if ctx.recording:
            ctx.save(len(arrays), *arrays, *(results if isinstance(results, tuple) else (results,)))
        return results

    def backward(self, ctx, *gys):
        functions, (count, *saved) = self._functions, ctx.saved
        inputs, results = saved[:count], saved[count:]
        wanted = [i for i, x in enumerate(inputs) if dtypes.is_float(x.dtype) or "complex" in x.dtype]
        takes_results = functions.takes_results(len(gys), count, len(wanted), self.options)
        gys = [_zeros(y) if g is None else g for g, y in zip(gys, results)]
        given = (*gys, *inputs, *(results if takes_results else ()))
        if is_own_op(functions.backward_function):
            found = functions.backward_function(*given, **self.options)
            found = functions.checked_gradients(found, inputs, wanted)
        else:
            op = _Gradients(functions, self.options, slice(len(gys), len(gys) + count), wanted)
            gradients = op(*given)
            found = dict(zip(op.there, gradients))
        return [found.get(i) for i in range(count)]


class _Gradients(Op):
    """What a user's `backward` gives, as an op without a gradient of its own.

    Attributes:
        there: after a call, the numbers of the inputs whose gradients it gave.
    """

    def __init__(self, functions: Functions, options: dict, inputs: slice, wanted: list[int]):
        self.functions, self.options, self.inputs, self.wanted, self.there = functions, options, inputs, wanted, []

    def forward(self, ctx, *arrays):
        found = self.functions.gradients(arrays, self.options, self.inputs, self.wanted)
        self.there = list(found)
        return tuple(found.values())

    def backward(self, ctx, *gys):
        raise NotImplementedError(
            f"{self.functions} has no second derivative; for one, numba_op's `backward` must be an op with a `backward`"
        )


def _zeros(y: Tensor) -> Tensor:
    return Tensor(array_module(y.value).zeros_like(y.value))
