"""The two libraries, side by side. Real Keras runs on TensorFlow, on the CPU, in float32."""

from __future__ import annotations

import functools
import os
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


@functools.cache
def real():
    """Real Keras."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras
        import tensorflow as tf
    tf.get_logger().setLevel("ERROR")
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


def both():
    """Real Keras and kerasish, with fresh names."""
    pair = real(), ours()
    for keras in pair:
        keras.utils.clear_session()
    return pair
