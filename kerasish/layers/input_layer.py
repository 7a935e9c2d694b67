"""Input: where a model's graph begins."""

from __future__ import annotations

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
        input_tensor: a KerasTensor to be used instead of a new one.
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
            raise ValueError(
                "Cannot pass `input_shape` to `InputLayer`; use `shape`, or `batch_shape` for the whole shape"
            )
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}")
        if sparse or ragged:
            raise NotImplementedError("sparse and ragged inputs are not supported by kerasish; pass dense arrays")
        if input_tensor is not None:
            _require_keras_tensor(input_tensor)
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        elif shape is not None:
            if batch_shape is not None:
                raise ValueError("You cannot pass both `shape` and `batch_shape` at the same time.")
            batch_shape = (batch_size, *standardize_shape(shape))
        elif batch_shape is None:
            raise ValueError("You must pass a `shape` argument.")
        self._batch_shape = standardize_shape(batch_shape)
        self._dtype = dtype or self.compute_dtype
        self.sparse = self.ragged = False
        self.optional = optional
        output = input_tensor if input_tensor is not None else KerasTensor(self._batch_shape, self._dtype, name=name)
        self._input_tensor = output
        Node(operation=self, outputs=output)
        self.built = True

    def call(self):
        """Has no meaning: an input is where values come in."""
        raise NotImplementedError(f"layer '{self.name}' (InputLayer) is where values come in; it cannot be called")

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


def _require_keras_tensor(x):
    if not isinstance(x, KerasTensor):
        raise ValueError(
            f"Argument `input_tensor` must be a KerasTensor. Received invalid type: input_tensor={x} "
            f"(of type {type(x)})"
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
