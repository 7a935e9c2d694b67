"""How a model was compiled comes back from every kind of file, as Keras writes it and in both directions."""

import json
import os
import warnings

import h5py
import keras
import numpy as np
import pytest

import kerasish

from .models_in_both import fill

BOTH = (kerasish, keras)


def one(k):
    return k.Sequential([k.Input((4,)), k.layers.Dense(3, activation="softmax", name="d")])


def two(k):
    x = k.Input((4,), name="x")
    return k.Model(x, [k.layers.Dense(3, name="a")(x), k.layers.Dense(2, name="b")(x)])


def custom(k):
    """Objects of the user's own, some of them registered."""

    def gap(y, p):
        return k.ops.mean(k.ops.square(y - p), axis=-1)

    class Gap(k.losses.Loss):
        def __init__(self, factor=2.0, name="gap_loss", **kwargs):
            super().__init__(name=name, **kwargs)
            self.factor = factor

        def call(self, y, p):
            return self.factor * gap(y, p)

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    class Mine(k.metrics.Mean):
        def update_state(self, y, p, sample_weight=None):
            return super().update_state(gap(y, p))

    class Descent(k.optimizers.SGD):
        pass

    return {"gap": gap, "Gap": Gap, "Mine": Mine, "Descent": Descent}


def registered(k):
    register = k.saving.register_keras_serializable(package="compiled")
    return {name: register(thing) for name, thing in custom(k).items()}


LOOSE = {k: custom(k) for k in BOTH}
REGISTERED = {k: registered(k) for k in BOTH}


def of_the_users(things):
    def arguments(k):
        own = things[k]
        metrics = [own["Mine"](name="mine"), own["gap"]]
        return {"optimizer": own["Descent"](0.1, momentum=0.5), "loss": own["Gap"](3.0), "metrics": metrics}

    return arguments


def objects(k):
    return {
        "optimizer": k.optimizers.SGD(0.25, momentum=0.9, nesterov=True),
        "loss": k.losses.CategoricalCrossentropy(label_smoothing=0.1),
        "metrics": [k.metrics.CategoricalAccuracy(name="x"), k.metrics.TopKCategoricalAccuracy(2)],
    }


def functions(k):
    rate = k.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    metrics = [k.metrics.mean_absolute_error]
    return {"optimizer": k.optimizers.Adam(rate), "loss": k.losses.mean_squared_error, "metrics": metrics}


def options(k):
    rate = {"clipnorm": 1.0, "use_ema": True, "ema_overwrite_frequency": 3, "gradient_accumulation_steps": 2}
    return {"optimizer": k.optimizers.Adam(0.1, weight_decay=0.01, name="mine", **rate), "loss": "mse"}


def by_dict(k):
    return {
        "optimizer": "adam",
        "loss": {"a": "mse", "b": k.losses.MeanAbsoluteError()},
        "loss_weights": {"a": 1.0, "b": 0.25},
        "metrics": {"a": "mae", "b": [k.metrics.MeanSquaredError(), "mae"]},
        "weighted_metrics": {"b": ["mse"]},
    }


def fixed(**arguments):
    return lambda k: arguments


