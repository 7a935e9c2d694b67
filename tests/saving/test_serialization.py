"""Objects as dictionaries: the same ones that real Keras writes, and nothing but known classes on the way back."""

import json

import keras
import numpy as np
import pytest

import kerasish
from kerasish.saving import deserialize_keras_object, serialize_keras_object


def module_function(x):
    return x


VALUES = {
    "numbers": [1, 1.5, True, None, "text"],
    "numpy scalars": [np.float32(2), np.int64(3), np.bool_(True)],
    "array": np.arange(6.0).reshape(2, 3),
    "int array": np.arange(3, dtype="int8"),
    "bytes": b"text",
    "ellipsis": ...,
    "slice": slice(1, None, 2),
    "tuple": (1, (2, [3])),
    "dict": {"a": (1,), 2: {"b": ...}},
    "function": module_function,
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_plain_values_as_in_keras(value):
    assert serialize_keras_object(value) == keras.saving.serialize_keras_object(value)


BUILDERS = {
    "tensor": lambda k: k.ops.convert_to_tensor([1.0, 2.0]),
    "variable": lambda k: k.Variable([[1.0, 2.0]]),
    "symbolic tensor": lambda k: k.KerasTensor((None, 3)),
    "policy": lambda k: k.DTypePolicy("mixed_float16"),
    "initializer": lambda k: k.initializers.HeNormal(seed=3),
    "regularizer": lambda k: k.regularizers.L2(0.5),
    "constraint": lambda k: k.constraints.MaxNorm(2.0),
    "loss": lambda k: k.losses.Huber(delta=2.0),
    "optimizer": lambda k: k.optimizers.SGD(0.1, momentum=0.9),
    "schedule": lambda k: k.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5),
    "schedule in optimizer": lambda k: k.optimizers.Adam(k.optimizers.schedules.CosineDecay(0.1, 10)),
    "seed generator": lambda k: k.random.SeedGenerator(4, name="g"),
    "activation": lambda k: k.activations.relu,
    "loss function": lambda k: k.losses.mean_squared_error,
    "op": lambda k: k.ops.relu,
    "layer": lambda k: k.layers.Dense(3, activation="relu", kernel_initializer="he_normal", name="d"),
    "conv": lambda k: k.layers.Conv2D(4, 3, strides=2, padding="same", name="c"),
    "metric": lambda k: k.metrics.SparseCategoricalAccuracy(name="m"),
}


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_objects_as_in_keras(build):
    ours, theirs = (serialize(build(k)) for k, serialize in both())
    assert as_json(ours) == as_json(theirs)


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_objects_that_keras_wrote(build):
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(build(keras))))
    again = deserialize_keras_object(config)
    assert as_json(serialize_keras_object(again)) == as_json(config)


def both():
    return (kerasish, serialize_keras_object), (keras, keras.saving.serialize_keras_object)


def as_json(config):
    return json.loads(json.dumps(config))


@pytest.mark.parametrize(
    "value", [np.arange(3.0), b"text", ..., slice(1, 2), [1, ["a"]], {"a": {"b": None}}], ids=lambda v: type(v).__name__
)
def test_round_trip(value):
    again = deserialize_keras_object(serialize_keras_object(value))
    np.testing.assert_equal(again, value)


def test_symbolic_tensors_remember_where_they_were():
    config = {"shape": [None, 3], "dtype": "int32", "keras_history": ["a", 0, 1]}
    tensor = deserialize_keras_object({"class_name": "__keras_tensor__", "config": config})
    assert (tensor.shape, tensor.dtype) == ((None, 3), "int32")
    assert tensor._pre_serialization_keras_history == ["a", 0, 1]


@pytest.mark.parametrize("value", [{1}, 1j, range(3), np.add], ids=["set", "complex", "range", "ufunc"])
def test_what_has_no_config_is_refused(value):
    with pytest.raises(TypeError, match="Cannot serialize object"):
        serialize_keras_object(value)


def test_configs_are_dictionaries():
    class Wrong:
        def get_config(self):
            return [1]

    with pytest.raises(TypeError, match="should return a dict. It returned"):
        serialize_keras_object(Wrong())


