"""Scripts, run unmodified under both: what they print is equal."""

import tempfile
from pathlib import Path

from parity.case import register
from parity.compare import same_text
from parity.scripts import outputs


def compare_scripts(case):
    """The printed output of a script."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "script.py"
        path.write_text(case.build(None), encoding="utf-8")
        return [same_text("printed", *outputs(str(path)))]


def script(name):
    return register(compare_scripts, "scripts", name)


@script("summary of a Conv2D on 200 x 200 images")
def _conv2d(_):
    return """\
from tensorflow.python import keras
from keras.models import Sequential
from keras.layers import Conv2D
Sequential([Conv2D(input_shape=(200, 200, 3), filters=10, kernel_size=5, strides=1)]).summary()
"""


@script("tf.keras, functional, summary options")
def _tf_keras(_):
    return """\
import tensorflow as tf
from tensorflow.keras import layers
x = tf.keras.Input((8, 8, 3), name="x")
inner = tf.keras.Sequential([layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D()], name="inner")
y = layers.Dense(2)(layers.Flatten()(inner(x)))
model = tf.keras.Model(x, y, name="m")
model.summary(expand_nested=True, show_trainable=True)
model.summary(layer_range=["x", "flatten"])
print(model.count_params(), model.output_shape)
"""
