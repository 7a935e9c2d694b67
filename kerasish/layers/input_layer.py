"""Input: where a model's graph begins."""

from __future__ import annotations

import warnings

from kerasish.core.dtypes import standardize_dtype
from kerasish.core.symbolic import KerasTensor, Node
from kerasish.core.variable import standardize_shape
from kerasish.layers.layer import Layer


class InputLayer(Layer):
    """The layer behind `keras.Input`.

    Args:
        shape: shape without the batch axis.
        batch_size: length of the batch axis, or None.
        dtype: the dtype.
        sparse, ragged: False or None; others are not supported.
        batch_shape: shape with the batch axis, instead of `shape` and `batch_size`.
        input_tensor: a KerasTensor to be used instead of a new one; what else is given must describe it.
        optional: whether None may be passed for this input.
        name: made up if None.
    """

    _recordable = True

    def __init__(
        self,
        shape=None,
        batch_size=None,
        dtype=None,
        sparse=None,
        ragged=None,
        batch_shape=None,
        input_tensor=None,
        optional=False,
        name=None,
        **kwargs,
    ):
        super().__init__(name=name)
        if "input_shape" in kwargs:
            warnings.warn("Argument `input_shape` is deprecated. Use `shape` instead.", stacklevel=2)
            shape = kwargs.pop("input_shape")
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}")
        if input_tensor is None:
            batch_shape = self._whole_shape(shape, batch_size, batch_shape)
        else:
            _check_tensor(input_tensor, shape, batch_size, batch_shape, dtype, sparse)
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
        if sparse or ragged:
            raise NotImplementedError("sparse and ragged inputs are not supported by kerasish; pass dense arrays")
        self._batch_shape = standardize_shape(batch_shape)
        self._dtype = standardize_dtype(dtype)
        self.sparse = self.ragged = False
        self.optional = optional
        if input_tensor is None:
            input_tensor = KerasTensor(self._batch_shape, self._dtype, name=name)
        self._input_tensor = input_tensor
        Node(operation=self, outputs=input_tensor)
        self.built = True

    def _whole_shape(self, shape, batch_size, batch_shape):
        if shape is not None and batch_shape is not None:
            raise ValueError("You cannot pass both `shape` and `batch_shape` at the same time.")
        if batch_size is not None and batch_shape is not None:
            raise ValueError("You cannot pass both `batch_size` and `batch_shape` at the same time.")
        if shape is None and batch_shape is None:
            raise ValueError("You must pass a `shape` argument.")
        return batch_shape if shape is None else (batch_size, *standardize_shape(shape))

    def call(self):
        """Nothing: an input is where values come in."""

    @property
    def batch_shape(self) -> tuple:
        return self._batch_shape

    @property
    def dtype(self) -> str:
        return self._dtype

    def get_config(self) -> dict:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


def _check_tensor(x, shape, batch_size, batch_shape, dtype, sparse):
    """Refuse what does not describe the tensor that an input is made of."""
    if not isinstance(x, KerasTensor):
        raise ValueError(
            f"Argument `input_tensor` must be a KerasTensor. Received invalid type: input_tensor={x} "
            f"(of type {type(x)})"
        )
    given = {"batch_size": batch_size, "shape": shape, "batch_shape": batch_shape, "dtype": dtype, "sparse": sparse}
    actual = {
        "batch_size": x.shape[0] if x.shape else None,
        "shape": x.shape[1:],
        "batch_shape": x.shape,
        "dtype": x.dtype,
        "sparse": x.sparse,
    }
    for name, value in given.items():
        value = tuple(value) if isinstance(value, list) else value
        if value is not None and value != actual[name]:
            raise ValueError(
                f"When providing the `input_tensor` argument, you cannot provide an incompatible `{name}` argument. "
                f"Received {name}={value}; the tensor has {actual[name]}"
            )


def Input(
    shape=None,
    batch_size=None,
    dtype=None,
    sparse=None,
    ragged=None,
    batch_shape=None,
    name=None,
    tensor=None,
    optional=False,
) -> KerasTensor:
    """A symbolic tensor that a model starts from.

    Args:
        shape: shape without the batch axis, None where open.
        batch_size: length of the batch axis, or None.
        dtype: "float32" by default.
        sparse, ragged: False or None; others are not supported.
        batch_shape: shape with the batch axis, instead of `shape` and `batch_size`.
        name: made up if None.
        tensor: a KerasTensor to wrap.
        optional: whether None may be passed for this input.

    Example:
        >>> x = keras.Input(shape=(28, 28, 1))
        >>> y = keras.layers.Flatten()(x)
        >>> model = keras.Model(x, y)
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name)
    return layer.output
