"""The same script with the same seed in both libraries: initial weights, losses, curves."""

import numpy as np

from parity.case import Finding, register
from parity.compare import same
from parity.libraries import each


def images(count=512):
    """Real pictures, as the demo has them: x (N, 28, 28, 1) in [0, 1], labels (N,)."""
    from kerasish.datasets import fashion_mnist_small

    (x, y), _ = fashion_mnist_small.load_data()
    return x[:count, ..., None].astype("float32") / 255.0, y[:count].astype("int64")


def compare_training(case):
    """Initial weights equal to the bit (uniform ones), and the history of a fit within a tolerance.

    The builder returns a compiled model and the arguments of fit, which shuffles as it does by default. Options: epochs
    (3), tolerance (1e-5: sums in another order, carried through some dozens of steps).
    """
    tolerance = case.options.get("tolerance", 1e-5)
    initial, histories = zip(*each(lambda keras: _trained(keras, case)))
    findings = [
        same("initial weights", True, all(np.array_equal(a, b) for a, b in zip(*initial))),
        same("history keys", list(histories[0]), list(histories[1])),
    ]
    for key in histories[0]:
        want, got = (np.asarray(h[key]) for h in histories)
        error = float(np.max(np.abs(want - got) / np.maximum(np.abs(want), 1e-2)))
        findings.append(_within(key, error, tolerance))
    return findings


def _trained(keras, case):
    """The initial weights, and the history of a fit."""
    keras.utils.set_random_seed(case.options.get("seed", 812))
    model, arguments = case.build(keras)
    initial = [np.array(w) for w in model.get_weights()]
    history = model.fit(**arguments, epochs=case.options.get("epochs", 3), verbose=0)
    return initial, history.history


def _within(what, error, tolerance):
    return Finding(
        what,
        error <= tolerance,
        error,
        "" if error <= tolerance else f"relative difference {error:.1e} > {tolerance:.0e}",
    )


def training(name, **options):
    return register(compare_training, "training", name, **options)


def convnet(keras):
    L = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            L.Conv2D(8, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dropout(0.5),
            L.Dense(10, activation="softmax"),
        ]
    )


@training("convnet, dropout, Adam, same seed")
def _convnet(keras):
    model = convnet(keras)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = images()
    return model, {"x": x, "y": y, "batch_size": 64}


@training("each family of kernels, Adam, three steps")
def each_family(keras):
    L = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            L.Conv2D(8, 3, strides=2, use_bias=False),
            L.BatchNormalization(),
            L.ReLU(),
            L.DepthwiseConv2D(3, padding="same"),
            L.MaxPooling2D(),
            L.Conv2D(12, 3, activation="relu"),
            L.Flatten(),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    x, y = images(64)
    return model, {"x": x, "y": y, "batch_size": 64}


@training("one-hot targets, validation split, SGD with momentum")
def _validation(keras):
    model = convnet(keras)
    model.compile(
        optimizer=keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        loss="categorical_crossentropy",
        metrics=["accuracy", "auc"],
    )
    x, y = images(400)
    return model, {"x": x, "y": keras.utils.to_categorical(y, 10), "batch_size": 32, "validation_split": 0.2}


@training("batch normalization, RMSprop")
def _normalized(keras):
    L = keras.layers
    x = keras.Input((28, 28, 1))
    y = L.Conv2D(8, 3, use_bias=False)(x)
    y = L.ReLU()(L.BatchNormalization()(y))
    y = L.Dense(10)(L.GlobalAveragePooling2D()(y))
    model = keras.Model(x, y)
    model.compile("rmsprop", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    images_, labels = images(256)
    return model, {"x": images_, "y": labels, "batch_size": 32}


@training("sample and class weights, AdamW, regularizers")
def _weighted(keras):
    L = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            L.Flatten(),
            L.Dense(32, "relu", kernel_regularizer="l2"),
            L.Dense(10, "softmax", activity_regularizer="l1"),
        ]
    )
    model.compile(keras.optimizers.AdamW(0.002), "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    x, y = images(256)
    return model, {"x": x, "y": y, "batch_size": 64, "sample_weight": np.linspace(0.5, 1.5, len(x)).astype("float32")}


@training("two outputs, losses by name")
def _two_outputs(keras):
    L = keras.layers
    x = keras.Input((28, 28, 1))
    h = L.Dense(24, activation="relu")(L.Flatten()(x))
    model = keras.Model(
        x, {"label": L.Dense(10, activation="softmax", name="label")(h), "mean": L.Dense(1, name="mean")(h)}
    )
    model.compile(
        "adam",
        loss={"label": "sparse_categorical_crossentropy", "mean": "mse"},
        loss_weights={"label": 1.0, "mean": 2.0},
        metrics={"label": ["accuracy"], "mean": ["mae"]},
    )
    pictures, labels = images(256)
    return model, {"x": pictures, "y": {"label": labels, "mean": pictures.mean((1, 2))}, "batch_size": 64}


@training("learning rate schedule, clipped gradients, Adagrad")
def _scheduled(keras):
    model = convnet(keras)
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 4, 0.9)
    model.compile(keras.optimizers.Adagrad(rate, global_clipnorm=1.0), "sparse_categorical_crossentropy")
    x, y = images(256)
    return model, {"x": x, "y": y, "batch_size": 64, "class_weight": {0: 2.0, 3: 0.5}}


def small(keras):
    L = keras.layers
    return keras.Sequential(
        [keras.Input((28, 28, 1)), L.Flatten(), L.Dense(16, "relu"), L.Dropout(0.2), L.Dense(10, "softmax")]
    )


@training("samples shuffled within batches, twice as many as a step takes")
def _shuffled_within_batches(keras):
    model = small(keras)
    model.compile("adam", "sparse_categorical_crossentropy", steps_per_execution=2)
    x, y = images(200)
    return model, {"x": x, "y": y, "shuffle": "batch", "sample_weight": np.linspace(0.1, 2, 200).astype("float32")}


@training("a PyDataset whose batches are shuffled and drawn at random")
def _shuffled_py_dataset(keras):
    x, y = images(200)

    class Noisy(keras.utils.PyDataset):
        def __len__(self):
            return 10

        def __getitem__(self, i):
            rows = slice(20 * i, 20 * i + 20)
            return x[rows] + np.random.uniform(0, 0.1, x[rows].shape).astype("float32"), y[rows]

    model = small(keras)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, {"x": Noisy()}


@training("a data set with a buffer that shuffles, evaluated on another one")
def _shuffled_data_set(keras):
    if hasattr(keras.utils, "Dataset"):
        Dataset = keras.utils.Dataset
    else:
        from tensorflow.data import Dataset
    x, y = images(300)
    model = small(keras)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    train = Dataset.from_tensor_slices((x[:200], y[:200])).shuffle(50).batch(16)
    return model, {"x": train, "validation_data": Dataset.from_tensor_slices((x[200:], y[200:])).shuffle(9).batch(32)}


@training("windows of a time series, shuffled")
def _shuffled_windows(keras):
    series = np.sin(np.arange(400) / 9).astype("float32")
    windows = keras.utils.timeseries_dataset_from_array(
        series, series[12:], sequence_length=12, batch_size=8, shuffle=True, seed=5
    )
    model = keras.Sequential([keras.Input((12,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model, {"x": windows}
