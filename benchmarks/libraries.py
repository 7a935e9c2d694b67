"""The contestants, and how a process becomes one of them. Importing this imports none of them."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Library(NamedTuple):
    """A contestant.

    Attributes:
        name: as on the command line.
        title: as in the table.
        kind: how it is driven: "keras" (the workload's builder is called with its module), "torch" or "onnx" (they
            walk the graph of the model that kerasish built).
        module: what it imports.
        packages: what must be installed.
        environment: variables that choose it.
    """

    name: str
    title: str
    kind: str
    module: str
    packages: tuple[str, ...]
    environment: dict[str, str]

    @property
    def trains(self) -> bool:
        """Whether it can fit a model."""
        return self.kind != "onnx"

    @property
    def is_installed(self) -> bool:
        """Whether all it needs can be imported."""
        return all(importlib.util.find_spec(package) for package in self.packages)


def _keras_on(backend: str, title: str) -> Library:
    environment = {"KERAS_BACKEND": backend}
    return Library(f"keras-{backend}", f"Keras on {title}", "keras", "keras", ("keras", backend), environment)


LIBRARIES = {
    library.name: library
    for library in (
        Library("kerasish", "kerasish", "keras", "kerasish", ("numba",), {}),
        _keras_on("tensorflow", "TensorFlow"),
        _keras_on("jax", "JAX"),
        _keras_on("torch", "PyTorch"),
        Library("torch", "PyTorch", "torch", "torch", ("torch",), {}),
        Library("onnxruntime", "ONNX Runtime", "onnx", "onnxruntime", ("onnxruntime", "onnx"), {}),
    )
}


def environment_of(library: Library) -> dict[str, str]:
    """The variables of a contestant's process: the CPU, a quiet log, and threads as the library chooses them."""
    ours = {
        "CUDA_VISIBLE_DEVICES": "-1",
        "JAX_PLATFORMS": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p),
    }
    inherited = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    return {**inherited, **ours, **library.environment}
