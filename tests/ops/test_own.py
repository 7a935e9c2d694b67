"""`numba_op`: an op of a user's functions is an op like any other, and says whose fault it is when it is none."""

import copy
import os
import re
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

import kerasish as keras
from kerasish import layers, ops
from kerasish.device import jit, natives, pointer
from kerasish.ops import check_gradients, numba_op
from tests.kernels.cuda import pretend
from tests.ops import own_ops
from tests.ops.gradients import check_gradient
from tests.ops.own_ops import ROWS, X, gate_grad_python, gate_python

pytestmark = pytest.mark.skipif(natives.compilation_off(), reason="needs compiled kernels")
ROOT = Path(__file__).parents[2]
gate = ROWS["python"][0]


@pytest.fixture(autouse=True)
def on_the_host():
    with keras.device("cpu"):
        yield


def leaves(found):
    return [np.asarray(y) for y in (found if isinstance(found, tuple) else (found,))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROWS)
def test_values(name, dtype):
    op, oracle, inputs = ROWS[name]
    inputs = [x.astype(dtype) if x.dtype.kind == "f" else x for x in inputs]
    for got, want in zip(leaves(op(*inputs)), leaves(oracle(*inputs)), strict=True):
        assert (got.shape, got.dtype) == (want.shape, want.dtype)
        np.testing.assert_allclose(got, want, rtol=1e-5 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("name", ROWS)
def test_gradients(name):
    """By the harness of all ops; and `check_gradients` says the same."""
    op, _, inputs = ROWS[name]
    floats = [x for x in inputs if x.dtype.kind == "f"]

    def total(*given):
        found = op(*given, *inputs[len(given) :])
        parts = found if isinstance(found, tuple) else (found,)
        return sum(ops.sum(y * (i + 1) * np.cos(np.arange(y.size)).reshape(y.shape)) for i, y in enumerate(parts))

    check_gradient(total, *floats, second=False)
    report = check_gradients(op, *inputs)
    assert report.right and report.dtype == "float64" and len(report.rows) == 3 * len(floats)
    assert check_gradients(op, *[x.astype("float32") if x.dtype.kind == "f" else x for x in inputs]).right


@pytest.mark.parametrize("name", ROWS)
def test_in_models(name):
    """The shapes that are promised, with an open batch, are those that come; the model gives the op's values."""
    op, oracle, inputs = ROWS[name]
    inputs = [x.astype("float32") if x.dtype.kind == "f" else x for x in inputs]
    given = [keras.Input(batch_shape=(None, *x.shape[1:]), dtype=x.dtype.name) for x in inputs]
    if name in ("several results",):
        given[1:] = [keras.Variable(x) for x in inputs[1:]]
    promised = op(*given)
    model = keras.Model([x for x in given if isinstance(x, keras.KerasTensor)], promised)
    found = model([x for x, g in zip(inputs, given) if isinstance(g, keras.KerasTensor)])
    for got, want, shape in zip(leaves(found), leaves(oracle(*inputs)), model.outputs, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
        assert shape.dtype == got.dtype.name and all(m in (None, n) for m, n in zip(shape.shape, got.shape))


REFUSED = {
    "layer": r"\(Gate\) does not say that it may be recorded",
    "activation": r"\(Dense\) has an activation of the user's own",
    "node": r"\(NumbaOp\) is no layer",
}


@pytest.mark.parametrize("name", ["python", "numba, parallel", "kernel"])
def test_training_is_that_of_keras_own_ops(name):
    """In a layer, as an activation, as a node of a graph; past the step from which models are recorded."""

    class Gate(layers.Layer):
        def __init__(self, op):
            super().__init__()
            self.op = op

        def call(self, x):
            return self.op(x)

    x = np.random.default_rng(1).standard_normal((48, 4)).astype("float32")
    y = (x[:, :1] * x[:, 1:2] > 0).astype("float32")
    known = lambda t: t * ops.tanh(t)

    def trained(op, form):
        keras.utils.set_random_seed(5)
        image = keras.Input((4,))
        hidden = layers.Dense(8, activation=op if form == "activation" else None)(image)
        hidden = op(hidden) if form == "node" else Gate(op)(hidden) if form == "layer" else hidden
        model = keras.Model(image, layers.Dense(1, activation="sigmoid")(hidden))
        model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
        losses = model.fit(x, y, batch_size=8, epochs=4, verbose=0, shuffle=False).history["loss"]
        return model, [*losses, *[model.predict(x[:5], verbose=0) for _ in range(5)]]

    for form in ("layer", "activation", "node"):
        model, got = trained(ROWS[name][0], form)
        for ours, theirs in zip(got, trained(known, form)[1]):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
        assert re.search(REFUSED[form], model._step_replays.refused), form
        assert not any(type(found).__name__ == "Replay" for found in model._replays.known.values())


def test_on_a_card():
    """The functions for a card are called with its arrays; without them the op says so."""
    given = []

    def noting(function):
        return lambda *arrays: given.extend(arrays) or function(*arrays)

    op = numba_op(gate_python, gate_grad_python, cuda=noting(gate_python), cuda_backward=noting(gate_grad_python))
    with pretend.card() as cupy, keras.device("gpu:0"):
        x = ops.convert_to_tensor(F)
        with keras.GradientTape() as tape:
            tape.watch(x)
            y = op(x)
        slope = tape.gradient(y, x)
        assert y.device == slope.device == "gpu:0" and all(type(a) is cupy.ndarray for a in given)
        with pytest.raises(ValueError, match="op 'gate_python': .* no function for a card: give numba_op `cuda`"):
            gate(x)
        y, slope = y.numpy(), slope.numpy()
    np.testing.assert_allclose(y, gate_python(F), rtol=1e-5)
    np.testing.assert_allclose(slope, gate_grad_python(np.ones_like(F), F), rtol=1e-5)


def test_as_a_loss():
    loss = ROWS["a number"][0]
    results = []
    for chosen in (loss, "mse"):
        keras.utils.set_random_seed(2)
        model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dense(1)])
        model.compile("sgd", chosen)
        x = np.linspace(-1, 1, 160, dtype="float32").reshape(40, 4)
        results.append(model.fit(x, x[:, :1], batch_size=8, epochs=4, verbose=0, shuffle=False).history["loss"])
        assert model._step_replays.recorded.uses > 0  # the loss is no part of what is recorded
    np.testing.assert_allclose(*results, rtol=1e-5)


