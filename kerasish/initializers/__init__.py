"""keras.initializers: the first values of variables."""

from __future__ import annotations

from kerasish import names as _names
from kerasish import saving
from kerasish.core import dtypes
from kerasish.core.operators import Operators, bind
from kerasish.core.tensor import as_array, convert_to_tensor
from kerasish.initializers.constant_initializers import STFT, Constant, Identity, Ones, Zeros
from kerasish.initializers.initializer import Initializer
from kerasish.initializers.random_initializers import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
from kerasish.saving.identifiers import names_of, resolve

IdentityInitializer, OrthogonalInitializer, STFTInitializer = Identity, Orthogonal, STFT
constant, zeros, ones, identity, stft = Constant, Zeros, Ones, Identity, STFT
glorot_normal, glorot_uniform, he_normal, he_uniform = GlorotNormal, GlorotUniform, HeNormal, HeUniform
lecun_normal, lecun_uniform, variance_scaling, orthogonal = LecunNormal, LecunUniform, VarianceScaling, Orthogonal
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal

_NAMES = names_of(
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    STFT,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
    IdentityInitializer=Identity,
    OrthogonalInitializer=Orthogonal,
    STFTInitializer=STFT,
    normal=RandomNormal,
    one=Ones,
    uniform=RandomUniform,
    zero=Zeros,
)


def serialize(initializer):
    """The config of an initializer, with its class.

    Args:
        initializer: An initializer, or a function that serves as one.
    """
    return saving.serialize_keras_object(initializer)


def deserialize(config, custom_objects=None):
    """An initializer from its config.

    Args:
        config: What `serialize` returned, or a name.
        custom_objects: Dictionary of one's own classes and functions by name.
    """
    return saving.deserialize_keras_object(config, module_objects=_NAMES, custom_objects=custom_objects)


def get(identifier):
    """The initializer that an argument of a layer stands for.

    Args:
        identifier: A name (`"glorot_uniform"`, `"GlorotUniform"`), a config, a class, an initializer, a function
            `f(shape, dtype=None)`, an array or tensor that is the value itself, or `None`.

    Returns:
        A callable, or `None` for `None`.

    Raises:
        ValueError: If it stands for no initializer.

    Example:

    ```python
    initializer = keras.initializers.get("he_normal")
    kernel = initializer((3, 3, 16, 32))
    ```
    """
    if hasattr(identifier, "shape") and (isinstance(identifier, Operators) or hasattr(identifier, "__array__")):
        return _value(identifier)
    return resolve(identifier, deserialize, "initializer")


def _value(array):
    """A function that returns the array, once it is sure that it fits."""

    def initialize(shape, dtype=None):
        if tuple(shape) != tuple(array.shape):
            raise ValueError(
                f"Expected `shape` to be {tuple(array.shape)} for direct tensor as initializer. Received shape={shape}"
            )
        return convert_to_tensor(as_array(array), dtypes.standardize_dtype(dtype))

    return initialize


bind("get_initializer", get)

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFT",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

_names.explain(__name__)
