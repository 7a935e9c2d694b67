"""EinsumDense, a matrix product spelled as an Einstein sum."""

from __future__ import annotations

import re
from typing import Any

from kerasish import activations, constraints, initializers, ops, regularizers
from kerasish.layers import arguments
from kerasish.layers.arguments import Identifier, Size
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer


class EinsumDense(Layer):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: such as `"abc,cd->abd"`: the input's letters, the kernel's, the output's. An ellipsis at the same end
            of input and output stands for any further axes.
        output_shape: the output's shape without the batch axis (with the axes that an ellipsis stands for left out);
            None for a size that the input decides.
        activation: a name or a function applied to the output.
        bias_axes: the letters of the output that the bias has; None for no bias.
        kernel_initializer, bias_initializer: names or objects of `keras.initializers`.
        kernel_regularizer, bias_regularizer: penalties on the weights.
        kernel_constraint, bias_constraint: projections applied to the weights after each update.
        lora_rank, lora_alpha, gptq_unpacked_column_size, quantization_config: not supported yet.

    Raises:
        ValueError: if the equation cannot be read, or does not fit the input.

    Example:

    >>> layer = keras.layers.EinsumDense("abc,cd->abd", output_shape=(None, 64), bias_axes="d")
    >>> layer(np.random.rand(2, 32, 128)).shape
    (2, 32, 64)
    """

    def __init__(
        self,
        equation: str,
        output_shape: Size,
        activation: Identifier = None,
        bias_axes: str | None = None,
        kernel_initializer: Identifier = "glorot_uniform",
        bias_initializer: Identifier = "zeros",
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        arguments.refuse_lora(self, lora_rank, lora_alpha)
        arguments.refuse_quantization(self, quantization_config, gptq_unpacked_column_size)
        self.equation = equation
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.quantization_config = None

    def build(self, input_shape) -> None:
        kernel_shape, bias_shape, self.full_output_shape = self._shapes(tuple(input_shape))
        self.input_spec = InputSpec(ndim=len(input_shape))
        self.kernel = self.add_weight(
            name="kernel",
            shape=kernel_shape,
            initializer=self._fitted_initializer(tuple(input_shape)),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if bias_shape is not None:
            self.bias = self.add_weight(
                name="bias",
                shape=bias_shape,
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _shapes(self, input_shape):
        """The shapes of kernel, bias and output."""
        spec_in, spec_kernel, spec_out = self._read_equation(input_shape)
        out_shape = (input_shape[0], *self.partial_output_shape)
        if "..." in self.equation:
            free = [input_shape[spec_in.index(letter)] for letter in spec_out if letter.isdigit()]
            if self.equation.startswith("..."):
                out_shape = (*free, *out_shape[len(out_shape) - (len(spec_out) - len(free)) :])
            else:
                out_shape = (*out_shape[: len(spec_out) - len(free)], *free)
        sizes = dict(zip(spec_in, input_shape)) | dict(zip(spec_out, out_shape))
        for letter, size in zip(spec_in, input_shape):
            if letter in spec_out and sizes[letter] not in (None, size):
                message = f"Input shape and output shape do not match at shared dimension '{letter}'."
                given = f"Input shape is {size}, and output shape is {sizes[letter]}."
                raise arguments.invalid(self, f"{message} {given}")
        kernel_shape = tuple(self._size(letter, sizes, "kernel") for letter in spec_kernel)
        return kernel_shape, self._bias_shape(spec_out, sizes), out_shape

    def _fitted_initializer(self, input_shape):
        """The kernel's initializer, told which of the kernel's axes are inputs and which are outputs."""
        initializer = self.kernel_initializer
        known = isinstance(initializer, initializers.VarianceScaling)
        if not known or (initializer.input_axes is not None and initializer.output_axes is not None):
            return initializer
        _, spec_kernel, spec_out = self._read_equation(input_shape)
        axes = {True: [], False: []}
        for axis, letter in enumerate(spec_kernel):
            axes[letter in spec_out].append(axis)
        fitted = {"seed": initializer.seed, "input_axes": axes[False], "output_axes": axes[True]}
        return type(initializer).from_config({**initializer.get_config(), **fitted})

    def _read_equation(self, input_shape):
        """The three groups of letters, an ellipsis written out as digits."""
        match = re.fullmatch(r"(\.{3})?([a-zA-Z]+)(\.{3})?,([a-zA-Z]+)->(\.{3})?([a-zA-Z]+)(\.{3})?", self.equation)
        left, spec_in, right, spec_kernel, left_out, spec_out, right_out = match.groups() if match else (None,) * 7
        if match is None or (left and right) or (left, right) != (left_out, right_out):
            expected = "Expected the form [X],[Y]->[Z], ...[X],[Y]->...[Z] or [X]...,[Y]->[Z]..."
            raise arguments.invalid(self, f"Invalid einsum equation '{self.equation}'. {expected}")
        extra = "".join(map(str, range(len(input_shape) - len(spec_in)))) if left or right else ""
        if left:
            return extra + spec_in, spec_kernel, extra + spec_out
        return spec_in + extra, spec_kernel, spec_out + extra

    def _size(self, letter, sizes, weight):
        if letter not in sizes:
            message = f"{weight} dimension '{letter}' is neither in the input nor in the output of '{self.equation}'"
            raise arguments.invalid(self, message)
        if sizes[letter] is None:
            message = f"axis '{letter}' of the {weight} has no known size with output_shape={self.partial_output_shape}"
            raise arguments.invalid(self, f"{message}; give that dimension, there or to `Input`")
        return sizes[letter]

    def _bias_shape(self, spec_out, sizes):
        """The bias has its own axes' sizes, and ones for the axes after its first."""
        if not self.bias_axes:
            return None
        if missing := sorted(set(self.bias_axes) - set(spec_out)):
            message = f"Bias dimension '{missing[0]}' was requested, but is not part of the output spec '{spec_out}'"
            raise arguments.invalid(self, message)
        first = min(map(spec_out.index, self.bias_axes))
        kept = [letter in self.bias_axes for letter in spec_out[first:]]
        return tuple(self._size(k, sizes, "bias") if own else 1 for k, own in zip(spec_out[first:], kept))

    def call(self, inputs, training=None):
        outputs = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        return self.activation(outputs) if self.activation is not None else outputs

    def compute_output_shape(self, input_shape) -> tuple:
        letters = self.equation.partition(",")[0]
        if "..." not in letters and len(letters) != len(input_shape):
            message = (
                f"input of shape {tuple(input_shape)}, expected {len(letters)} axes for equation '{self.equation}'"
            )
            raise arguments.invalid(self, message)
        return self._shapes(tuple(input_shape))[-1]

    def enable_lora(self, rank: int, *args: Any, **kwargs: Any) -> None:
        """Not supported yet: raises `NotImplementedError`."""
        arguments.refuse_lora(self, rank)

    def get_config(self) -> dict[str, Any]:
        own = (
            "equation activation bias_axes kernel_initializer bias_initializer kernel_regularizer bias_regularizer "
            "activity_regularizer kernel_constraint bias_constraint quantization_config"
        )
        config = {**super().get_config(), "output_shape": self.partial_output_shape}
        return {**config, **arguments.config_of(self, *own.split())}
