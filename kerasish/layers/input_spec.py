"""InputSpec: what a layer expects of its inputs."""

from __future__ import annotations

from kerasish.core import nest
from kerasish.core.tensor import Tensor
from kerasish.core.variable import standardize_shape


class InputSpec:
    """The rank, shape and dtype that a layer expects of an input.

    Args:
        dtype: the dtype, or None for any.
        shape: the shape, None where any length will do.
        ndim, max_ndim, min_ndim: bounds for the rank.
        axes: lengths of single axes, by number.
        allow_last_axis_squeeze: accept inputs whose last axis, of length 1, is missing or too many.
        name: the input's name, for models that take a dict.
        optional: whether None is accepted.
    """

    def __init__(
        self,
        dtype=None,
        shape=None,
        ndim=None,
        max_ndim=None,
        min_ndim=None,
        axes=None,
        allow_last_axis_squeeze=False,
        name=None,
        optional=False,
    ):
        self.dtype = dtype
        self.shape = standardize_shape(shape) if shape is not None else None
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.allow_last_axis_squeeze, self.name, self.optional = allow_last_axis_squeeze, name, optional
        try:
            self.axes = {int(k): v for k, v in (axes or {}).items()}
        except (ValueError, TypeError):
            raise TypeError(f"Argument `axes` must be a dict with integer keys. Received: axes={axes}") from None
        limit = self.ndim if self.ndim is not None else self.max_ndim
        if self.axes and limit is not None and max(self.axes) > limit - 1:
            raise ValueError(f"Axis {max(self.axes)} is greater than the maximum allowed value: {limit - 1}")

    def __repr__(self):
        fields = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        return f"InputSpec({', '.join(f'{f}={getattr(self, f)}' for f in fields if getattr(self, f))})"

    def get_config(self) -> dict:
        return {k: getattr(self, k) for k in ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")}

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)

    def fits(self, x, position: int, layer_name: str) -> None:
        """Raise a ValueError that says what is wrong with x, if anything is."""

        def refuse(expected, found):
            raise ValueError(
                f"Input {position} with name '{self.name}' of layer '{layer_name}' is incompatible with the layer: "
                f"expected {expected}, {found}"
            )

        shape, rank = tuple(x.shape), len(x.shape)
        full = f"Full shape received: {shape}"
        if self.ndim is not None and not self.allow_last_axis_squeeze and rank != self.ndim:
            refuse(f"ndim={self.ndim}", f"found ndim={rank}. {full}")
        if self.max_ndim is not None and rank > self.max_ndim:
            refuse(f"max_ndim={self.max_ndim}", f"found ndim={rank}")
        if self.min_ndim is not None and rank < self.min_ndim:
            refuse(f"min_ndim={self.min_ndim}", f"found ndim={rank}. {full}")
        if self.dtype is not None and x.dtype != self.dtype:
            refuse(f"dtype={self.dtype}", f"found dtype={x.dtype}")
        for axis, length in self.axes.items():
            if length is not None and shape[axis] not in (length, None):
                refuse(f"axis {axis} of input shape to have value {length}", f"but received input with shape {shape}")
        if self.shape is not None:
            self._fits_shape(shape, refuse)

    def _fits_shape(self, shape, refuse):
        expected, given = self.shape, shape
        if self.allow_last_axis_squeeze:
            given = given[:-1] if given and given[-1] == 1 else given
            expected = expected[:-1] if expected and expected[-1] == 1 else expected
        if not all(
            a is None or b is None or a == b for a, b in zip(expected, given)
        ):  # the rank is looked at elsewhere
            refuse(f"shape={self.shape}", f"found shape={shape}")


def check_inputs(specs, inputs, layer_name: str) -> None:
    """Check a layer's inputs, in any structure, against its specs.

    Raises:
        ValueError: for a wrong number of inputs, or the first one that does not fit.
    """
    if isinstance(specs, InputSpec) and isinstance(inputs, Tensor):
        specs.fits(inputs, 0, layer_name)
        return
    specs = nest.flatten(specs)
    named = isinstance(inputs, dict) and all(s is not None and s.name is not None for s in specs)
    if named:
        missing = [s.name for s in specs if s.name not in inputs and not s.optional]
        if missing:
            raise ValueError(
                f'Missing data for input "{missing[0]}". You passed a data dictionary with keys {list(inputs)}. '
                f"Expected the following keys: {[s.name for s in specs]}"
            )
    given = [inputs.get(s.name) for s in specs] if named else nest.flatten(inputs)
    if len(given) != len(specs):
        names = [s.name for s in specs if s is not None and s.name is not None]
        keys = f"named input(s) with keys {names}" if len(names) == len(specs) else "input(s)"
        raise ValueError(
            f"Layer '{layer_name}' expects {len(specs)} {keys}, but it received {len(given)} input tensors: "
            f"{[getattr(x, 'shape', x) for x in given]}"
        )
    for i, (x, spec) in enumerate(zip(given, specs)):
        if spec is None or (x is None and spec.optional):
            continue
        if x is None and spec.name is not None:
            raise ValueError(
                f"Layer '{layer_name}': the input '{spec.name}' is not optional, but None was passed. Please provide a "
                "valid tensor."
            )
        if not hasattr(x, "shape"):
            raise ValueError(
                f"Inputs to a layer should be tensors. Got '{x}' (of type {type(x)}) as input for layer '{layer_name}'."
            )
        spec.fits(x, i, layer_name)
