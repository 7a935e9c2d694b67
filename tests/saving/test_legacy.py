"""Keras 2's `.h5` files and configs."""

import json

import h5py
import keras
import numpy as np
import pytest

import kerasish
from kerasish.saving.legacy_config import upgrade

from .models_in_both import MODELS, arrays, assert_same_predictions, assert_same_weights, build, chain

BOTH_WAYS = [(kerasish, keras), (keras, kerasish)]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "model.h5")


@pytest.mark.parametrize("writer, reader", BOTH_WAYS, ids=["ours", "theirs"])
@pytest.mark.parametrize("builder", [b for name, b in MODELS.items() if name != "with ops"])
def test_whole_models_cross(builder, writer, reader, path):
    # Keras cannot read "mse" and its like back from an .h5 file.
    source = build(writer, builder, compiled=True, loss="mean_squared_error")
    source.save(path)
    target = reader.saving.load_model(path)
    assert_same_weights(source, target)
    if reader is kerasish:  # Keras leaves the optimizer's state in the file
        for one, other in zip(arrays(source.optimizer.variables), arrays(target.optimizer.variables), strict=True):
            np.testing.assert_array_equal(one, other)
    assert_same_predictions(*((source, target) if writer is kerasish else (target, source)))


def test_weights_alone(path):
    source, target = build(keras, chain), chain(kerasish)
    source.save(path)
    target.load_weights(path)
    assert_same_weights(source, target)
    assert not hasattr(kerasish.saving.load_model(path, compile=False), "optimizer")


def longer(k):
    return k.Sequential([k.Input((4,)), k.layers.Dense(3, name="dense"), k.layers.Dense(2, name="head2")])


def test_by_name(path):
    source = build(kerasish, chain)
    source.save(path)
    target = build(kerasish, longer)
    report = kerasish.saving.load_weights(target, path, by_name=True)
    np.testing.assert_array_equal(target.layers[0].kernel.numpy(), source.layers[0].kernel.numpy())
    assert list(report.loaded) == ["dense"] and "head" in report.unused


def test_by_name_that_finds_nothing(path):
    build(kerasish, chain).save(path)
    target = kerasish.Sequential([kerasish.Input((4,)), kerasish.layers.Dense(2, name="other")])
    with pytest.raises(ValueError, match="found no layer to load"):
        target.load_weights(path, by_name=True)


def test_layer_count(path):
    build(keras, chain).save(path)
    for k in (kerasish, keras):
        with pytest.raises(ValueError, match="Layer count mismatch when loading weights from file. Model expected 2"):
            build(k, longer).load_weights(path)


def test_a_file_of_weights_is_no_model(path):
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([b"dense"])
    for k in (kerasish, keras):
        with pytest.raises(ValueError, match="No model config found"):
            k.saving.load_model(path)


def old(class_name, **config):
    return {"class_name": class_name, "config": config}


def old_zeros():
    return old("Zeros")


OLD_CHAIN = old(
    "Sequential",
    name="sequential",
    layers=[
        old("Conv2D", name="conv", filters=2, kernel_size=[3, 3], batch_input_shape=[None, 8, 8, 1], dtype="float32"),
        old("BatchNormalization", name="bn", axis=[3], fused=None, beta_initializer=old_zeros()),
        old("DepthwiseConv2D", name="depth", kernel_size=[2, 2], groups=1),
        old("Flatten", name="flatten"),
        old("Dense", name="dense", units=3, kernel_regularizer=old("L2", l2=0.5), bias_initializer=old_zeros()),
    ],
)
OLD_GRAPH = old(
    "Model",
    name="model",
    layers=[
        {**old("InputLayer", batch_input_shape=[None, 4], dtype="float32", name="a"), "name": "a", "inbound_nodes": []},
        {**old("Dense", units=4, name="d"), "name": "d", "inbound_nodes": [[["a", 0, 0, {}]]]},
        {**old("Add", name="sum"), "name": "sum", "inbound_nodes": [[["a", 0, 0, {}], ["d", 0, 0, {}]]]},
    ],
    input_layers=[["a", 0, 0]],
    output_layers=[["sum", 0, 0]],
)