def test_copies_share_the_functions():
    for name in ("numba, parallel", "kernel"):
        model = keras.Model(image := keras.Input((4,)), ROWS[name][0](image))
        np.testing.assert_array_equal(copy.deepcopy(model)(F), model(F))


def test_functions_of_numpy():
    """They do not say what they take."""
    op = numba_op(np.square, lambda *given: 2 * given[0] * given[1] if len(given) == 3 else None)
    assert check_gradients(op, X).right
    assert numba_op(np.exp, np.multiply)(X).shape == X.shape


def test_second_derivatives():
    """Where `backward` is an op that has a gradient, the harness of all ops is content; where not, it is said."""
    second = numba_op(
        lambda gy, x: 3 * x * x * gy, lambda ggx, gy, x: (3 * x * x * ggx, 6 * x * gy * ggx), name="square_of_three"
    )
    check_gradient(numba_op(lambda x: x**3, second, name="cube"), X)
    with pytest.raises(NotImplementedError, match="op 'gate_python' has no second derivative"):
        check_gradient(gate, X)


def test_options():
    leaky = numba_op(
        lambda x, slope=0.1: np.maximum(x, x * slope), lambda gy, x, slope=0.1: np.where(x > 0, gy, gy * slope)
    )
    np.testing.assert_allclose(leaky(X, slope=0.5), np.maximum(X, X * 0.5))
    check_gradients(leaky, X, slope=0.5)
    model = keras.Model(image := keras.Input((4,)), leaky(image, slope=0.25))
    np.testing.assert_allclose(model(F), np.maximum(F, F * 0.25))
    assert model.operations[-1].get_config()["options"] == {"slope": 0.25}


def test_a_decorator_keeps_what_the_function_says_of_itself():
    @numba_op(backward=gate_grad_python)
    def gated(x):
        """x tanh(x)"""
        return gate_python(x)

    assert (gated.__name__, gated.__doc__, gated.__module__) == ("gated", "x tanh(x)", __name__)
    assert check_gradients(gated, X).right


