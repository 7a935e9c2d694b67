"""Networks that the emulator manages."""

from benchmarks.gpu.networks import Training


def little(keras):
    L = keras.layers
    x = keras.Input((6, 6, 3))
    y = L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 3)(L.ZeroPadding2D(1)(x))))
    y = L.Flatten()(L.MaxPooling2D(2)(y))
    return keras.Model(x, L.Dense(5, activation="softmax")(y))


LITTLE = Training(little, (6, 6, 3), 5, 4)


def without_convolutions(keras):
    """For pictures of 28x28."""
    L = keras.layers
    parts = [L.MaxPooling2D(7), L.Flatten(), L.Dropout(0.5), L.Dense(10, activation="softmax")]
    return keras.Sequential([keras.Input((28, 28, 1)), *parts])
