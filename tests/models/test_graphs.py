"""Model graphs beside real Keras: what a builder makes with `keras` it makes with `kerasish`.

Each row is a function of the module that returns plain data: configs, names, shapes, numbers; or raises.
"""

import json
import warnings

import keras
import numpy as np
import pytest

import kerasish

X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


def outcome(function, module):
    """What `function(module)` returns, or the class of the exception that it raises."""
    module.utils.clear_session(free_memory=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(module)
        except Exception as error:
            return next(c for c in type(error).__mro__ if c.__module__ == "builtins")


def alike(*functions):
    """Run each function with both libraries, and compare."""
    return pytest.mark.parametrize("function", [pytest.param(f, id=f.__name__) for f in functions])


def check(function):
    ours, theirs = outcome(function, kerasish), outcome(function, keras)
    assert ours == theirs


def calls(model):
    """How a model's layers are called, as its JSON has it."""
    return json.loads(json.dumps([(layer["name"], layer["inbound_nodes"]) for layer in model.get_config()["layers"]]))


def summary(model):
    lines = []
    model.summary(print_fn=lambda text, **_: lines.append(text))
    return "\n".join(lines)


def shape(x):
    return tuple(np.asarray(x).shape)


def ends(model):
    config = json.loads(model.to_json())["config"]
    return config["input_layers"], config["output_layers"]


# -- nested models, sub-models, clones


def nested(k):
    i = k.Input((3,))
    inner = k.Model(i, [k.layers.Dense(2)(i), k.layers.Dense(4)(i)], name="n")
    x = k.Input((3,))
    a, b = inner(x)
    return k.Model(x, (b, a))


def nested_as_output(k):
    model = nested(k)
    again = k.models.model_from_json(model.to_json())
    return ends(model), calls(model), [y.shape for y in again.outputs], [shape(y) for y in again(X)], summary(model)


def nested_as_input_of_a_layer(k):
    i = k.Input((3,))
    inner = k.Model(i, k.layers.Dense(2)(i), name="n")
    x = k.Input((3,))
    model = k.Model({"q": x}, {"z": k.layers.Concatenate()([inner(x), inner(x)]), "w": [inner(x)]})
    again = k.models.model_from_json(model.to_json())
    return ends(model), calls(model), ends(again), summary(again)


def nested_twice(k):
    model = k.Sequential([nested(k), k.layers.Concatenate()])
    x = k.Input((3,))
    outer = k.Model(x, model(x) * 2.0)
    return ends(outer), calls(outer), shape(outer(X)), summary(outer)


def sub_models_leave_the_layers_alone(k):
    x = k.Input((3,))
    hidden = k.layers.Dense(5, name="hidden")
    h = hidden(x)
    y = k.layers.Dense(2)(h)
    k.Model(hidden.input, hidden.output)
    k.Model(hidden.output, y)
    tail = k.Model(hidden.output, y)
    return hidden.output is h, hidden.input is x, [layer.name for layer in tail.layers], hidden.output.shape


def shared_layer_ends(k):
    layer = k.layers.Dense(2)
    first, second = k.Input((3,)), k.Input((3,))
    y = layer(first)
    layer(second)
    return layer.input is first, layer.output is y


def clone_of_unnamed(k):
    x = k.Input((3,))
    model = k.Model(x, k.layers.Dense(2, name="d")(x))
    return [layer.name for layer in k.models.clone_model(model).layers]


def clone_compiled(k):
    def trait(model):
        model.compile(k.optimizers.SGD(0.5, momentum=0.25), "mse", metrics=["mae"])
        copy = k.models.clone_model(model)
        return copy.compiled, copy.loss, float(copy.optimizer.learning_rate), copy.optimizer is model.optimizer

    x = k.Input((3,))
    return trait(k.Sequential([k.Input((3,)), k.layers.Dense(2)])), trait(k.Model(x, k.layers.Dense(2)(x)))


def clone_shared(k):
    layer, x = k.layers.Dense(3), k.Input((3,))
    copies = [k.models.clone_model(m, recursive=True) for m in (k.Sequential([x, layer, layer]), nested(k))]
    return [(len(m.layers), m.count_params(), len(m.weights)) for m in copies]


def clone_with_other_structure(k):
    a, b = k.Input((3,)), k.Input((3,))
    model = k.Model({"a": a, "b": b}, a + b)
    return k.models.clone_model(model, input_tensors=(a, b))


def clone_subclass_with_function(k):
    class Net(k.Model):
        def call(self, x):
            return x

    return k.models.clone_model(Net(), clone_function=lambda layer: layer)


def remade_with_arguments_of_its_own(k):
    class Net(k.Model):
        def __init__(self, *args, param=1, **kwargs):
            super().__init__(*args, **kwargs)
            self.param = param

        def get_config(self):
            return {**super().get_config(), "param": self.param}

    x = k.Input((3,))
    again = Net.from_config(Net(inputs=x, outputs=k.layers.Dense(5)(x), param=3).get_config())
    return again.param, again.count_params()


@alike(
    remade_with_arguments_of_its_own,
    nested_as_output,
    nested_as_input_of_a_layer,
    nested_twice,
    sub_models_leave_the_layers_alone,
    shared_layer_ends,
    clone_of_unnamed,
    clone_compiled,
    clone_shared,
    clone_with_other_structure,
    clone_subclass_with_function,
)
def test_graphs(function):
    check(function)


# -- what a node notes


def flags(k):
    x = k.Input((4, 3))
    layers = [
        k.layers.Dropout(0.5),
        k.layers.SpatialDropout1D(0.5),
        k.layers.GaussianNoise(0.5),
        k.layers.GaussianDropout(0.5),
        k.layers.AlphaDropout(0.5),
        k.layers.BatchNormalization(),
        k.layers.Dense(2),
        k.layers.SpectralNormalization(k.layers.Dense(2)),
        k.layers.Identity(),
        k.layers.Lambda(lambda x: x),
        k.Sequential([k.layers.Dense(2)]),
    ]
    found = [calls(k.Model(x, layer(x))) for layer in layers]
    found.append(calls(k.Model(x, layers[0](x, training=True))))
    found.append(calls(k.Model.from_config(k.Model(x, layers[0](x)).get_config())))
    return found


def masks(k):
    x = k.Input((4,), name="x")
    h = k.layers.Embedding(5, 3, mask_zero=True)(x)
    model = k.Model(x, k.layers.GlobalAveragePooling1D()(k.layers.Dense(2, kernel_initializer="ones")(h)))
    again = k.models.model_from_json(model.to_json())
    numbers = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    again.set_weights(model.get_weights())
    same = np.allclose(model(numbers), again(numbers))
    return calls(model), summary(model), same, calls(again)


def masking(k):
    x = k.Input((4, 2))
    model = k.Model(x, k.layers.GlobalAveragePooling1D()(k.layers.Masking(0.5)(x)))
    return calls(model), summary(model), np.asarray(model(np.eye(4, 2)[None])).round(5).tolist()


@alike(flags, masks, masking)
def test_nodes(function):
    check(function)


# -- merges of masked inputs


@pytest.mark.parametrize("name", ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"])
@pytest.mark.parametrize("both", [True, False])
def test_merging_masked_inputs(name, both):
    a = np.array([[[1.0, 5.0], [2.0, -3.0], [0.0, 0.0]], [[4.0, 0.5], [0.0, 0.0], [0.0, 0.0]]], "float32")
    b = np.array([[[0.0, 0.0], [7.0, -8.0], [0.0, 0.0]], [[3.0, 2.0], [6.0, -6.0], [0.0, 0.0]]], "float32")

    def run(k):
        mask = k.layers.Masking()
        y = getattr(k.layers, name)()([mask(a), mask(b) if both else k.ops.convert_to_tensor(b)])
        return np.asarray(y).tolist(), np.asarray(getattr(y, "_keras_mask", None)).tolist()

    check(run)


# -- Sequential


def seen_batch(k):
    model = k.Sequential([k.layers.Dense(3), k.layers.Dense(2)])
    model(np.ones((5, 4)))
    return (
        summary(model),
        model.get_config()["build_input_shape"],
        model.get_build_config(),
        shape(model(X[:, :3] @ np.ones((3, 4)))),
    )


def fitted(k):
    model = k.Sequential([k.layers.Dense(3), k.layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :2], batch_size=3, verbose=0)
    return summary(model)


def predicted(k):
    model = k.Sequential([k.layers.Dense(3), k.layers.Dense(2)])
    model.predict(X, batch_size=3, verbose=0)
    return summary(model)


def inside_a_subclass(k):
    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.body = k.Sequential([k.layers.Conv2D(2, 3), k.layers.MaxPooling2D(), k.layers.Flatten()])
            self.flat = k.layers.Flatten()

        def call(self, x):
            return self.flat(self.body(x))

    model = Net()
    shapes = [shape(model(np.ones(s, "float32"))) for s in ((5, 8, 8, 1), (2, 8, 8, 1), (1, 6, 10, 1))]
    return shapes, summary(model)


def other_sizes(k):
    fixed = k.Sequential([k.Input((8, 8, 3)), k.layers.Conv2D(2, 3), k.layers.GlobalMaxPooling2D()])
    free = k.Sequential([k.layers.Conv2D(2, 3), k.layers.GlobalMaxPooling2D()])
    sizes = [(1, 8, 8, 3), (2, 9, 7, 3), (3, 4, 4, 3)]
    return [shape(m(np.ones(s, "float32"))) for m in (fixed, free) for s in sizes], fixed.output_shape


def other_batch(k):
    x = k.Input(batch_shape=(2, 3))
    model = k.Model(x, k.layers.Dense(2)(x))
    return shape(model(X)), model.predict(X, verbose=0).shape


def wrong_size(k):
    x = k.Input((8, 8, 3))
    return k.Model(x, k.layers.Conv2D(2, 3)(x))(np.ones((1, 9, 8, 3)))


def wrong_symbolic_size(k):
    return k.Sequential([k.Input((8, 8, 3)), k.layers.Conv2D(2, 3)])(k.Input((9, 9, 3)))


def dict_input(k):
    model = k.Sequential([k.layers.Lambda(lambda d: d["a"] + d["b"]), k.layers.Dense(2, kernel_initializer="ones")])
    x = {"a": k.Input((3,)), "b": k.Input((3,))}
    return np.asarray(model({"a": X, "b": X})).round(5).tolist(), model(x).shape, len(model.weights)


def list_input(k):
    model = k.Sequential([k.layers.Add(), k.layers.Dropout(0.5), k.layers.Dense(2, kernel_initializer="ones")])
    return np.asarray(model([X, X])).round(5).tolist(), model.compute_output_shape([(None, 3), (None, 3)])


def layer_twice(k):
    layer = k.layers.Dense(3)
    model = k.Sequential([k.Input((3,)), layer, layer])
    return model.count_params(), len(model.layers), shape(model(X))


def built_for_another_shape(k):
    return k.Sequential([k.Input((2,), batch_size=3), k.layers.Dense(2)]).build((3, 4))


def an_op_as_layer(k):
    return k.Sequential([k.ops.relu])


def two_arguments(k):
    class Two(k.layers.Layer):
        def call(self, x, y):
            return x + y

    return k.Sequential([Two()])(X)


def layers_cannot_be_set(k):
    k.Sequential([k.layers.Dense(2)]).layers = []


def functional_layers_cannot_be_set(k):
    x = k.Input((3,))
    k.Model(x, x + 1).layers = []


@alike(
    seen_batch,
    fitted,
    predicted,
    inside_a_subclass,
    other_sizes,
    other_batch,
    wrong_size,
    wrong_symbolic_size,
    dict_input,
    list_input,
    layer_twice,
    built_for_another_shape,
    an_op_as_layer,
    two_arguments,
    layers_cannot_be_set,
    functional_layers_cannot_be_set,
)
def test_sizes_and_sequences(function):
    check(function)


# -- inputs of functional models


def two_inputs(k, structure=lambda a, b: {"a": a, "b": b}):
    a, b = k.Input((3,), name="a"), k.Input((3,), name="b")
    return k.Model(structure(a, b), k.layers.Subtract()([a, b]))


def none_for_a_needed_input(k):
    return two_inputs(k)({"a": X, "b": None})


def none_for_a_needed_input_in_a_list(k):
    return two_inputs(k, lambda a, b: [a, b])([X, None])


def too_many_inputs(k):
    x = k.Input((3,))
    return k.Model(x, x * 2)([X, X])


def list_for_an_unsorted_dict(k):
    a, b = k.Input((3,), name="z"), k.Input((3,), name="b")
    return k.Model({"z": a, "b": b}, a - b)([X, X])


def disconnected(k):
    a, b = k.Input((3,)), k.Input((3,))
    return k.Model(a, {"one": a * 2, "two": b * 3})


def wrong_rank(k):
    x = k.Input((3,), name="x")
    return k.Model(x, k.layers.Dense(2)(x))(np.ones((2, 3, 4)))


def deep_inputs(k):
    i1, i2, i3 = k.Input((1,)), k.Input((2,)), k.Input((3,))
    model = k.Model({"1": i1, "others": {"2": i2, "3": i3}}, {"1": i1 + 1, "others": {"2": i2 + 1, "3": i3 + 1}})
    values = {"1": np.ones((2, 1)), "others": {"2": np.ones((2, 2)), "3": np.ones((2, 3))}}
    symbols = {"1": k.Input((1,), batch_size=2), "others": {"2": k.Input((2,)), "3": k.Input((3,))}}
    read = lambda y, f: (f(y["1"]), f(y["others"]["2"]), f(y["others"]["3"]))
    return read(model(values), shape), read(model(symbols), lambda y: tuple(y.shape))


@alike(
    none_for_a_needed_input,
    none_for_a_needed_input_in_a_list,
    too_many_inputs,
    list_for_an_unsorted_dict,
    disconnected,
    wrong_rank,
    deep_inputs,
)
def test_inputs(function):
    check(function)


def test_what_is_said_of_inputs():
    model = two_inputs(kerasish)
    with pytest.raises(ValueError, match="not optional"):
        model({"a": X, "b": None})
    with pytest.raises(ValueError, match=r"expects 2 named input\(s\) with keys \['a', 'b'\]"):
        model(X)
    with pytest.raises(ValueError, match="Output with path `two` is not connected"):
        disconnected(kerasish)


def test_structures_that_differ_are_said():
    model = two_inputs(kerasish)
    for x in ({"a": X, "b": X, "c": X}, [X, X]):
        with pytest.warns(UserWarning, match="structure of `inputs`"):
            model(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model({"b": X, "a": X})
        two_inputs(kerasish, lambda a, b: [a, b])((X, X))
    with pytest.warns(UserWarning, match="must match the names"):
        two_inputs(kerasish, lambda a, b: {"x": a, "y": b})


@pytest.mark.parametrize(
    "arguments",
    [
        {"shape": (2, 4)},
        {"batch_shape": (2, 4)},
        {"batch_size": 5},
        {"dtype": "float16"},
        {"shape": (3,), "batch_size": 2, "sparse": False, "dtype": "float32"},
        {"batch_shape": (2, 3)},
        {},
    ],
)
def test_input_layer_of_a_tensor(arguments):
    def run(k):
        layer = k.layers.InputLayer(input_tensor=k.KerasTensor((2, 3)), **arguments)
        return layer.batch_shape, layer.dtype

    check(run)


@pytest.mark.parametrize(
    "arguments",
    [
        {"batch_size": 4, "batch_shape": (2, 3)},
        {"shape": (3,), "batch_shape": (2, 3)},
        {},
        {"input_shape": (2, 3), "batch_size": 4},
        {"batch_input_shape": (4, 3)},
    ],
)
def test_input_layer(arguments):
    def run(k):
        layer = k.layers.InputLayer(**arguments)
        return layer.batch_shape, layer.dtype, layer.call()

    check(run)


@pytest.mark.parametrize("training", [False, True])
def test_what_nobody_foresaw_is_no_reason_to_do_anything_twice(training):
    """A graph of two samples is called on one: layers before the one that shows it have drawn numbers already."""
    found = []
    for k in (kerasish, keras):
        k.utils.set_random_seed(3)
        x = k.Input(batch_shape=(2, 4))
        y = k.layers.BatchNormalization()(k.layers.GaussianNoise(0.5)(x))
        y = k.layers.RepeatVector(2)(k.Sequential([k.layers.Dense(3, activation="relu")])(y))
        model = k.Model(x, k.layers.Dropout(0.5)(k.layers.Reshape((6,))(y)))
        given = np.random.default_rng(0).standard_normal((1, 4)).astype("float32")
        outputs = [np.asarray(model(given, training=training)) for _ in range(3)]
        state = [np.asarray(v).astype("float64") for v in model.non_trainable_variables]
        found.append([*outputs, *state])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
