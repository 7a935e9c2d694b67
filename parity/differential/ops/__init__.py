"""One op: value, dtype, symbolic shape and dtype, gradient. A row an op, by the kind of its arguments."""

from parity.differential.ops import (  # noqa: F401  (each adds its subjects)
    control,
    creation,
    elementwise,
    indices,
    networks,
    normalizing,
    products,
    reductions,
    shaping,
)
