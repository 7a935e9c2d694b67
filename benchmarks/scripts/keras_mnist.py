"""A whole script, as people write it: `python keras_mnist.py keras` or `python keras_mnist.py kerasish`."""

import importlib
import sys

import numpy as np

keras = importlib.import_module(sys.argv[1])
layers = keras.layers
x = np.random.default_rng(0).random((6400, 28, 28, 1), dtype="float32")
y = (10 * x.mean((1, 2, 3))).astype("int32")
model = keras.Sequential([keras.Input((28, 28, 1))])
for filters in (32, 64):
    model.add(layers.Conv2D(filters, 3, activation="relu"))
    model.add(layers.MaxPooling2D(2))
for layer in (layers.Flatten(), layers.Dropout(0.5), layers.Dense(10, activation="softmax")):
    model.add(layer)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=128, epochs=1, verbose=0)