def test_files(tmp_path, monkeypatch):
    """As any custom object: registered or given, a model comes back; else the error says what to do."""
    from kerasish.saving import registration

    model = keras.Model(image := keras.Input((4,)), gate(gate(layers.Dense(4)(image))))
    assert [o.name for o in model.operations][2:] == ["gate_python", "gate_python_1"]
    model.save(path := tmp_path / "model.keras")
    with pytest.raises(TypeError, match="Could not locate function 'gate_python'"):
        keras.models.load_model(path)
    x = X.astype("float32")
    loaded = keras.models.load_model(path, custom_objects={"gate_python": gate})
    np.testing.assert_array_equal(loaded(x), model(x))
    np.testing.assert_allclose(keras.models.clone_model(loaded)(x).shape, (5, 4))
    monkeypatch.setattr(registration, "_OBJECTS", {})
    monkeypatch.setattr(registration, "_NAMES", {})
    keras.saving.register_keras_serializable("mine")(gate)
    model.save(path)
    np.testing.assert_array_equal(keras.models.load_model(path)(x), model(x))
    registration._OBJECTS.clear()
    with pytest.raises(TypeError, match="made by keras.ops.numba_op"):
        keras.models.load_model(path, custom_objects={"mine>gate_python": gate_python})


def takes_the_first(x):
    return x


def writes_into_its_input(x):
    x *= 2
    return x + 1


def test_results_are_apart_from_weights():
    """An optimizer changes weights in place; what an op gave before must not change with them."""
    weight = keras.Variable([1.0, 2.0])
    found = numba_op(takes_the_first)(weight)
    weight.assign([5.0, 6.0])
    np.testing.assert_array_equal(found, [1, 2])


@numba.njit
def only_rows(x):
    return x[0, 0, 0]


@jit.njit(parallel=True)
def allocates(tasks, y, x):
    for task in jit.prange(tasks):
        z = np.zeros(3)
        y[task] = z[task % 3]