class Box:
    def __init__(self, content=None, name=None):
        self.content, self.name = content, name

    def get_config(self):
        return {"content": serialize_keras_object(self.content), "name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**deserialize_keras_object(config))


class Bag(Box):
    pass


def entry(module, class_name, config, registered_name=None):
    return {"module": module, "class_name": class_name, "config": config, "registered_name": registered_name}


def test_custom_objects_by_class_or_registered_name():
    config = serialize_keras_object(Box(Bag(3)))
    assert config["module"] == Box.__module__ and config["registered_name"] == "Box"
    assert deserialize_keras_object(config, {"Box": Box, "Bag": Bag}).content.content == 3
    registered = entry(None, "Box", {"content": 1}, "pkg>Box")
    for name in ("pkg>Box", "Box"):
        assert deserialize_keras_object(registered, {name: Box}).content == 1


def test_unknown_classes_are_listed_all_at_once():
    inner = [entry(None, "Bag", {"name": "left"}, "pkg>Bag"), entry("m", "Sack", {"name": "right"}, "Sack")]
    functions = entry("builtins", "function", "my_loss", "function")
    config = entry(None, "Box", {"content": [*inner, functions]}, "pkg>Box")
    with pytest.raises(TypeError) as caught:
        deserialize_keras_object(config, {"pkg>Box": Box})
    text = str(caught.value)
    assert text.startswith("Could not locate class 'Bag'. Make sure custom classes and functions are decorated")
    assert "3 objects are unknown" in text
    lines = [
        "class 'Bag' (used by 'left'): @keras.saving.register_keras_serializable(package=\"pkg\", name=\"Bag\")",
        "class 'Sack' (used by 'right'): @keras.saving.register_keras_serializable()",
        "function 'my_loss': @keras.saving.register_keras_serializable()",
    ]
    assert all(line in text for line in lines)


REFUSED = {
    "a program": (entry("os", "system", {"command": "ls"}), TypeError, "Could not locate class 'system'"),
    "a builtin": (entry("builtins", "function", "eval", "function"), TypeError, "Could not locate function 'eval'"),
    "a file function": (entry("keras.utils", "get_file", {}), TypeError, "Could not locate class 'get_file'"),
    "a loader": (entry("keras.models", "load_model", {}), TypeError, "Could not locate class 'load_model'"),
    "a private name": (entry("keras.layers", "__builtins__", {}), TypeError, "Could not locate"),
    "an unknown layer": (entry("keras.layers", "Nothing", {}), TypeError, "Could not locate class 'Nothing'"),
    "a config of the wrong kind": (
        entry("keras.initializers", "Zeros", 3),
        TypeError,
        "Expected 'config' to be a dict",
    ),
    "a function without a name": (
        entry("builtins", "function", 3),
        TypeError,
        "Expected 'config' to be a non-null str",
    ),
    "an object": (object(), TypeError, "Could not parse config"),
    "a TensorFlow type": ({"class_name": "__typespec__", "config": [1]}, TypeError, "exists only in TensorFlow"),
    "a builtin under a registered name": (
        entry("keras.initializers", "Zeros", {}, "pkg>Zeros"),
        ValueError,
        "does not use registered names",
    ),
    "a missing argument": (entry("keras.constraints", "MaxNorm", {"no": 1}), TypeError, "could not be deserialized"),
}


@pytest.mark.parametrize("config, error, text", REFUSED.values(), ids=REFUSED)
def test_refused(config, error, text):
    with pytest.raises(error, match=text):
        deserialize_keras_object(config)


def test_lambdas_need_permission():
    with pytest.warns(UserWarning, match="includes a `lambda`"):
        config = serialize_keras_object(lambda x, y=(1, 2): x + y[0])
    config = json.loads(json.dumps(config))
    with pytest.raises(ValueError, match="Requested the deserialization of a Python lambda"):
        deserialize_keras_object(config)
    assert deserialize_keras_object(config, safe_mode=False)(2) == 3
    with pytest.warns(UserWarning, match="includes a `lambda`"):
        theirs = keras.saving.serialize_keras_object(lambda x: x + 1)
    assert deserialize_keras_object(theirs, safe_mode=False)(2) == 3


def test_garbled_lambdas():
    config = {"class_name": "__lambda__", "config": {"value": ["AAAA", None, None]}}
    with pytest.raises(ValueError, match="written by another version of Python"):
        deserialize_keras_object(config, safe_mode=False)


def test_module_objects():
    objects = {"Box": Box, "module_function": module_function}
    assert isinstance(deserialize_keras_object("Box", module_objects=objects), Box)
    assert deserialize_keras_object("module_function", module_objects=objects) is module_function
    assert deserialize_keras_object("unknown", module_objects=objects) == "unknown"
    config = {"class_name": "Box", "config": {"content": 5}}
    assert deserialize_keras_object(config, module_objects=objects).content == 5
    with pytest.raises(ValueError, match="Unknown `config`"):
        deserialize_keras_object({"content": 5}, module_objects=objects)