def test_old_chain():
    model = kerasish.models.model_from_json(json.dumps({**OLD_CHAIN, "keras_version": "2.11.0"}))
    assert model.output_shape == (None, 3) and model.layers[1].axis in (3, -1)
    assert model.layers[-1].kernel_regularizer.get_config() == {"l2": 0.5}


def test_old_graph():
    model = kerasish.models.model_from_json(json.dumps(OLD_GRAPH))
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), x + x @ model.layers[1].kernel.numpy(), rtol=1e-5)


def test_old_lambdas_are_refused():
    layer = old("Lambda", name="lambda", function=["4wEA", None, None], function_type="lambda", arguments={})
    config = old("Sequential", name="s", layers=[old("InputLayer", batch_input_shape=[None, 2], name="i"), layer])
    with pytest.raises(ValueError, match="potential risk of arbitrary code execution"):
        kerasish.models.model_from_json(json.dumps(config))


def test_new_configs_are_left_alone():
    config = json.loads(build(keras, chain).to_json())
    assert upgrade(config) == config


REWRITES = {
    "tuples": (old("__tuple__") | {"items": [1, 2]}, {"class_name": "__tuple__", "config": {}, "items": [1, 2]}),
    "registered": (old("pkg>Mine", a=1), {"module": None, "class_name": "Mine", "registered_name": "pkg>Mine"}),
    "learning rate": (old("SGD", lr=0.1, decay=0.0), {"config": {"learning_rate": 0.1}}),
    "groups stay": (old("Conv2D", groups=2), {"config": {"groups": 2}}),
    "policy": (old("Policy", name="float32"), {"module": "keras", "class_name": "DTypePolicy"}),
}


@pytest.mark.parametrize("config, expected", list(REWRITES.values())[1:], ids=list(REWRITES)[1:])
def test_rewrites(config, expected):
    upgraded = upgrade(config)
    assert {key: upgraded[key] for key in expected} == expected


def test_tuples():
    assert upgrade({"a": {"class_name": "__tuple__", "items": [1, [2]]}}) == {"a": [1, [2]]}


def test_custom_classes_come_before_keras_own():
    for known in ({"Dense": kerasish.layers.EinsumDense}, {"Mine": kerasish.layers.Dense}):
        name = next(iter(known))
        upgraded = upgrade(old(name, units=1), custom_objects=known)
        assert upgraded["registered_name"] == name


class Doubled(kerasish.layers.Dense):
    def call(self, x):
        return 2 * super().call(x)


