"""The oracle of a gradient: the difference of the function along a random direction, in float64."""

import numpy as np

import kerasish
from kerasish import ops


def check_gradient(function, *arrays, tolerance=1e-6, second=True):
    """Compare the tape's gradient, and that of its squared length, with differences along a random direction."""
    rng = np.random.default_rng(0)
    variables = [kerasish.Variable(a) for a in arrays]
    weights = rng.standard_normal(np.shape(function(*variables)))
    direction = [rng.standard_normal(np.shape(a)) for a in arrays]

    def value(*points):
        return ops.sum(function(*points) * weights)

    _compare(value, variables, direction, tolerance)
    if second:
        _compare(lambda *points: _squared_slope(value, points), variables, direction, 100 * tolerance)


def _squared_slope(value, points):
    with kerasish.GradientTape() as tape:
        tape.watch(list(points))
        result = value(*points)
    slopes = tape.gradient(result, list(points), unconnected_gradients="zero")
    return sum(ops.sum(ops.square(g)) for g in slopes)


def _compare(value, variables, direction, tolerance, step=1e-6):
    with kerasish.GradientTape() as tape:
        tape.watch(variables)
        result = value(*variables)
    gradients = tape.gradient(result, variables, unconnected_gradients="zero")
    assert [tuple(g.shape) for g in gradients] == [tuple(v.shape) for v in variables]
    along = sum(float((g.numpy() * d).sum()) for g, d in zip(gradients, direction))
    ahead, behind = (
        [ops.convert_to_tensor(v.numpy() + s * step * d) for v, d in zip(variables, direction)] for s in (1, -1)
    )
    difference = (float(value(*ahead)) - float(value(*behind))) / (2 * step)
    assert abs(along - difference) <= tolerance * max(1, abs(difference)), (along, difference)
