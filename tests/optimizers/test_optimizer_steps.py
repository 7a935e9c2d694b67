"""Ten steps of every optimizer, beside real Keras."""

import contextlib
import re

import numpy as np
import pytest

import kerasish
import kerasish.optimizers as ours
from kerasish.core.variable import Variable

keras = pytest.importorskip("keras")
theirs = keras.optimizers

ROWS = [
    ("SGD", {}),
    ("SGD", dict(momentum=0.9)),
    ("SGD", dict(momentum=0.9, nesterov=True, weight_decay=0.02)),
    ("SGD", dict(learning_rate=0.1, clipnorm=0.5)),
    ("SGD", dict(learning_rate=0.1, clipvalue=0.3)),
    ("SGD", dict(learning_rate=0.1, global_clipnorm=1.0)),
    ("SGD", dict(learning_rate=0.1, global_clipnorm=100.0)),
    ("SGD", dict(learning_rate=0.1, use_ema=True, ema_momentum=0.8)),
    ("SGD", dict(learning_rate=0.1, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3)),
    ("SGD", dict(learning_rate=0.1, loss_scale_factor=8.0)),
    ("SGD", dict(learning_rate=0.1, loss_scale_factor=8.0, clipnorm=0.5)),
    ("SGD", dict(learning_rate=0.1, loss_scale_factor=8.0, clipvalue=0.3)),
    ("SGD", dict(learning_rate=0.1, loss_scale_factor=8.0, global_clipnorm=1.0)),
    ("Adam", dict(learning_rate=0.1, loss_scale_factor=8.0, clipvalue=0.3, use_ema=True, ema_momentum=0.8)),
    ("SGD", dict(learning_rate=0.1, loss_scale_factor=8.0, clipnorm=0.5, gradient_accumulation_steps=2)),
    ("SGD", dict(learning_rate=0.1, gradient_accumulation_steps=3)),
    ("SGD", dict(learning_rate=0.1, gradient_accumulation_steps=3, use_ema=True, ema_overwrite_frequency=2)),
    ("SGD", dict(learning_rate=0.1, gradient_accumulation_steps=2, clipnorm=0.5, weight_decay=0.1)),
    ("Adam", {}),
    ("Adam", dict(learning_rate=0.1)),
    ("Adam", dict(learning_rate=0.02, amsgrad=True, beta_1=0.8, beta_2=0.95, epsilon=1e-3)),
    ("Adam", dict(learning_rate=0.02, gradient_accumulation_steps=2)),
    ("Adam", dict(learning_rate=0.02, weight_decay=0.1, use_ema=True)),
    ("AdamW", dict(learning_rate=0.02, weight_decay=0.1)),
    ("AdamW", dict(learning_rate=0.02, amsgrad=True)),
    ("RMSprop", {}),
    ("RMSprop", dict(learning_rate=0.02, momentum=0.8)),
    ("RMSprop", dict(learning_rate=0.02, centered=True)),
    ("RMSprop", dict(learning_rate=0.02, rho=0.7, momentum=0.8, centered=True, weight_decay=0.1)),
    ("Adagrad", {}),
    ("Adagrad", dict(learning_rate=0.1, initial_accumulator_value=0.5, weight_decay=0.1)),
    ("Adadelta", {}),
    ("Adadelta", dict(learning_rate=1.0, rho=0.8, epsilon=1e-4)),
    ("Adamax", {}),
    ("Adamax", dict(learning_rate=0.02, weight_decay=0.1)),
    ("Nadam", {}),
    ("Nadam", dict(learning_rate=0.02, beta_1=0.8, beta_2=0.9)),
    ("Nadam", dict(learning_rate=0.02, use_ema=True)),
    ("Ftrl", dict(learning_rate=0.1)),
    (
        "Ftrl",
        dict(
            learning_rate=0.1,
            learning_rate_power=-0.4,
            l1_regularization_strength=0.1,
            l2_regularization_strength=0.1,
            l2_shrinkage_regularization_strength=0.05,
            beta=0.2,
        ),
    ),
    ("Lion", {}),
    ("Lion", dict(learning_rate=0.02, beta_1=0.8, beta_2=0.7, weight_decay=0.1)),
    ("Lamb", {}),
    ("Lamb", dict(learning_rate=0.02, weight_decay=0.1)),
    ("Adafactor", {}),
    ("Adafactor", dict(learning_rate=0.5)),
    ("Adafactor", dict(learning_rate=0.8, relative_step=False, clip_threshold=0.5, beta_2_decay=-0.6)),
    ("Muon", dict(learning_rate=0.02)),
    ("Muon", dict(learning_rate=0.02, nesterov=False, rms_rate=None, ns_steps=3, adam_lr_ratio=0.5)),
    ("Muon", dict(learning_rate=0.02, exclude_layers=["kern"], exclude_embeddings=False, weight_decay=None)),
    ("ScheduleFreeAdamW", dict(learning_rate=0.02)),
    ("ScheduleFreeAdamW", dict(learning_rate=0.02, warmup_steps=4, weight_decay=0.1)),
]
SHAPES = {"embeddings": (5, 3), "kernel": (3, 4), "bias": (4,), "filters": (2, 2, 3, 2), "scale": ()}


