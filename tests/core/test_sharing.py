"""Tensors and the arrays of users share no memory, in either direction: what one writes the other does not see."""

import numpy as np
import pytest

import kerasish

both = pytest.mark.parametrize("keras", ["kerasish", "keras"], indirect=True)

SIZES = (6, 100_000)  # of the allocator's, and of the pool's


@pytest.fixture
def keras(request):
    """The library, and the real one: that is what the rows say of it, too."""
    return pytest.importorskip(request.param)


def model(keras, layer, size):
    inputs = keras.Input((size,))
    return keras.Model(inputs, layer(inputs))


INTO = {  # (keras, array): something that is made of the array
    "convert_to_tensor": lambda keras, x: keras.ops.convert_to_tensor(x),
    "reshape": lambda keras, x: keras.ops.reshape(x, (-1, 2)),
    "transpose": lambda keras, x: keras.ops.transpose(x),
    "cast": lambda keras, x: keras.ops.cast(x, "float32"),
    "expand_dims": lambda keras, x: keras.ops.expand_dims(x, 0),
    "index": lambda keras, x: keras.ops.convert_to_tensor(x)[:, 1:],
    "relu": lambda keras, x: keras.ops.relu(x),
    "Variable": lambda keras, x: keras.Variable(x),
    "assign": lambda keras, x: assigned(keras, x),
    "Identity": lambda keras, x: keras.layers.Identity()(x),
    "Dropout": lambda keras, x: keras.layers.Dropout(0.5)(x),
    "Reshape": lambda keras, x: keras.layers.Reshape((-1, 2))(x),
    "a model's call": lambda keras, x: model(keras, keras.layers.Flatten(), x.shape[1])(x),
    "a list": lambda keras, x: keras.ops.convert_to_tensor([x, x]),
    "predict": lambda keras, x: model(keras, keras.layers.Flatten(), x.shape[1]).predict(x, verbose=0),
    "predict_on_batch": lambda keras, x: model(keras, keras.layers.Flatten(), x.shape[1]).predict_on_batch(x),
}
OUT_OF = {  # (keras, tensor): an array that a user may write to
    "numpy": lambda keras, t: t.numpy(),
    "np.array": lambda keras, t: np.array(t),
    "convert_to_numpy": lambda keras, t: keras.ops.convert_to_numpy(t),
}


def contents(keras, x):
    return np.array(keras.ops.convert_to_numpy(x))


def assigned(keras, x):
    variable = keras.Variable(np.ones_like(x))
    variable.assign(x)
    return variable


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", INTO.values(), ids=INTO)
@both
def test_what_is_made_of_an_array_is_not_changed_with_it(keras, make, size):
    x = np.arange(size, dtype="float32")[None]
    made = make(keras, x)
    before = contents(keras, made)
    x += 1000
    np.testing.assert_array_equal(contents(keras, made), before)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", OUT_OF.values(), ids=OUT_OF)
@both
def test_what_is_read_may_be_written_to(keras, make, size):
    tensor, variable = keras.ops.ones((size,)), keras.Variable(np.ones(size, "float32"))
    for source in (tensor, variable + 0 if keras.__name__ == "keras" else variable.value):
        array = make(keras, source)
        array += 1000
    assert contents(keras, tensor).max() == 1 and contents(keras, variable).max() == 1


@both
def test_a_view_is_not_to_be_written_to(keras):
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(keras.ops.ones((3,)))[:] = 2


def test_a_tape_remembers_what_it_saw():
    keras, x = kerasish, np.full((2, 3), 2.0, "float32")
    kernel = keras.Variable(np.ones((3, 1), "float32"))
    with keras.GradientTape() as tape:
        loss = keras.ops.sum(keras.ops.matmul(x, kernel))
    x[:] = 7
    np.testing.assert_array_equal(tape.gradient(loss, kernel), np.full((3, 1), 4.0))


def test_a_tape_remembers_the_indices_that_it_saw():
    keras, index = kerasish, np.array([2, 2])
    table = keras.Variable(np.ones((3, 1), "float32"))
    with keras.GradientTape() as tape:
        loss = keras.ops.sum(keras.ops.take(table, index, 0))
    index[:] = 0
    np.testing.assert_array_equal(tape.gradient(loss, table), [[0.0], [0.0], [2.0]])
