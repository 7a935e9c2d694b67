"""keras.random: random numbers from explicit seeds."""

from kerasish import names as _names
from kerasish.random.distributions import (
    beta,
    binomial,
    categorical,
    gamma,
    normal,
    randint,
    shuffle,
    truncated_normal,
    uniform,
)
from kerasish.random.dropout import dropout
from kerasish.random.seed import SeedGenerator, set_random_seed

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "set_random_seed",
    "shuffle",
    "truncated_normal",
    "uniform",
]

_names.explain(__name__)
