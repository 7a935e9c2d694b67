"""kerasish: Keras 3 on NumPy and Numba. `import kerasish as keras`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kerasish import names as _names

if TYPE_CHECKING:  # for editors; what is imported when it is first used stands in _NAMES and _PACKAGES
    from kerasish import (
        activations,
        backend,
        callbacks,
        config,
        constraints,
        datasets,
        dtype_policies,
        initializers,
        layers,
        losses,
        metrics,
        models,
        ops,
        optimizers,
        preprocessing,
        random,
        regularizers,
        saving,
        tree,
        utils,
    )
    from kerasish.compat import install_as_keras, uninstall_as_keras
    from kerasish.core.autodiff import GradientTape, custom_gradient, stop_gradient
    from kerasish.core.function import Function
    from kerasish.core.operation import Operation
    from kerasish.core.scopes import name_scope
    from kerasish.core.symbolic import KerasTensor
    from kerasish.core.tensor import Tensor
    from kerasish.core.variable import Variable
    from kerasish.device import on as device
    from kerasish.dtype_policies import DTypePolicy, FloatDTypePolicy
    from kerasish.initializers import Initializer
    from kerasish.layers import Input, InputSpec, Layer
    from kerasish.losses import Loss
    from kerasish.metrics import Metric
    from kerasish.models import Model, Sequential
    from kerasish.optimizers import Optimizer
    from kerasish.regularizers import Regularizer

__version__ = _VERSION = "0.1.0"
KERAS_VERSION = "3.15.1"  # the Keras that kerasish equals

_PACKAGES = frozenset(
    "activations backend callbacks compat config constraints core datasets device dtype_policies initializers kernels "
    "layers losses metrics models ops optimizers preprocessing random regularizers saving training tree utils".split()
)
_NAMES = {
    "DTypePolicy": "dtype_policies",
    "FloatDTypePolicy": "dtype_policies",
    "Function": "core.function",
    "GradientTape": "core.autodiff",
    "Initializer": "initializers",
    "Input": "layers",
    "InputSpec": "layers",
    "KerasTensor": "core.symbolic",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Operation": "core.operation",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "Sequential": "models",
    "Tensor": "core.tensor",
    "Variable": "core.variable",
    "custom_gradient": "core.autodiff",
    "install_as_keras": "compat",
    "uninstall_as_keras": "compat",
    "name_scope": "core.scopes",
    "stop_gradient": "core.autodiff",
}
_HOMES = {
    **{name: f"kerasish.{home}" for name, home in _NAMES.items()},
    **{name: f"kerasish.{name}" for name in _PACKAGES},
}
__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Function",
    "GradientTape",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Operation",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Tensor",
    "Variable",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "custom_gradient",
    "datasets",
    "device",
    "dtype_policies",
    "initializers",
    "install_as_keras",
    "layers",
    "losses",
    "metrics",
    "models",
    "name_scope",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "stop_gradient",
    "tree",
    "uninstall_as_keras",
    "utils",
    "version",
]


def version() -> str:
    """The version of kerasish; that of the Keras it stands for where `keras` means kerasish."""
    return __version__


_names.lazy(__name__, _HOMES)
if _names.Explainer not in sys.meta_path:
    sys.meta_path.append(_names.Explainer)


def __dir__() -> list[str]:
    return list(__all__)
