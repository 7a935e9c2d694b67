"""Graphs: from plain tensors, between tensors in the middle, names in the order of calls, tensors in lists."""

import numpy as np
import pytest

import kerasish
from kerasish import Function, Input, KerasTensor, layers, ops


def test_function_of_plain_tensors():
    x, y = KerasTensor((2, 3)), KerasTensor((2, 3))
    total = ops.add(x, y)
    function = Function([x, y], [total * 3, total**2])
    values = function([np.ones((2, 3), "float32")] * 2)
    assert [float(v[0, 0]) for v in values] == [6, 4]
    again = [KerasTensor((2, 3)), KerasTensor((2, 3))]
    nested = Function(again, function(again))
    assert [float(v[0, 0]) for v in nested([np.ones((2, 3), "float32")] * 2)] == [6, 4]


def test_function_from_the_middle():
    x = Input((3,))
    doubled = x * 2
    raised = doubled + 1
    function = Function(raised, raised**2)
    assert [o.name.rstrip("_0123456789") for o in function.operations] == ["power"]
    np.testing.assert_array_equal(function(np.full((2, 3), 3.0, "float32")), np.full((2, 3), 9.0))


def test_output_out_of_reach():
    with pytest.raises(ValueError, match="Output .* is not connected to `inputs`"):
        Function(Input((6,)), layers.Dense(2)(Input((6,))))


def test_symbolic_tensors_are_found_in_lists():
    a, b = Input((3,)), Input((3,))
    assert a in [b, a]
    assert [b, a].index(a) == 1
    assert (a == b) is False
    assert (a != b) is True
    assert (a == 1) is False
    assert len({a, b}) == 2


def test_comparison_in_a_layer_stands_for_values():
    class Zeros(layers.Layer):
        def call(self, x):
            return ops.cast(x == 0, "float32") + ops.cast(x != 0, "float32")

    x = Input((3,))
    y = Zeros()(x)
    assert y.shape == (None, 3)
    np.testing.assert_array_equal(kerasish.Model(x, y)(np.zeros((2, 3), "float32")), np.ones((2, 3)))


@pytest.mark.parametrize("library", ["kerasish", "keras"])
def test_ops_are_named_when_they_are_called(library):
    keras = pytest.importorskip(library)
    keras.backend.clear_session()
    x = keras.Input((3,))
    a = keras.ops.relu(x) - keras.ops.mean(x)
    y = keras.layers.Subtract()([a, a])
    names = [o.name for o in keras.Model(x, y).operations][1:]
    assert sorted(names) == ["mean", "relu", "subtract", "subtract_1"]
    assert keras.Model(x, y).operations[-1].name == "subtract_1"


def test_a_loop_without_end_is_only_a_node():
    x = KerasTensor((3,))
    assert ops.while_loop(lambda v: True, lambda v: v, x).shape == (3,)


def test_cond_in_a_graph_takes_the_branch_that_its_predicate_says():
    flag, x = Input(batch_shape=(), dtype="bool"), Input((4,))
    model = kerasish.Model([flag, x], ops.cond(flag, lambda: x + 1, lambda: x * 5))
    for held, wanted in ((True, 3), (False, 10)):
        value = model([np.array(held), np.full((2, 4), 2.0, "float32")])
        np.testing.assert_array_equal(value, np.full((2, 4), wanted))


def test_reshape_as_another_tensor_says():
    x, shape = Input(batch_shape=(6, 2)), Input(batch_shape=(2,), dtype="int32")
    y = ops.reshape(x, shape)
    assert y.shape == (None, None)
    value = kerasish.Model([x, shape], y)([np.zeros((6, 2), "float32"), np.array([4, 3], "int32")])
    assert value.shape == (4, 3)


def test_functions_in_configs_survive():
    x = Input((4,))
    y = ops.while_loop(lambda v: v[0, 0] < 10, lambda v: (v + 1,), (x,))[0]
    model = kerasish.Model(x, ops.repeat(y, np.array([1, 2, 0, 1]), 1))
    with pytest.warns(UserWarning, match="lambda"):
        config = kerasish.saving.serialize_keras_object(model)
    again = kerasish.saving.deserialize_keras_object(config, safe_mode=False)
    with pytest.raises(ValueError, match="lambda"):
        kerasish.saving.deserialize_keras_object(config)
    value = np.zeros((2, 4), "float32")
    np.testing.assert_array_equal(again(value), model(value))


def test_empty_batches():
    for layer in (layers.Dot(1, normalize=True), layers.Dot(1)):
        assert layer([np.zeros((0, 3), "float32"), np.zeros((0, 3), "float32")]).shape == (0, 1)
    assert ops.adaptive_average_pool(np.zeros((0, 7, 6, 3), "float32"), (3, 2)).shape == (0, 3, 2, 3)
    assert kerasish.random.dropout(np.float32(3), 0.5).shape == ()


def test_channels_that_a_kernel_does_not_fit():
    image, kernel = np.zeros((1, 5, 5, 4), "float32"), np.zeros((3, 3, 2, 3), "float32")
    for attempt in (ops.depthwise_conv, ops.conv_transpose):
        with pytest.raises(ValueError, match="input channels"):
            attempt(image, kernel)
