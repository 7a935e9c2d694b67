"""A layer with kernels of one's own, forward and backward: it shrinks what is small to zero, by learned thresholds.

python examples/own_kernel.py [--quick]
"""

import sys

import numpy as np

import kerasish as keras
from kerasish import layers, ops
from kerasish.device.jit import njit, prange

quick = "--quick" in sys.argv
keras.utils.set_random_seed(0)
ROWS = 256  # of a task


@njit(parallel=True)
def shrink_kernel(tasks, y, x, t):
    """x, y (N, C), t (C): y = x - t above t, x + t below -t, else 0"""
    N, C = x.shape
    for task in prange(tasks):
        for n in range(task * ROWS, min(N, (task + 1) * ROWS)):
            for c in range(C):
                y[n, c] = max(x[n, c] - t[c], 0) + min(x[n, c] + t[c], 0)


@njit(parallel=True)
def shrink_grad_kernel(tasks, gx, parts, gy, x, t):
    """gx, gy, x (N, C), t (C), parts (tasks, C): each task adds up its own part of the gradient of t"""
    N, C = x.shape
    for task in prange(tasks):
        for c in range(C):
            parts[task, c] = 0
        for n in range(task * ROWS, min(N, (task + 1) * ROWS)):
            for c in range(C):
                gx[n, c] = gy[n, c] if abs(x[n, c]) > t[c] else 0
                parts[task, c] += gx[n, c] if x[n, c] < 0 else -gx[n, c]


def shrink(x, t):
    y = np.empty_like(x)
    rows = x.reshape(-1, x.shape[-1])
    shrink_kernel(-(-len(rows) // ROWS), y.reshape(rows.shape), rows, t)
    return y


def shrink_grad(gy, x, t):
    gx, rows = np.empty_like(x), x.reshape(-1, x.shape[-1])
    parts = np.empty((-(-len(rows) // ROWS), len(t)), x.dtype)
    shrink_grad_kernel(len(parts), gx.reshape(rows.shape), parts, gy.reshape(rows.shape), rows, t)
    return gx, parts.sum(0)


shrink_op = ops.numba_op(shrink, shrink_grad, output_spec=lambda x, t: x.shape)
noise = np.random.default_rng(0).standard_normal((2, 3, 3, 5))
print(ops.check_gradients(shrink_op, noise, np.full(5, 0.4)))


class Shrink(layers.Layer):
    def build(self, input_shape):
        self.threshold = self.add_weight(shape=input_shape[-1:], initializer=keras.initializers.Constant(0.1))

    def call(self, inputs):
        return shrink_op(inputs, self.threshold)


(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist_small.load_data()
x_train, x_test = x_train[: 512 if quick else None, ..., None] / np.float32(255), x_test[..., None] / np.float32(255)
model = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(16, 3, strides=2), Shrink(), layers.Conv2D(32, 3, 2)])
for layer in (Shrink(), layers.Flatten(), layers.Dense(10, activation="softmax")):
    model.add(layer)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train[: len(x_train)], batch_size=64, epochs=3 if quick else 10, validation_split=0.1)
print(f"Test accuracy: {model.evaluate(x_test, y_test, verbose=0)[1]:.3f}")