LISTS = {"loss": ["mse", "mae"], "loss_weights": [1.0, 0.5], "metrics": [["mae"], ["mse"]]}
ROWS = {
    "names": (one, fixed(optimizer="adam", loss="mse", metrics=["mae"])),
    "names in capitals": (one, fixed(optimizer="SGD", loss="MSE", metrics=["MAE"])),
    "long names": (one, fixed(optimizer="adamw", loss="mean_squared_error", metrics=["mean_absolute_error"])),
    "names by shape": (one, fixed(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy", "acc"])),
    "objects": (one, objects),
    "functions": (one, functions),
    "weighted": (one, fixed(optimizer="nadam", loss="mse", loss_weights=0.5, weighted_metrics=["mse"])),
    "lists": (two, fixed(optimizer="adam", weighted_metrics=[["mae"], []], **LISTS)),
    "dicts": (two, by_dict),
    "registered": (one, of_the_users(REGISTERED)),
    "not registered": (one, of_the_users(LOOSE)),
    "options of the optimizer": (one, options),
    "loss scale": (one, lambda k: {"optimizer": k.optimizers.LossScaleOptimizer(k.optimizers.SGD(0.1)), "loss": "mse"}),
    "options of compile": (one, fixed(optimizer="adam", loss="mse", run_eagerly=True, steps_per_execution=3)),
    "jit": (one, fixed(optimizer="adam", loss="mse", jit_compile=True)),
    "a dict as optimizer": (one, fixed(optimizer={"class_name": "sgd", "config": {"learning_rate": 0.3}}, loss="mse")),
    "nothing": (one, fixed()),
}
# Real Keras cannot read these of its own `.h5` files: "mse" and "mae" are classes to it there.
UNREADABLE = frozenset(ROWS) - {"objects", "names by shape", "long names", "functions", "nothing", "not registered"}


def compiled(k, row, rate=None):
    """The row's model with a learning rate set after compile() and an optimizer that holds something."""
    k.utils.clear_session()
    builder, arguments = ROWS[row]
    model = builder(k)
    fill(model.weights)
    model.compile(**arguments(k))
    model.optimizer.build(model.trainable_variables)
    if rate is not None and row != "functions":
        model.optimizer.learning_rate = rate
    floats = [v for v in model.optimizer.variables if "float" in str(v.dtype) and len(v.shape)]
    fill(floats, seed=1)
    return model


def told(model):
    config = json.dumps(model.get_compile_config()).replace("kerasish", "keras")
    return json.loads(config.replace(__name__, "tests"))


def quietly(call, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*args, **kwargs)


@pytest.mark.parametrize("row", ROWS)
def test_the_config_is_keras_own(row):
    ours, theirs = (told(compiled(k, row, rate=0.25)) for k in BOTH)
    assert ours == theirs and list(ours) == list(theirs)


@pytest.mark.parametrize("row", ROWS)
def test_the_training_config_in_h5_is_keras_own(row, tmp_path):
    configs = []
    for k in BOTH:
        path = str(tmp_path / f"{k.__name__}.h5")
        quietly(compiled(k, row, rate=0.25).save, path)
        with h5py.File(path) as file:
            configs.append(json.loads(file.attrs["training_config"]))
    assert configs[0] == configs[1] and list(configs[0]) == list(configs[1])


def crossings():
    for kind in ("keras", "h5"):
        for row in ROWS:
            yield pytest.param(row, kind, kerasish, kerasish, id=f"{kind}-{row}-again")
            yield pytest.param(row, kind, keras, kerasish, id=f"{kind}-{row}-from Keras")
            if kind == "keras" or row not in UNREADABLE:
                yield pytest.param(row, kind, kerasish, keras, id=f"{kind}-{row}-to Keras")


@pytest.mark.parametrize("row, kind, writer, reader", list(crossings()))
def test_it_comes_back(row, kind, writer, reader, tmp_path):
    source, path = compiled(writer, row, rate=0.25), str(tmp_path / f"model.{kind}")
    expected = told(source)  # before it is saved: Keras drops the optimizer from it while saving .h5
    if kind == "h5" and row == "functions":  # such files name functions
        expected |= {"loss": "mean_squared_error", "metrics": ["mean_absolute_error"]}
    quietly(source.save, path)
    known = LOOSE[reader] if row == "not registered" else None
    again = quietly(reader.saving.load_model, path, custom_objects=known)
    if kind == "h5" and reader is keras:  # Keras reads functions for names, and leaves the rest of the options
        expected, found = expected["optimizer"], told(again)["optimizer"]
    else:
        found = told(again)
    assert found == expected
    if kind == "h5" and reader is keras:  # nor does it restore the optimizer
        return
    for a, b in zip(source.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(a.numpy()), np.asarray(b.numpy()), err_msg=a.path)


def step(model):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(8, 4)).astype("float32"), np.eye(3, dtype="float32")[rng.integers(0, 3, 8)]
    if len(model.outputs) == 2:
        y = [y, rng.normal(size=(8, 2)).astype("float32")]
    return [model.train_on_batch(x, y, return_dict=True) for _ in range(2)]


@pytest.mark.parametrize("kind", ["keras", "h5"])
@pytest.mark.parametrize("row", ["names", "objects", "functions", "lists", "dicts", "registered"])
def test_training_goes_on(row, kind, tmp_path):
    source, path = compiled(kerasish, row, rate=0.25), str(tmp_path / f"model.{kind}")
    source.save(path)
    again = kerasish.saving.load_model(path)
    assert step(again) == step(source)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["keras", "h5"])
@pytest.mark.parametrize("row", ["names", "objects", "functions", "lists", "dicts", "registered"])
def test_training_goes_on_from_keras(row, kind, tmp_path):
    source, path = compiled(keras, row, rate=0.25), str(tmp_path / f"model.{kind}")
    quietly(source.save, path)
    again = kerasish.saving.load_model(path)
    if kind == "h5":  # Keras has dropped its own optimizer's config, not the optimizer
        assert source.optimizer is not None
    for ours, theirs in zip(step(again), step(source), strict=True):
        assert list(ours) == list(theirs)
        np.testing.assert_allclose(list(ours.values()), list(theirs.values()), rtol=1e-5)


def unheard(y, p):
    return kerasish.ops.mean(kerasish.ops.abs(y - p), axis=-1)


@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_a_loss_that_nobody_knows_is_named(kind, tmp_path):
    path = str(tmp_path / f"model.{kind}")
    model = one(kerasish)
    model.compile("adam", unheard)
    model.optimizer.build(model.trainable_variables)
    model.save(path)
    with pytest.raises(TypeError, match="Could not locate function 'unheard'"):
        kerasish.saving.load_model(path)
    assert kerasish.saving.load_model(path, custom_objects={"unheard": unheard}).loss is unheard
    with kerasish.saving.custom_object_scope({"unheard": unheard}):
        assert kerasish.saving.load_model(path).loss is unheard


def test_h5_makes_its_folder(tmp_path):
    for k in BOTH:
        path = tmp_path / k.__name__ / "deep" / "model.h5"
        quietly(one(k).save, str(path))
        assert os.path.isfile(path)