def start(rng):
    return {name: np.asarray(rng.normal(size=shape), "float32") for name, shape in SHAPES.items()}


def run(optimizer, make, values, steps, constraint=None):
    """Variables after the steps, and then the optimizer's own."""
    variables = [make(value.copy(), name=name) for name, value in values.items()]
    for variable in variables:
        variable.constraint = constraint
    optimizer.build(variables)
    for grads in steps:
        optimizer.apply([keras.ops.convert_to_tensor(g) if make is keras.Variable else g for g in grads], variables)
    return [np.asarray(v) for v in variables], optimizer


def paths(optimizer):
    """Paths of the state; one that has no name of its own is counted over the process."""
    return [re.sub(r"^variable_\d+$", "variable", v.path) for v in optimizer.variables]


def compare(mine, reference, count=10, values=None, steps=None, constraints=(None, None)):
    rng = np.random.default_rng(1)
    values = values or start(rng)
    steps = steps or [[np.asarray(rng.normal(size=v.shape), "float32") for v in values.values()] for _ in range(count)]
    got, mine = run(mine, Variable, values, steps, constraints[0])
    want, reference = run(reference, keras.Variable, values, steps, constraints[1])
    for name, g, w in zip(values, got, want):
        np.testing.assert_allclose(g, w, rtol=2e-6, atol=1e-6, err_msg=name)
    assert paths(mine) == paths(reference)
    for g, w in zip(mine.variables, reference.variables):
        assert (g.shape, g.dtype) == (tuple(w.shape), w.dtype), g.path
        np.testing.assert_allclose(g.numpy(), w.numpy(), rtol=1e-5, atol=2e-6, err_msg=g.path)
    assert int(mine.iterations) == int(reference.iterations)


@pytest.mark.parametrize("name, options", ROWS, ids=lambda x: str(x)[:60])
def test_ten_steps(name, options):
    options = {**options, "name": "o"}
    compare(getattr(ours, name)(**options), getattr(theirs, name)(**options))


