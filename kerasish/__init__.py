"""kerasish: Keras 3 on NumPy and Numba. `import kerasish as keras`."""

from __future__ import annotations

import importlib

__version__ = _VERSION = "0.1.0"
KERAS_VERSION = "3.15.1"  # the Keras that kerasish equals

_PACKAGES = frozenset(
    "activations applications backend callbacks compat config constraints core datasets device distribution "
    "dtype_policies initializers kernels layers losses metrics models ops optimizers preprocessing random regularizers "
    "saving training tree utils visualization wrappers".split()
)
_NAMES = {
    "DTypePolicy": "dtype_policies",
    "FloatDTypePolicy": "dtype_policies",
    "Function": "core.symbolic",
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
_PRIVATE = {"core", "kernels", "compat", "training"}
_MISSING = {"applications", "distribution", "visualization", "wrappers"}  # Keras's packages that are not here yet
__all__ = tuple(sorted({*_NAMES, *(_PACKAGES - _PRIVATE - _MISSING), "version", "__version__"}))


def version() -> str:
    """The version of kerasish."""
    return _VERSION


def __getattr__(name: str):
    if name in _NAMES:
        value = getattr(importlib.import_module(f"kerasish.{_NAMES[name]}"), name)
    elif name in _PACKAGES:
        try:
            value = importlib.import_module(f"kerasish.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"kerasish.{name}":
                raise
            raise AttributeError(f"keras.{name} is not in kerasish yet") from None
    else:
        raise AttributeError(f"module 'kerasish' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
