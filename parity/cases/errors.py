"""Bad input: Keras's exception class, and our words for where, what came, what was expected, what to do."""

import numpy as np

from parity.case import register
from parity.compare import compare_errors


def error(*says, **options):
    """A row; `says` are the words that our text must hold."""
    return lambda build: register(compare_errors, "errors", says=says, **options)(build)


def _net(keras, loss="mse"):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="head")], name="net")
    model.compile("sgd", loss)
    return model


@error("conv", "4", "3", "ndim")
def wrong_rank(keras):
    keras.layers.Conv2D(4, 3, name="conv")(keras.Input((8, 3)))


@error("conv", "groups", "3")
def channels_not_divisible_by_groups(keras):
    keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, groups=2, name="conv")])


@error("groups", "5")
def filters_not_divisible_by_groups(keras):
    keras.layers.Conv2D(5, 3, groups=2)


@error("conv", "(None, 2, 2, 3)", "3", "same")
def window_larger_than_the_image(keras):
    keras.Sequential([keras.Input((2, 2, 3)), keras.layers.Conv2D(4, 3, name="conv")])


@error("nosuch")
def unknown_activation(keras):
    keras.layers.Dense(3, activation="nosuch")


@error("dilation")
def strides_with_dilation(keras):
    keras.layers.Conv2D(4, 3, strides=2, dilation_rate=2)


@error("compile")
def fit_before_compile(keras):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]).fit(np.ones((4, 4)), np.ones((4, 3)), verbose=0)


@error("5", "4")
def mismatched_sample_counts(keras):
    _net(keras).fit(np.ones((5, 4)), np.ones((4, 3)), verbose=0)


@error("head", "(4, 3)", "(5, 3)")
def weights_of_another_shape(keras):
    _net(keras).get_layer("head").set_weights([np.ones((5, 3)), np.ones(3)])


@error("net", "1", "2")
def weights_of_another_number(keras):
    _net(keras).set_weights([np.ones((4, 3))])


@error("net", "(None, 4)", "(2, 5)")
def input_of_another_shape(keras):
    _net(keras)(np.ones((2, 5), "float32"))


# Keras on TensorFlow raises TensorFlow's own InvalidArgumentError here, a class that exists nowhere else. On a card the
# loss is NaN instead, as TensorFlow's is there: to look at the labels would be to wait for the card at every step.
@error("7", "[0, 3)", "sparse", kind="ValueError", silent_on_card=True)
def label_out_of_range(keras):
    _net(keras, keras.losses.SparseCategoricalCrossentropy(from_logits=True)).fit(
        np.ones((2, 4)), np.array([1, 7]), verbose=0
    )


@error("foo")
def unknown_argument(keras):
    keras.layers.Dense(3, foo=1)


@error("units")
def negative_units(keras):
    keras.layers.Dense(-1)


@error("a")
def two_layers_of_one_name(keras):
    keras.Sequential([keras.layers.Dense(2, name="a"), keras.layers.Dense(2, name="a")])


@error("not connected")
def outputs_that_inputs_do_not_reach(keras):
    x = keras.Input((4,))
    keras.Model(x, keras.layers.Dense(2)(keras.Input((3,))))


@error("nosuch")
def unknown_optimizer(keras):
    keras.Sequential([keras.layers.Dense(1)]).compile("nosuch", "mse")


@error("nosuch")
def unknown_loss(keras):
    _net(keras, "nosuch").fit(np.ones((2, 4)), np.ones((2, 3)), verbose=0)


@error()
def concatenate_shapes_that_do_not_fit(keras):
    keras.layers.Concatenate(axis=1)([keras.Input((4, 2)), keras.Input((4, 3))])


@error()
def reshape_to_another_size(keras):
    keras.Sequential([keras.Input((6,)), keras.layers.Reshape((4,))])
