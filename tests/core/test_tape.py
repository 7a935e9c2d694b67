"""GradientTape, with TensorFlow's meaning."""

import gc
import weakref

import numpy as np
import pytest

import kerasish as keras
from kerasish import ops


def test_watches_trainable_variables_alone():
    a, b, c = keras.Variable(2.0), keras.Variable(3.0, trainable=False), ops.convert_to_tensor(5.0)
    with keras.GradientTape() as tape:
        y = a * b * c
    assert tape.watched_variables() == (a,)
    assert [None if g is None else float(g) for g in tape.gradient(y, [a, b, c])] == [15.0, None, None]


def test_a_value_read_from_a_variable_counts():
    w = keras.Variable([1.0, 2.0])
    with keras.GradientTape() as tape:
        y = ops.sum(ops.square(ops.convert_to_tensor(w))) + ops.sum(w.value)
    np.testing.assert_allclose(tape.gradient(y, w), [3.0, 5.0])


def test_gradient_of_a_gradient():
    x = ops.convert_to_tensor(3.0)
    with keras.GradientTape() as outer:
        outer.watch(x)
        with keras.GradientTape() as inner:
            inner.watch(x)
            y = x * x * x
        slope = inner.gradient(y, x)
    assert float(slope) == 27.0
    assert float(outer.gradient(slope, x)) == 18.0


def test_persistence_and_reuse():
    x = keras.Variable(3.0)
    with keras.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="non-persistent"):
        tape.gradient(y, x)
    with keras.GradientTape(persistent=True) as tape:
        y = x * x
        z = y * y
    assert [float(tape.gradient(z, x)), float(tape.gradient(y, x)), float(tape.gradient(z, y))] == [108.0, 6.0, 18.0]


def test_structures_output_gradients_and_unconnected():
    a, b = keras.Variable(2.0), keras.Variable(5.0)
    with keras.GradientTape(persistent=True) as tape:
        ys = [a * 3.0, a * a]
    found = tape.gradient(
        ys, {"a": a, "b": b}, output_gradients=[ops.convert_to_tensor(2.0), ops.convert_to_tensor(1.0)]
    )
    assert float(found["a"]) == 10.0 and found["b"] is None
    assert float(tape.gradient(ys, b, unconnected_gradients="zero")) == 0.0


def test_stop_recording_and_stop_gradient():
    x = keras.Variable(2.0)
    with keras.GradientTape() as tape:
        with tape.stop_recording():
            hidden = x * x
        y = x * hidden * keras.stop_gradient(x)
    assert float(tape.gradient(y, x)) == 8.0


def test_custom_gradient():
    @keras.custom_gradient
    def clipped(x):
        return x * 2.0, lambda upstream: ops.clip(upstream, -1.0, 1.0)

    x = keras.Variable(3.0)
    with keras.GradientTape() as tape:
        y = clipped(x) * 10.0
    assert float(tape.gradient(y, x)) == 1.0


def test_jacobian():
    x = keras.Variable([1.0, 2.0])
    with keras.GradientTape(persistent=True) as tape:
        y = x * x
    np.testing.assert_allclose(tape.jacobian(y, x), [[2.0, 0.0], [0.0, 4.0]])


def test_what_was_recorded_is_freed_as_the_walk_passes():
    x = keras.Variable(np.ones(4))
    with keras.GradientTape() as tape:
        held = ops.exp(x)
        y = ops.sum(held * held)
    trace = weakref.ref(held)
    del held
    assert trace() is not None
    tape.gradient(y, x)
    gc.collect()
    assert trace() is None and not tape.entries


def test_a_saved_value_survives_an_update_in_place():
    w = keras.Variable(np.ones(3, "float32"))
    seen = w.value
    w.mutable_array()[:] = 7
    np.testing.assert_array_equal(seen.numpy(), np.ones(3))
    np.testing.assert_array_equal(w.numpy(), np.full(3, 7))


def test_nan_stays_nan():
    x = keras.Variable([np.nan, 1.0])
    with keras.GradientTape() as tape:
        y = ops.sum(ops.relu(x) * ops.exp(x))
    assert np.isnan(float(y)) and np.isnan(tape.gradient(y, x).numpy()[0])
