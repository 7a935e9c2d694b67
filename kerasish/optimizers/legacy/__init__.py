"""Names of Keras 2's optimizers, which Keras 3 refuses to make."""

from kerasish import names as _names


class _Removed:
    """A class that cannot be instantiated, and says what to use instead."""

    def __init__(self, *args, **kwargs):
        raise ImportError(
            f"`keras.optimizers.legacy.{type(self).__name__}` is not supported in Keras 3. Use "
            f"`keras.optimizers.{type(self).__name__}` instead."
        )


class Adagrad(_Removed):
    """Removed: use `keras.optimizers.Adagrad`."""


class Adam(_Removed):
    """Removed: use `keras.optimizers.Adam`."""


class Ftrl(_Removed):
    """Removed: use `keras.optimizers.Ftrl`."""


class Optimizer(_Removed):
    """Removed: use `keras.optimizers.Optimizer`."""


class RMSprop(_Removed):
    """Removed: use `keras.optimizers.RMSprop`."""


class SGD(_Removed):
    """Removed: use `keras.optimizers.SGD`."""


_names.explain(__name__)