class Halves(kerasish.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return kerasish.ops.full(shape, 0.5, dtype=dtype)

    def get_config(self):
        return {}


class Little(kerasish.regularizers.Regularizer):
    def __call__(self, x):
        return 0.25 * kerasish.ops.sum(x)

    def get_config(self):
        return {}


class Positive(kerasish.constraints.Constraint):
    def __call__(self, w):
        return kerasish.ops.abs(w)


def bent(x):
    return kerasish.ops.sin(x)


def off(y, p):
    return kerasish.ops.mean(kerasish.ops.abs(y - p), axis=-1)


class Off(kerasish.metrics.Mean):
    def update_state(self, y, p, sample_weight=None):
        return super().update_state(off(y, p), sample_weight)


class Steady(kerasish.optimizers.SGD):
    pass


USERS = {thing.__name__: thing for thing in (Doubled, Halves, Little, Positive, bent, off, Off, Steady)}


def made_of_users():
    options = {"kernel_initializer": Halves(), "kernel_regularizer": Little(), "bias_constraint": Positive()}
    inner = kerasish.Sequential([kerasish.Input((3,)), Doubled(2, activation=bent, **options)], name="inner")
    x = kerasish.Input((4,))
    model = kerasish.Model(x, inner(Doubled(3)(x)))
    model.compile(Steady(0.5), off, metrics=[Off(name="off"), off])
    model.optimizer.build(model.trainable_variables)
    return model


def plain(config):
    """The config as Keras 2 wrote it: objects by class alone."""
    if isinstance(config, list):
        return [plain(item) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "function":
        return config["config"]
    dropped = ("module", "registered_name", "build_config") if "class_name" in config else ()
    return {key: plain(value) for key, value in config.items() if key not in dropped}


@pytest.mark.parametrize("as_keras_2", [False, True])
@pytest.mark.parametrize("scoped", [False, True])
def test_what_is_not_registered_is_found(scoped, as_keras_2, path):
    source = made_of_users()
    source.save(path)
    if as_keras_2:
        with h5py.File(path, "r+") as file:
            for name in ("model_config", "training_config"):
                file.attrs[name] = json.dumps(plain(json.loads(file.attrs[name])))
    with pytest.raises(ValueError, match="Doubled"):
        kerasish.saving.load_model(path)
    with pytest.raises(ValueError, match="Unknown|Could not"):
        keras.saving.load_model(path)
    if scoped:
        with kerasish.saving.custom_object_scope(USERS):
            again = kerasish.saving.load_model(path)
    else:
        again = kerasish.saving.load_model(path, custom_objects=USERS)
    layer = again.get_layer("inner").layers[-1]
    assert [type(x) for x in (layer, layer.kernel_initializer, layer.kernel_regularizer, layer.bias_constraint)] == [
        Doubled,
        Halves,
        Little,
        Positive,
    ]
    assert layer.activation is bent and again.loss is off and type(again.optimizer) is Steady
    x, y = np.ones((2, 4), "float32"), np.ones((2, 2), "float32")
    assert again.train_on_batch(x, y, return_dict=True) == source.train_on_batch(x, y, return_dict=True)


OPTIMIZERS = {
    "Adam": ({"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-6, "amsgrad": False}, 2),
    "SGD": ({"momentum": 0.9, "nesterov": True}, 1),
    "RMSprop": ({"rho": 0.8, "momentum": 0.0, "epsilon": 1e-6, "centered": False}, 1),
}


@pytest.mark.parametrize("rate_saved", [True, False])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_of_keras_2_12(name, rate_saved, path):
    """Keras 2.12 and tf_keras write `Custom>Adam` for their own, with arguments that are gone."""
    own, slots = OPTIMIZERS[name]
    gone = {"jit_compile": True, "is_legacy_optimizer": False, "weight_decay": None, "clipnorm": None}
    config = {"name": name, "learning_rate": 0.125, "use_ema": False, "ema_momentum": 0.99, **gone, **own}
    model = kerasish.Sequential([kerasish.Input((4,)), kerasish.layers.Dense(3, name="d")])
    model.save(path)
    rng = np.random.default_rng(0)
    shapes = [shape for shape in ((4, 3), (3,)) for _ in range(slots)]
    saved = {"iteration:0": np.int64(7), "learning_rate:0": np.float32(0.125)}
    if not rate_saved:
        saved.pop("learning_rate:0")
    saved |= {f"{name}/slot{i}:0": rng.random(shape).astype("float32") for i, shape in enumerate(shapes)}
    with h5py.File(path, "r+") as file:
        training = {"loss": "mse", "metrics": None, "weighted_metrics": None, "loss_weights": None}
        training["optimizer_config"] = {"class_name": f"Custom>{name}", "config": config}
        file.attrs["training_config"] = json.dumps(training)
        group = file.create_group("optimizer_weights")
        group.attrs["weight_names"] = [key.encode() for key in saved]
        for key, value in saved.items():
            group[key] = value
    again = kerasish.saving.load_model(path).optimizer
    assert type(again) is getattr(kerasish.optimizers, name) and int(again.iterations) == 7
    assert {key: again.get_config()[key] for key in own} == own and float(again.learning_rate) == 0.125
    for variable, value in zip(again.variables[2:], list(saved.values())[-len(shapes) :], strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_a_registered_class_keeps_the_package_custom(path):
    @kerasish.saving.register_keras_serializable()
    class RMSprop(kerasish.optimizers.SGD):
        pass

    try:
        config = upgrade(old("Custom>RMSprop", learning_rate=0.5), "keras.optimizers")
        assert type(kerasish.saving.deserialize_keras_object(config)) is RMSprop
    finally:
        kerasish.saving.get_custom_objects().pop("Custom>RMSprop")
