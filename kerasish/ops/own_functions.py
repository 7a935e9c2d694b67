"""The functions of arrays that a `numba_op` is made of: how they are called, and what they may give."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from kerasish.core import dtypes
from kerasish.core.op import Spec
from kerasish.core.operation import PROBES
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor
from kerasish.device import array_module, callers, on_card, where

SMALL_PROBES, MOST = (13, 17), 1 << 22  # lengths of open dimensions, where the usual would make more elements than that
Specs = Spec | tuple[Spec, ...]


class Functions:
    """What `numba_op` was given, whose arguments say what is what. As text it is the op's name, for messages."""

    def __init__(self, forward, backward, output_spec, cuda, cuda_backward, name):
        given = {"forward": forward, "backward": backward, "output_spec": output_spec, "cuda": cuda}
        for key, function in {**given, "cuda_backward": cuda_backward}.items():
            if function is not None and not callable(function):
                raise TypeError(f"numba_op: `{key}` must be a function. Received: {function!r}")
        own = callers.python_function(forward)
        self.name = name or getattr(own, "__name__", "<lambda>").replace("<lambda>", "numba_op")
        self.qualname = getattr(own, "__qualname__", self.name) if name is None else name
        self.module = getattr(own, "__module__", None) or "__main__"
        if callers.is_kernel(forward) and output_spec is None:
            raise TypeError(f"{self}: a kernel is handed what it writes into; say by `output_spec` what that is")
        self.backward_function, self.output_spec = backward, output_spec
        self.forwards, self.backwards = (forward, cuda), (backward, cuda_backward)
        self._seen: set = set()

    def __str__(self):
        return f"op '{self.name}'"

    def forward(self, arrays: tuple, options: dict) -> Any:
        """The resulting array, or a tuple of some."""
        arrays, function = _canonical(arrays), self._of(self.forwards, arrays, "cuda")
        with self._watching("forward", arrays) as is_first:
            results = self._results(function, arrays, options)
            if is_first:
                self._compare_with_promise(arrays, results, options)
        return results

    def gradients(self, arrays: tuple, options: dict, inputs: slice, wanted: list[int]) -> dict[int, Any]:
        """The gradients that there are, by the numbers of the inputs, which stand in `arrays` at `inputs`."""
        arrays, function = _canonical(arrays), self._of(self.backwards, arrays, "cuda_backward")
        xs = arrays[inputs]
        made = [array_module(xs[i]).zeros_like(xs[i]) for i in wanted]
        with self._watching("backward", arrays):
            found = self._call(function, made, arrays, options, "backward")
        gradients = self.checked_gradients(found, xs, wanted)
        return {i: _apart(g, arrays) for i, g in gradients.items()}

    def checked_gradients(self, found: Any, inputs, wanted: list[int]) -> dict[int, Any]:
        """What `backward` gave, by the numbers of inputs.

        Raises:
            TypeError, ValueError: for another number of gradients, another shape or dtype than the input's, or a
                gradient where there is none.
        """
        several = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        if len(several) == len(wanted) < len(inputs):
            several = [several[wanted.index(i)] if i in wanted else None for i in range(len(inputs))]
        if len(several) != len(inputs):
            raise ValueError(
                f"{self}: `backward` gave {len(several)} gradients for {len(inputs)} inputs; it must return one for "
                "each, None for one without gradient"
            )
        gradients = {}
        for i, (g, x) in enumerate(zip(several, inputs)):
            if g is None:
                continue
            if i not in wanted:
                raise TypeError(
                    f"{self}: `backward` gave a gradient of input {i}, {_text(x)}, which has none: say None"
                )
            g = g if isinstance(g, Tensor) else self._array(g, inputs, f"`backward` gave, as gradient of input {i},")
            if tuple(g.shape) != tuple(x.shape) or _dtype(g) != _dtype(x):
                raise ValueError(
                    f"{self}: `backward` gave, as gradient of input {i}, {_text(g)}; expected the input's {_text(x)}"
                )
            gradients[i] = g
        return gradients

    def takes_results(self, gradients: int, inputs: int, wanted: int, options: dict) -> bool:
        """Whether `backward` takes the results, too.

        Raises:
            NotImplementedError: if there is none.
            TypeError: if it takes another number of arguments than it could be given.
        """
        function = self.backward_function
        if function is None:
            raise NotImplementedError(
                f"{self} has no gradient: give numba_op a `backward`, or pass its result through "
                "keras.ops.stop_gradient where none is wanted"
            )
        function = function.functions.forwards[0] if is_own_op(function) else function
        found = callers.parameters(function, options)
        if found in (None, math.inf):
            return found is not None
        found -= 1 + wanted if callers.is_kernel(function) else 0
        least = gradients + inputs
        if found not in (least, least + gradients):
            raise TypeError(
                f"{self}: `backward` takes {found} arrays; expected {least}, the gradients of {gradients} results and "
                f"{inputs} inputs, or {least + gradients}, those and the results"
            )
        return found > least

    def promised(self, specs: tuple, options: dict) -> Specs:
        """What `output_spec` says of the results.

        Raises:
            TypeError: if it is no KerasTensor, shape or tuple of those.
        """
        given = [
            KerasTensor(s.shape, dtypes.standardize_dtype(s.dtype), name=f"input_{i}") for i, s in enumerate(specs)
        ]
        found = self._noted(self.output_spec, given, options, "output_spec")
        is_one = isinstance(found, KerasTensor) or _is_shape(found)
        results = tuple(self._spec(s, given[0]) for s in ((found,) if is_one else found or ()))
        return results[0] if is_one else results

    def found_by_trial(self, specs: tuple, options: dict) -> Specs:
        """The results' shapes and dtypes, found by runs on arrays of ones.

        Raises:
            ValueError: if `forward` does not do with those.
        """
        trials = []
        for arrays in _trial_arrays(specs):
            try:
                results = self._results(self.forwards[0], arrays, options)
            except Exception as error:
                given = ", ".join(map(_text, arrays))
                raise ValueError(
                    f"{self}: its result's shape could not be found by a trial with arrays of ones, {given}: {error}; "
                    "say by numba_op's `output_spec` what comes out"
                ) from error
            trials.append(tuple(Spec(y.shape, _dtype(y)) for y in _several(results)))
        merged = tuple(
            Spec(tuple(m if m == n else None for m, n in zip(a.shape, b.shape)), a.dtype)
            for a, b in zip(trials[0], trials[-1], strict=True)
        )
        return merged if isinstance(results, tuple) else merged[0]

    def _results(self, function, arrays, options):
        made = ()
        if callers.is_kernel(function):
            specs = self.promised([Spec(x.shape, _dtype(x)) for x in arrays], options)
            several = (specs,) if isinstance(specs, Spec) else specs
            made = [np.zeros(s.shape, dtypes.numpy_dtype(s.dtype)) for s in several]
            self._call(function, made, arrays, options, "forward")
            return made[0] if isinstance(specs, Spec) else tuple(made)
        found = self._call(function, made, arrays, options, "forward")
        if found is None:
            raise TypeError(
                f"{self}: `forward` gave None; it must return the resulting array, or a tuple of some; what writes "
                "into its arguments is called by a function that makes them"
            )
        if not isinstance(found, (tuple, list)):
            return _apart(self._array(found, arrays, "`forward` gave"), arrays)
        return tuple(
            _apart(self._array(y, arrays, f"`forward` gave, as result {i},"), arrays) for i, y in enumerate(found)
        )

    def _call(self, function, made, arrays, options, role):
        """What a function gives; of a kernel, the arrays that were made for it."""
        if not callers.is_kernel(function):
            return self._noted(callers.caller(function), (arrays, options), {}, role, arrays)
        if any(y.size for y in made):
            tasks = len(made[0]) if made[0].ndim else 1
            self._noted(callers.caller(function), ((tasks, *made, *arrays), options), {}, role, arrays)
        return tuple(made)

    def _noted(self, function, given, options, role, arrays=None):
        """A call whose exceptions say which op it was; Numba's become a TypeError."""
        inputs = ", ".join(map(_text, given if arrays is None else arrays))
        try:
            return function(*given, **options)
        except Exception as error:
            if type(error).__module__.startswith("numba."):
                first = str(error).strip().splitlines()
                raise TypeError(
                    f"{self}: Numba does not compile `{role}` for {inputs}: {' '.join(first[:3])}"
                ) from error
            error.add_note(f"in `{role}` of {self}, called with {inputs}")
            raise

    def _of(self, functions, arrays, argument):
        """The function for where the arrays lie.

        Raises:
            ValueError: if they lie in several places, or on a card for which there is none.
        """
        places = {where(x) for x in arrays}
        if len(places) > 1:
            raise ValueError(
                f"{self}: its inputs lie on several devices: {', '.join(sorted(places))}; make them on one"
            )
        if not on_card(arrays[0]):
            return functions[0]
        if functions[1] is None:
            raise ValueError(
                f"{self}: its inputs lie on {places.pop()}, and it has no function for a card: give numba_op "
                f"`{argument}`, or compute inside of `with keras.device('cpu'):`"
            )
        return functions[1]

    def _array(self, y, inputs, said):
        """A result as an array; a number is one without axes, of the dtype of the first input of floats."""
        if isinstance(y, (bool, int, float, np.generic)):
            kinds = [x.dtype for x in inputs if np.dtype(x.dtype).kind == "f"] if isinstance(y, float) else []
            y = np.asarray(y, kinds[0] if kinds else None)
        if type(y) is not np.ndarray and not on_card(y):
            raise TypeError(f"{self}: {said} {type(y).__name__}; expected an array. The functions get and give arrays")
        if where(y) != where(inputs[0]) and y.ndim:
            raise TypeError(f"{self}: {said} an array on {where(y)}; the inputs lie on {where(inputs[0])}")
        try:
            _dtype(y)
        except (TypeError, ValueError):
            raise TypeError(f"{self}: {said} an array of {y.dtype}, which no tensor can have") from None
        return y

    def _spec(self, found, like) -> Spec:
        if isinstance(found, KerasTensor):
            return Spec(tuple(found.shape), found.dtype)
        if _is_shape(found):
            return Spec(tuple(found), like.dtype)
        raise TypeError(
            f"{self}: `output_spec` must give a KerasTensor or a shape for each result. Received: {found!r}"
        )

    @contextlib.contextmanager
    def _watching(self, role, arrays):
        """A context around a call; at the first for such arrays, it looks whether they are changed.

        Raises:
            ValueError: if they are.
        """
        kinds = (role, *[(type(x), x.dtype, x.ndim) for x in arrays])
        if kinds in self._seen:
            yield False
            return
        before = [x.copy() for x in arrays]
        yield True
        for i, (x, was) in enumerate(zip(arrays, before)):
            if x.tobytes() != was.tobytes():
                x[...] = was
                raise ValueError(
                    f"{self}: `{role}` writes into its argument {i}, {_text(x)}, which others read, too; write into an "
                    "array of its own"
                )
        self._seen.add(kinds)

    def _compare_with_promise(self, arrays, results, options):
        if self.output_spec is None:
            return
        specs = self.promised([Spec(x.shape, _dtype(x)) for x in arrays], options)
        found, wanted = _several(results), (specs,) if isinstance(specs, Spec) else specs
        if [(tuple(y.shape), _dtype(y)) for y in found] != [(tuple(s.shape), s.dtype) for s in wanted]:
            promise = ", ".join(f"{s.dtype} {tuple(s.shape)}" for s in wanted)
            raise ValueError(
                f"{self}: `forward` gave {', '.join(map(_text, found))}; `output_spec` says {promise} for "
                f"{', '.join(map(_text, arrays))}"
            )


