"""Names of Numba's that are imported when they are first used, so that kernels can be loaded without it."""

import importlib
from typing import Any


class Lazy:
    """Stands for a module."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(importlib.import_module(self._name), name)
        setattr(self, name, value)
        return value


numba, types = Lazy("numba"), Lazy("numba.types")
