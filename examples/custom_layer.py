"""A layer, a callback and a learning rate of one's own; saved, and loaded again.

python examples/custom_layer.py [--quick]
"""

import os
import sys
import tempfile

import numpy as np

import kerasish as keras
from kerasish import layers, ops

quick = "--quick" in sys.argv
keras.utils.set_random_seed(0)


@keras.saving.register_keras_serializable(package="examples")
class SqueezeAndExcite(layers.Layer):
    """Weighs every channel by how much the whole picture calls for it."""

    def __init__(self, ratio=4, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, input_shape):
        channels = input_shape[-1]
        hidden = max(channels // self.ratio, 1)
        self.squeeze = self.add_weight(shape=(channels, hidden), initializer="he_normal", name="squeeze")
        self.excite = self.add_weight(shape=(hidden, channels), initializer="glorot_uniform", name="excite")

    def call(self, inputs):
        summary = ops.mean(inputs, axis=(1, 2))
        weights = ops.sigmoid(ops.relu(summary @ self.squeeze) @ self.excite)
        return inputs * ops.reshape(weights, (-1, 1, 1, inputs.shape[-1]))

    def get_config(self):
        return {**super().get_config(), "ratio": self.ratio}


class BestEpoch(keras.callbacks.Callback):
    """Remembers which epoch was best."""

    def on_train_begin(self, logs=None):
        self.best = (0.0, 0)

    def on_epoch_end(self, epoch, logs=None):
        self.best = max(self.best, (logs["val_accuracy"], epoch + 1))


(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist_small.load_data()
x_train, x_test = x_train[..., None] / np.float32(255), x_test[..., None] / np.float32(255)
if quick:
    x_train, y_train = x_train[:512], y_train[:512]

model = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(16, 3, strides=2, activation="relu")])
model.add(SqueezeAndExcite())
model.add(layers.Conv2D(32, 3, strides=2, activation="relu"))
model.add(SqueezeAndExcite(ratio=8))
model.add(layers.Flatten())
model.add(layers.Dense(10, activation="softmax"))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

best = BestEpoch()
stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
slow_down = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch < 5 else rate * 0.7)
callbacks = [best, stop, slow_down]
model.fit(x_train, y_train, batch_size=64, epochs=1 if quick else 10, validation_split=0.1, callbacks=callbacks)
print(f"Best epoch: {best.best[1]}, validation accuracy {best.best[0]:.3f}")

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "model.keras")
    model.save(path)
    restored = keras.models.load_model(path)
print("Same predictions:", np.array_equal(restored.predict(x_test, verbose=0), model.predict(x_test, verbose=0)))