def is_own_op(function: Any) -> bool:
    """Whether a function is an op that `numba_op` has made."""
    return isinstance(getattr(function, "functions", None), Functions)


def _canonical(arrays) -> tuple:
    """C-contiguous arrays that may be written, so that few kinds are compiled."""
    return tuple([_plain(x) if isinstance(x, np.ndarray) else array_module(x).ascontiguousarray(x) for x in arrays])


def _plain(x):
    x = np.asarray(x, order="C")
    return x if x.flags.writeable else x.copy()


def _apart(y, inputs):
    """A result in memory of its own: inputs may be weights, which change."""
    if isinstance(y, np.ndarray):
        return y.copy() if any(np.may_share_memory(y, x) for x in inputs) else y
    return y.copy() if any(x.data.ptr <= y.data.ptr < x.data.ptr + x.nbytes for x in inputs) else y


def _several(results) -> tuple:
    return results if isinstance(results, tuple) else (results,)


def _trial_arrays(specs) -> Iterator[tuple]:
    """Arrays of ones: one set of them, or two where dimensions are open, with two lengths for those."""
    is_open = any(None in s.shape for s in specs)
    size = max(math.prod(PROBES[1] if d is None else d for d in s.shape) for s in specs)
    for length in (PROBES if size <= MOST else SMALL_PROBES) if is_open else (1,):
        shapes = [[length if d is None else d for d in s.shape] for s in specs]
        kinds = [dtypes.numpy_dtype(dtypes.standardize_dtype(s.dtype)) for s in specs]
        yield tuple(np.ones(shape, kind) for shape, kind in zip(shapes, kinds))


def _is_shape(found) -> bool:
    return isinstance(found, (tuple, list)) and all(d is None or isinstance(d, int) for d in found)


def _dtype(x) -> str:
    return x.dtype if isinstance(x.dtype, str) else dtypes.standardize_dtype(dtypes.name_of(x))


def _text(x) -> str:
    return f"{_dtype(x)} {tuple(x.shape)}" if hasattr(x, "shape") else repr(x)
