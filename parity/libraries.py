"""The two libraries, side by side. Real Keras runs on TensorFlow, on the CPU, in float32; kerasish where it is told.

On a card, where TensorFlow is seldom at hand, kerasish on the CPU can stand for real Keras: that the two are equal is
what the suite shows without a card.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

CPU = "cpu:0"
CARD_TOLERANCE = 1e-4  # sums in another order, other exponentials; where a case asks for equal bits, so does the card
_chosen = {"device": CPU}


class Side(NamedTuple):
    """A library; `device` is None for real Keras."""

    keras: Any
    device: str | None

    def at(self) -> contextlib.AbstractContextManager:
        """The context in which it makes its tensors."""
        return contextlib.nullcontext() if self.device is None else ours().device(self.device)


def use(device: str) -> None:
    """Let kerasish run on a device; a card multiplies in float32."""
    _chosen["device"] = device
    if device != CPU:
        ours().config.set_gpu_precision("float32")


def on_card() -> bool:
    """Whether kerasish runs on a card."""
    return _chosen["device"] != CPU


def has_twin() -> bool:
    """Whether kerasish on the CPU stands for real Keras, which cannot be imported."""
    return on_card() and not (installed("tensorflow") and installed("keras"))


def installed(name: str) -> bool:
    """Whether a package can be imported."""
    return importlib.util.find_spec(name) is not None


def tolerated(tolerance: float) -> float:
    """A case's tolerance on the device that is used."""
    return max(tolerance, CARD_TOLERANCE) if on_card() and tolerance else tolerance


@functools.cache
def real():
    """Real Keras."""
    if not on_card():
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras
        import tensorflow as tf
    tf.get_logger().setLevel("ERROR")
    tf.config.set_visible_devices([], "GPU")
    return keras


@functools.cache
def tensorflow():
    """TensorFlow, for its tape."""
    real()
    import tensorflow as tf

    return tf


@functools.cache
def ours():
    """kerasish."""
    import kerasish

    return kerasish


def sides() -> tuple[Side, Side]:
    """Keras, or who stands for it, and kerasish."""
    theirs = Side(ours(), CPU) if has_twin() else Side(real(), None)
    return theirs, Side(ours(), _chosen["device"])


def each(function: Callable[[Any], Any]) -> list:
    """What a function of the module gives in either library, with fresh names."""
    results = []
    for side in sides():
        with side.at():
            side.keras.utils.clear_session()
            results.append(function(side.keras))
    return results


def theirs_at() -> contextlib.AbstractContextManager:
    """The context for what Keras made."""
    return sides()[0].at()


def ours_at() -> contextlib.AbstractContextManager:
    """The context for what kerasish made."""
    return sides()[1].at()
