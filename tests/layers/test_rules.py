"""What a layer of one's own may do, and what is refused: as in real Keras."""

import functools
import warnings

import keras
import numpy as np
import pytest

import kerasish


def outcome(function, module):
    """What `function(module)` returns, or the class of the exception that it raises."""
    module.utils.clear_session(free_memory=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(module)
        except Exception as error:
            return next(c for c in type(error).__mro__ if c.__module__ == "builtins")


def check(function):
    assert outcome(function, kerasish) == outcome(function, keras)


def rows(**functions):
    return pytest.mark.parametrize("function", [pytest.param(f, id=name) for name, f in functions.items()])


# -- configs made without a `get_config`


def passing_on(init):
    @functools.wraps(init)
    def wrapper(self, *args, **kwargs):
        return init(self, *args, **kwargs)

    return wrapper


def layer_class(k, kind):
    """Classes of layers that differ in the arguments of `__init__`."""

    class Anything(k.layers.Layer):
        def __init__(self, a, **anything):
            super().__init__(**anything)

    class Variadic(k.layers.Layer):
        def __init__(self, *args, b=2, **kwargs):
            super().__init__(**kwargs)

    class Positional(k.layers.Layer):
        def __init__(self, a, /, **kwargs):
            super().__init__(**kwargs)

    class Usual(k.layers.Layer):
        def __init__(self, a, **kwargs):
            super().__init__(**kwargs)

    class Named(k.layers.Layer):
        def __init__(self, a=1, name=None):
            super().__init__(name=name)

    class Bare(k.layers.Layer):
        def __init__(self, a=1):
            super().__init__()

    return locals()[kind]


@rows(
    anything=lambda k: layer_class(k, "Anything")(3, name="x"),
    anything_trainable=lambda k: layer_class(k, "Anything")(3, trainable=False),
    anything_dtype=lambda k: layer_class(k, "Anything")(3, dtype="float64"),
    no_args=lambda k: layer_class(k, "Variadic")(name="q"),
    args=lambda k: layer_class(k, "Variadic")(1, name="q"),
    positional=lambda k: layer_class(k, "Positional")(1),
    nested=lambda k: layer_class(k, "Usual")([1, 2, {"a": None}, (True, "b")], name="z"),
    layers_in_a_list=lambda k: layer_class(k, "Usual")([k.layers.Dense(2)]),
    arrays_in_a_dict=lambda k: layer_class(k, "Usual")({"a": np.ones(2)}),
    named=lambda k: layer_class(k, "Named")(2, name="k"),
    bare=lambda k: layer_class(k, "Bare")(),
)
def test_automatic_configs(function):
    check(lambda k: function(k).get_config())


def operation_class(k, kind):
    class Usual(k.Operation):
        def __init__(self, alpha, *, beta=1.0, name=None):
            super().__init__(name=name)

    class Bare(k.Operation):
        def __init__(self, alpha, beta=1.0):
            super().__init__()

    class Anything(k.Operation):
        def __init__(self, alpha, beta=1.0, **kwargs):
            super().__init__(**kwargs)

    class Variadic(k.Operation):
        def __init__(self, alpha, *args, name=None):
            super().__init__(name=name)

    class Own(k.Operation):
        def __init__(self, alpha, name=None):
            super().__init__(name=name)
            self.alpha = alpha

        def get_config(self):
            return {**super().get_config(), "alpha": self.alpha}

    return locals()[kind]


@rows(
    named=lambda k: operation_class(k, "Usual")(0.2, name="x"),
    default=lambda k: operation_class(k, "Usual")(alpha=[1, {"a": None}], beta="b", name="x"),
    nameless=lambda k: operation_class(k, "Bare")(0.2),
    anything=lambda k: operation_class(k, "Anything")(0.2, name="x"),
    args=lambda k: operation_class(k, "Variadic")(0.2, "a", "b", name="x"),
    no_args=lambda k: operation_class(k, "Variadic")(0.2, name="x"),
    an_array=lambda k: operation_class(k, "Usual")(np.ones(2), name="x"),
    its_own=lambda k: operation_class(k, "Own")(np.float32(2), name="x"),
)
def test_automatic_configs_of_operations(function):
    check(lambda k: function(k).get_config())


def test_the_automatic_config_of_a_wrapped_constructor():
    class Wrapped(kerasish.layers.Layer):
        @passing_on
        def __init__(self, a, b=3, **kwargs):
            super().__init__(**kwargs)

    config = Wrapped(1, name="w").get_config()
    assert (config["a"], config["b"], config["name"]) == (1, 3, "w")
    assert Wrapped.from_config(config).get_config() == config


# -- weights


def weights_of(k, *args, **kwargs):
    class Owner(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.w = self.add_weight(*args, **kwargs)

    owner = Owner()
    return tuple(owner.w.shape), owner.w.dtype, len(owner.weights)


def set_before_super(k):
    class Early(k.layers.Layer):
        def __init__(self):
            self.w = k.Variable(np.ones(2))
            self.inner = [k.layers.Dense(2)]
            super().__init__()

    layer = Early()
    return len(layer.weights), len(list(layer._flatten_layers()))


@rows(
    name_first=lambda k: weights_of(k, "m"),
    name_and_shape=lambda k: weights_of(k, "m", shape=(2,)),
    shape_twice=lambda k: weights_of(k, (3,), shape=(2,)),
    four=lambda k: weights_of(k, (3,), "zeros", "float32", "n"),
    three=lambda k: weights_of(k, (3,), "zeros", "float64"),
    mixed=lambda k: weights_of(k, (3,), dtype="float64"),
    names=lambda k: weights_of(k, shape=(3,)),
    set_before_super=set_before_super,
)
def test_weights(function):
    check(function)


@pytest.mark.parametrize(
    "attribute", ["trainable", "regularizer", "constraint", "aggregation", "overwrite_with_gradient"]
)
@pytest.mark.parametrize("value", [True, None, 1, "l2"])
def test_attributes_of_variables(attribute, value):
    def run(k):
        variable = k.Variable(np.ones(2), name="v")
        setattr(variable, attribute, value)
        return getattr(variable, attribute)

    check(run)


# -- losses


def added(k, loss):
    class Adding(k.layers.Layer):
        def call(self, x):
            self.add_loss(loss(k, x))
            return x

    layer = Adding()
    layer(np.ones((1,)))
    model = k.Sequential([layer])
    model(np.ones((1,)))
    outer = k.Sequential([model])
    outer(np.ones((1,)))
    return [len(x.losses) for x in (layer, model, outer)]


def added_sometimes(k):
    class Once(k.layers.Layer):
        wanted = True

        def call(self, x):
            if self.wanted:
                self.add_loss(k.ops.sum(x))
            return x

    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.once = Once()

        def call(self, x):
            return self.once(x)

    net = Net()
    net.once(np.ones((1, 1)))
    net.once.wanted = False
    net(np.ones((1, 1)))
    return len(net.losses)


@rows(
    one=lambda k: added(k, lambda k, x: k.ops.sum(x)),
    nested=lambda k: added(k, lambda k, x: [k.ops.sum(x), {"a": k.ops.sum(x)}]),
    number=lambda k: added(k, lambda k, x: 0.5),
    sometimes=added_sometimes,
    to_a_graph=lambda k: k.Model(x := k.Input((2,)), x * 2).add_loss(1.0),
)
def test_losses(function):
    check(function)


# -- build


def built(k, build, call):
    layer = type("Mine", (k.layers.Layer,), {"build": build, "call": call})()
    layer(np.ones((4, 1)), np.ones((4, 2)))
    return layer.seen


def no_suffix(self, foo_shape, bar):
    self.seen = foo_shape


def no_match(self, foo_shape, baz_shape):
    self.seen = foo_shape


def other_order(self, bar_shape, foo_shape):
    self.seen = (tuple(foo_shape), tuple(bar_shape))


def single(self, anything):
    self.seen = tuple(anything)


def add(self, foo, bar):
    return foo[:, 0] + bar[:, 0]


@pytest.mark.parametrize("build", [no_suffix, no_match, other_order, single])
def test_build_signatures(build):
    check(lambda k: built(k, build, add))


# -- overriding


def conv(k, name, **options):
    class Doubled(getattr(k.layers, name)):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, kernel * 2.0)

    rank = int(name[4])
    x = k.Input((4,) * rank + (2,))
    layer = Doubled(3, 2, kernel_initializer="ones", bias_initializer="ones", **options)
    model = k.Model(x, layer(x))
    ones = np.ones((1, *(4,) * rank, 2), "float32")
    return np.asarray(layer(ones)).tolist(), np.asarray(model(ones)).tolist()


def merge(k):
    class Product(k.layers.Add):
        def _merge_function(self, inputs):
            return inputs[0] * inputs[1]

    return float(k.ops.sum(Product()([np.full((1, 1), 3.0), np.full((1, 1), 4.0)])))


def noise_shape(k):
    class Whole(k.layers.SpatialDropout1D):
        def _get_noise_shape(self, inputs):
            return (1, 1, 1)

    return len(set(np.asarray(Whole(0.5)(np.ones((3, 4, 5)), training=True)).ravel().tolist()))


def moments(k):
    class Fixed(k.layers.BatchNormalization):
        def _moments(self, inputs, mask):
            return k.ops.ones((2,)), k.ops.ones((2,))

    return np.asarray(Fixed()(np.full((3, 2), 5.0), training=True)).round(4).tolist()


def renamed_weights(k):
    class Renamed(k.layers.Dense):
        def add_weight(self, *args, **kwargs):
            return super().add_weight(*args, **{**kwargs, "name": kwargs["name"] + "_x"})

    layer = Renamed(3)
    layer.build((None, 2))
    return [w.path for w in layer.weights]


@rows(
    conv2d=lambda k: conv(k, "Conv2D"),
    conv2d_relu=lambda k: conv(k, "Conv2D", activation="relu", padding="same"),
    conv2d_plain=lambda k: conv(k, "Conv2D", use_bias=False, strides=2),
    conv3d=lambda k: conv(k, "Conv3D", activation="tanh"),
    merge=merge,
    noise_shape=noise_shape,
    moments=moments,
    renamed_weights=renamed_weights,
)
def test_overriding(function):
    check(function)


def test_overriding_conv1d():
    """Keras's Conv1D does not ask its own `convolution_op`; here it is asked in every rank."""
    first, second = conv(kerasish, "Conv1D")
    assert np.unique(first).tolist() == np.unique(second).tolist() == [9.0]


# -- Lambda, activations


def lambda_shape(k, function, output_shape=None, inputs=1):
    x = [k.Input((3,)) for _ in range(inputs)]
    y = k.layers.Lambda(function, output_shape=output_shape)(x if inputs > 1 else x[0])
    return [tuple(t.shape) for t in k.tree.flatten(y)], isinstance(y, (list, dict))


@rows(
    list_in=lambda k: lambda_shape(k, lambda x: x[0][:, :1], (1,), 2),
    list_out=lambda k: lambda_shape(k, lambda x: [x[0][:, :1], x[1]], [(1,), (3,)], 2),
    function=lambda k: lambda_shape(k, lambda x: x[0], lambda s: s[0], 2),
    dict_out=lambda k: lambda_shape(k, lambda x: {"a": x}, lambda s: {"a": s}),
    found=lambda k: lambda_shape(k, lambda x: k.ops.concatenate(x), None, 2),
    failing=lambda k: lambda_shape(k, lambda x: x.no_such_thing),
    trainable_number=lambda k: k.layers.Dense(2, trainable=1),
    trainable_text=lambda k: k.layers.Dense(2, trainable="yes"),
)
def test_lambdas_and_flags(function):
    check(function)


@pytest.mark.parametrize("name", ["tanh", "relu", "softmax", "gelu", "elu", "leaky_relu", "silu", "sigmoid", "square"])
def test_ops_as_activations(name):
    check(lambda k: k.layers.Dense(2, activation=getattr(k.ops, name)).get_config()["activation"])