F = X.astype("float32")
INT = np.arange(3)
WRONG = {
    "gives nothing": (lambda: numba_op(lambda x: None, name="mine")(F), TypeError, "`forward` gave None"),
    "gives text": (lambda: numba_op(lambda x: "y", name="mine")(F), TypeError, "`forward` gave str; expected an array"),
    "gives a tensor": (lambda: numba_op(lambda x: ops.exp(x), name="mine")(F), TypeError, "`forward` gave Tensor"),
    "gives objects": (
        lambda: numba_op(lambda x: np.array([None]), name="mine")(F),
        TypeError,
        "an array of object, which no tensor can have",
    ),
    "changes its input": (
        lambda: numba_op(writes_into_its_input, name="mine")(F),
        ValueError,
        "writes into its argument 0",
    ),
    "not for this shape": (
        lambda: numba_op(only_rows, name="mine")(F),
        TypeError,
        r"compile `forward` for float32 \(5, 4\)",
    ),
    "not for this dtype": (
        lambda: numba_op(own_ops.gate_kernel, output_spec=lambda x: x.shape, name="mine")(ops.cast(F, "bfloat16")),
        TypeError,
        "bfloat16",
    ),
    "allocates": (
        lambda: numba_op(allocates, output_spec=lambda x: (3,), name="mine")(F),
        TypeError,
        r"compile `forward` for float32 \(5, 4\)",
    ),
    "another shape than promised": (
        lambda: numba_op(lambda x: x[:1] * 2, output_spec=lambda x: x.shape, name="mine")(F),
        ValueError,
        r"gave float32 \(1, 4\); `output_spec` says float32 \(5, 4\)",
    ),
    "a promise that is none": (
        lambda: numba_op(lambda x: x * 2, output_spec=lambda x: "float32", name="mine")(F),
        TypeError,
        "`output_spec` must give a KerasTensor or a shape",
    ),
    "a trial that fails": (
        lambda: numba_op(lambda x: x.reshape(-1, 7), name="mine")(keras.Input((3,))),
        ValueError,
        "say by numba_op's `output_spec`",
    ),
    "None": (lambda: numba_op(gate_python, name="mine")(None), ValueError, "input 0 is None"),
    "no inputs": (lambda: numba_op(gate_python, name="mine")(), ValueError, "called without inputs"),
    "too many inputs": (lambda: numba_op(gate_python, name="mine")(F, F), TypeError, "takes 1 positional"),
    "no function": (lambda: numba_op(3), TypeError, "`forward` must be a function"),
    "a kernel without output_spec": (lambda: numba_op(own_ops.gate_kernel), TypeError, "say by `output_spec`"),
}
GRADIENTS = {
    "no backward": (None, NotImplementedError, "has no gradient: give numba_op a `backward`"),
    "gives nothing at all": (lambda gy, x, i: (), ValueError, "gave 0 gradients for 2 inputs"),
    "too many": (lambda gy, x, i: (gy, None, gy), ValueError, "gave 3 gradients for 2 inputs"),
    "another shape": (
        lambda gy, x, i: (gy[:1], None),
        ValueError,
        r"float32 \(1, 4\); expected the input's float32 \(5, 4\)",
    ),
    "another dtype": (lambda gy, x, i: (gy.astype("f8"), None), ValueError, "float64 .* expected the input's float32"),
    "of integers": (lambda gy, x, i: (gy, gy[:, 0]), TypeError, "input 1, int32 .*, which has none"),
    "other arguments": (lambda gy: gy, TypeError, "`backward` takes 1 arrays; expected 3"),
    "writes into what it is given": (
        lambda gy, x, i: (np.multiply(gy, 2, out=gy), None),
        ValueError,
        "writes into its argument 0",
    ),
    "raises": (lambda gy, x, i: {}[i.size], KeyError, "5"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name):
    run, kind, text = WRONG[name]
    with pytest.raises(kind, match=text) as caught:
        run()
    said = f"{caught.value} {getattr(caught.value, '__notes__', '')}"
    assert "mine" in said or "numba_op" in said or "gate_kernel" in said


@pytest.mark.parametrize("name", GRADIENTS)
def test_what_is_wrong_of_a_gradient_is_said(name):
    backward, kind, text = GRADIENTS[name]
    op = numba_op(lambda x, i: x + i[:, None].astype(x.dtype), backward, name="mine")
    x = ops.convert_to_tensor(F)
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = op(x, np.arange(5, dtype="int32"))
    with pytest.raises(kind, match=text) as caught:
        tape.gradient(y, x)
    assert "mine" in f"{caught.value} {getattr(caught.value, '__notes__', '')}"


def test_a_wrong_gradient_is_found():
    """Of a hundredth, in one of two inputs, of results that cancel each other."""
    op = numba_op(lambda x, y: x * y, lambda g, x, y: (g * y, 1.01 * g * x), name="product")
    with pytest.raises(ValueError, match=r"check_gradients of product: (?s:.)*input 0.*right(?s:.)*input 1.*WRONG"):
        check_gradients(op, X, 2 * X)
    with pytest.raises(ValueError, match="none of the inputs is of floats"):
        check_gradients(op, INT, INT)


def made(factor):
    @jit.njit(parallel=True)
    def scaled(tasks, y, x):
        for task in jit.prange(tasks):
            y[task] = x[task] * factor

    return scaled


def test_kernels_of_one_name_are_told_apart():
    """By what they close over, in the cache on disk, too."""
    for factor in (2.0, 3.0):
        y = np.zeros(3)
        made(factor)(3, y, np.ones(3))
        assert y.tolist() == [factor] * 3


def test_a_kernel_without_source_says_so():
    space = {"prange": jit.prange}
    exec("def typed(tasks, y):\n    for task in prange(tasks):\n        y[task] = 0", space)
    with pytest.raises(TypeError, match="kernel typed: its source cannot be read .*; write it in a file or a notebook"):
        jit.njit(parallel=True)(space["typed"])(1, np.ones(1))


def test_functions_with_an_address_are_told_apart():
    def addressed(number):
        @jit.njit("void(int64)")
        def store(place):
            pointer.view(place, number)

        return store

    assert addressed(1).name == addressed(1).name != addressed(2).name


def test_numbers_that_a_kernel_cannot_take_are_refused():
    with pytest.raises(TypeError, match=r"scaled: takes arrays, integers and Python floats; received float32"):
        made(2.0)(3, np.zeros(3), np.float32(0.5))


PROCESSES = [(w, x, e) for w in ("in_threads", "in_forks") for x in ("omp", "workqueue") for e in ("pool", "numba")]
QUICK = ("in_threads", "workqueue", "pool"), ("in_forks", "omp", "pool")


@pytest.mark.parametrize(
    "what, layer, engine", [p if p in QUICK else pytest.param(*p, marks=pytest.mark.slow) for p in PROCESSES]
)
def test_from_threads_and_in_forked_children(what, layer, engine):
    """Numba's threads end the process where one of its layers is entered twice, or another after a fork."""
    if what == "in_forks" and not hasattr(os, "fork"):
        pytest.skip("needs fork")
    env = {**os.environ, "NUMBA_THREADING_LAYER": layer, "KERASISH_ENGINE": engine, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-m", "tests.ops.own_ops", what]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=200)
    if re.search("No threading layer could be loaded", done.stderr):
        pytest.skip(f"this Numba has no {layer}")
    assert done.returncode == 0, done.stderr
