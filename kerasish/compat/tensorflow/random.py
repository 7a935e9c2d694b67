"""tf.random: numbers from the global seed, or from the one that is given. They are not TensorFlow's numbers."""

from kerasish import ops as _ops
from kerasish import random as _random
from kerasish.compat.tensorflow.table import lookup as _lookup
from kerasish.random import stateful as _stateful

__getattr__ = _lookup(__name__)


def set_seed(seed: int) -> None:
    """Seeds what TensorFlow draws under Keras: the order of samples in `fit`, data sets that shuffle, this module.

    Initial weights, dropout and NumPy are left alone, as under Keras 3: `keras.utils.set_random_seed` seeds them, too.
    """
    _stateful.set_global_seed(int(seed))


def _seed(given):
    """The seed that is given, or one from the global seed, if that was set; None otherwise."""
    if given is not None or _stateful.global_seed() is None:
        return given
    key, counter = _stateful.seed_pair(None)
    return key << 31 | counter


def normal(shape, mean=0.0, stddev=1.0, dtype="float32", seed=None, name=None):
    """Normally distributed numbers."""
    return _random.normal(shape, mean=mean, stddev=stddev, dtype=dtype, seed=_seed(seed))


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype="float32", seed=None, name=None):
    """Normally distributed numbers, none further than two standard deviations away."""
    return _random.truncated_normal(shape, mean=mean, stddev=stddev, dtype=dtype, seed=_seed(seed))


def uniform(shape, minval=0, maxval=None, dtype="float32", seed=None, name=None):
    """Numbers from `minval` up to `maxval` (1 by default), which does not occur."""
    if str(dtype).startswith(("int", "uint")):
        return _random.randint(shape, minval, maxval, dtype=dtype, seed=_seed(seed))
    return _random.uniform(shape, minval, 1 if maxval is None else maxval, dtype=dtype, seed=_seed(seed))


def shuffle(value, seed=None, name=None):
    """The rows in random order."""
    return _random.shuffle(value, axis=0, seed=_seed(seed))


def categorical(logits, num_samples: int, dtype="int64", seed=None, name=None):
    """Class numbers drawn with probabilities softmax(logits)."""
    return _ops.cast(_random.categorical(logits, num_samples, seed=_seed(seed)), dtype)