@pytest.mark.parametrize(
    "options",
    [
        {},
        dict(use_ema=True, ema_momentum=0.8),
        dict(use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3),
        dict(use_ema=True, ema_momentum=0.5, gradient_accumulation_steps=2),
        dict(weight_decay=0.1, clipvalue=0.3),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
def test_ten_steps_under_a_constraint(name, options):
    pair = [getattr(m, name)(learning_rate=0.2, name="o", **options) for m in (ours, theirs)]
    compare(*pair, constraints=(kerasish.constraints.NonNeg(), keras.constraints.NonNeg()))


SCHEDULES = [
    ("ExponentialDecay", (0.1, 4, 0.5)),
    ("CosineDecay", (0.0, 4, 0.1, "c", 0.1, 3)),
    ("PiecewiseConstantDecay", ([2, 5], [0.1, 0.05, 0.01])),
]


@pytest.mark.parametrize("name, args", SCHEDULES, ids=lambda x: str(x)[:30])
@pytest.mark.parametrize("options", [{}, {"gradient_accumulation_steps": 2}], ids=str)
def test_ten_steps_on_a_schedule(name, args, options):
    pair = [m.SGD(getattr(m.schedules, name)(*args), name="o", **options) for m in (ours, theirs)]
    compare(*pair)


@pytest.mark.parametrize("name", [n for n, _ in {row[0]: row for row in ROWS}.values()])
@pytest.mark.parametrize("build", ["apply", "build", "build in a scope"])
def test_paths_of_the_state(name, build):
    found = []
    for m, k in ((ours, kerasish), (theirs, keras)):
        k.utils.clear_session()
        optimizer = getattr(m, name)(use_ema=True, gradient_accumulation_steps=2, name="o")
        shapes = {"kernel": (2, 3), "bias": (3,), "x": ()}
        variables = [k.Variable(np.ones(shape, "float32"), name=n) for n, shape in shapes.items()]
        with k.name_scope("around") if build == "build in a scope" else contextlib.nullcontext():
            if build == "apply":
                optimizer.apply([k.ops.ones_like(v) for v in variables], variables)
            else:
                optimizer.build(variables)
        found.append([(v.name, v.path, v.dtype, tuple(v.shape)) for v in optimizer.variables])
    assert found[0] == found[1]


@pytest.mark.parametrize("build", [False, True])
def test_paths_of_the_state_of_wrappers(build):
    found = []
    for m, k in ((ours, kerasish), (theirs, keras)):
        k.utils.clear_session()
        variables = [k.Variable(np.ones((2, 2), "float32"), name=n) for n in ("kernel", "bias")]
        choice = m.OptimizerMap(m.Nadam(name="n"), {"ker.*": m.Adafactor(name="a"), "none": m.Nadam(name="unused")})
        for optimizer in (
            m.LossScaleOptimizer(m.Adafactor(name="n"), initial_scale=4.0, name="o"),
            m.MultiOptimizer(choice, name="o"),
        ):
            if build:
                optimizer.build(variables)
            optimizer.apply([k.ops.ones_like(v) for v in variables], variables)
            found.append([(v.name, v.path, v.dtype, tuple(v.shape)) for v in optimizer.variables])
    assert found[:2] == found[2:]


def test_loss_scale_optimizer():
    rng = np.random.default_rng(0)
    values = start(rng)
    steps = [[np.asarray(rng.normal(size=v.shape), "float32") for v in values.values()] for _ in range(8)]
    steps[3][1][0, 0] = np.inf
    pair = [
        m.LossScaleOptimizer(m.Adam(0.02, name="a"), initial_scale=4.0, dynamic_growth_steps=2, name="o")
        for m in (ours, theirs)
    ]
    compare(*pair, values=values, steps=steps)


def test_multi_optimizer():
    pair = [
        m.OptimizerMap(m.SGD(0.1, name="s"), {"ke.*": m.Adam(0.1, name="a"), "bias": m.Lion(name="l")})
        for m in (ours, theirs)
    ]
    pair = [m.MultiOptimizer(choice, loss_scale_factor=2.0, name="o") for m, choice in zip((ours, theirs), pair)]
    rng = np.random.default_rng(1)
    values = start(rng)
    steps = [[np.asarray(rng.normal(size=v.shape), "float32") for v in values.values()] for _ in range(5)]
    (got, mine), (want, reference) = (run(o, make, values, steps) for o, make in zip(pair, (Variable, keras.Variable)))
    for g, w in zip(got, want):
        np.testing.assert_allclose(g, w, rtol=2e-6, atol=1e-6)
    assert paths(mine) == paths(reference)


def test_missing_gradients_leave_variables_alone():
    variable, other = Variable(np.ones(2, "float32"), name="a"), Variable(np.ones(2, "float32"), name="b")
    optimizer = ours.Adam(0.1)
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \['b'\]"):
        optimizer.apply([np.ones(2, "float32"), None], [variable, other])
    assert other.numpy().tolist() == [1, 1] and variable.numpy()[0] < 1


def test_a_value_taken_before_a_step_stays():
    variable = Variable(np.ones(2, "float32"))
    before = variable.value
    ours.SGD(0.5).apply([np.ones(2, "float32")], [variable])
    assert before.numpy().tolist() == [1, 1]
    assert variable.numpy().tolist() == [0.5, 0.5]


def test_constraint_holds_after_a_step():
    variable = Variable(np.ones(2, "float32"))
    variable.constraint = lambda w: w * 0 + 3.0
    ours.SGD(0.5).apply([np.ones(2, "float32")], [variable])
    assert variable.numpy().tolist() == [3, 3]


def test_overwrite_with_gradient():
    variable = Variable(np.ones(2, "float32"))
    variable.overwrite_with_gradient = True
    other = Variable(np.ones(2, "float32"))
    ours.SGD(0.5).apply([np.full(2, 7, "float32"), np.ones(2, "float32")], [variable, other])
    assert variable.numpy().tolist() == [7, 7] and other.numpy().tolist() == [0.5, 0.5]


def test_excluded_from_weight_decay():
    variables = [Variable(np.ones(2, "float32"), name=name) for name in ("kernel", "bias", "gamma")]
    optimizer = ours.AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay([variables[0]], ["bi"])
    optimizer.apply([np.zeros(2, "float32")] * 3, variables)
    assert [v.numpy()[0] for v in variables] == [1, 1, pytest.approx(0.95)]


def test_finalize_writes_the_averages():
    variable = Variable(np.zeros(1, "float32"))
    optimizer = ours.SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(2):
        optimizer.apply([np.ones(1, "float32")], [variable])
    assert variable.numpy()[0] == -2
    optimizer.finalize_variable_values([variable])
    assert variable.numpy()[0] == -1.5


@pytest.mark.parametrize("name", [n for n, _ in {row[0]: row for row in ROWS}.values()])
def test_steps_after_an_infinite_gradient(name):
    """Infinities and NaN are where Keras's formulas leave them."""
    rng = np.random.default_rng(1)
    values = start(rng)
    steps = [[np.asarray(rng.normal(size=v.shape), "float32") for v in values.values()] for _ in range(3)]
    steps[1][0] = steps[1][0] * np.float32("inf")
    found = []
    for m, make in ((ours, Variable), (theirs, keras.Variable)):
        weights, optimizer = run(getattr(m, name)(learning_rate=0.1, name="o"), make, values, steps)
        found.append([*weights, *map(np.asarray, optimizer.variables)])
    for g, w in zip(*found):
        np.testing.assert_allclose(g, w, rtol=1e-4, atol=2e-6)
