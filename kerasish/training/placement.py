"""Where a model runs: on the device that its weights lie on, whichever is chosen around the call."""

import contextlib
import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import optree

from kerasish import device
from kerasish.core.tensor import Tensor
from kerasish.core.whole import open_scopes, restore_scopes

Method = TypeVar("Method", bound=Callable)


def beside_weights(method: Method) -> Method:
    """A method of a model that runs with the device of the model's weights chosen, and may be interrupted."""

    @functools.wraps(method)
    def run(self, *args, **options):
        inside, scopes = self._inside, open_scopes()
        try:
            if "cupy" not in sys.modules:  # nothing can lie on a card
                return method(self, *args, **options)
            with _chosen_for(self):
                return method(self, *args, **options)
        except BaseException:
            vars(self)["_inside"] = inside
            restore_scopes(scopes)
            raise

    return run


def _chosen_for(model: Any):
    """The context; metrics that were made elsewhere move to the weights."""
    weight = next(iter(model.weights), None)
    if weight is None:
        return contextlib.nullcontext()
    for metric in model.metrics:
        move_beside(metric.variables, Tensor(weight.array))
    place = device.where(weight.array)
    return contextlib.nullcontext() if place == device.current() else device.on(place)


def move_beside(variables: list, values: Any) -> None:
    """Variables that were made elsewhere, such as those of metrics, come to where the first of some tensors lies."""
    array = next((leaf.value for leaf in optree.tree_leaves(values) if isinstance(leaf, Tensor)), None)
    if array is not None:
        for variable in variables:
            variable.move_beside(array)
