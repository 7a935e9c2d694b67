"""A small residual network with batch normalization, on 32x32 colour pictures like CIFAR's.

With `--cifar` it trains on CIFAR-10 itself (170 MB to download); otherwise on the packaged pictures, padded and tinted.

python examples/small_resnet.py [--quick] [--cifar]
"""

import sys

import numpy as np

import kerasish as keras
from kerasish import layers

quick = "--quick" in sys.argv
keras.utils.set_random_seed(0)


def load_data():
    if "--cifar" in sys.argv:
        return keras.datasets.cifar10.load_data()
    tints = np.array([[1.0, 0.9, 0.8], [0.8, 1.0, 0.9], [0.9, 0.8, 1.0]])
    splits = []
    for x, y in keras.datasets.fashion_mnist_small.load_data():
        x = np.pad(x, ((0, 0), (2, 2), (2, 2)))
        splits.append(((x[..., None] * tints[np.arange(len(x)) % 3, None, None]).astype("uint8"), y))
    return splits


def residual_block(x, filters, stride=1):
    shortcut = x
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    if stride != 1 or shortcut.shape[-1] != filters:
        shortcut = layers.Conv2D(filters, 1, strides=stride, use_bias=False)(shortcut)
        shortcut = layers.BatchNormalization()(shortcut)
    return layers.ReLU()(layers.Add()([x, shortcut]))


(x_train, y_train), (x_test, y_test) = load_data()
if quick:
    x_train, y_train, x_test, y_test = x_train[:128], y_train[:128], x_test[:64], y_test[:64]

inputs = keras.Input((32, 32, 3))
x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
x = layers.Conv2D(16, 3, padding="same", use_bias=False)(x)
x = layers.BatchNormalization()(x)
x = layers.ReLU()(x)
for filters, stride in ((16, 1), (32, 2), (64, 2)):
    x = residual_block(x, filters, stride)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(10)(x)
model = keras.Model(inputs, outputs, name="small_resnet")
model.summary()

model.compile(
    optimizer=keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=1e-4),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
plateau = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.3, patience=1)
model.fit(
    x_train, y_train, batch_size=64, epochs=1 if quick else 6, validation_data=(x_test, y_test), callbacks=[plateau]
)
print(f"Test accuracy: {model.evaluate(x_test, y_test, verbose=0)[1]:.3f}")
