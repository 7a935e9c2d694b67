"""Names, signatures, configs, state and errors of the optimizers, beside real Keras."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import kerasish.optimizers as ours
from kerasish import ops
from kerasish.core.variable import Variable

keras = pytest.importorskip("keras")
theirs = keras.optimizers
WRAPPERS = {"LossScaleOptimizer", "MultiOptimizer", "OptimizerMap", "Optimizer"}
CLASSES = sorted(n for n in dir(theirs) if inspect.isclass(getattr(theirs, n)))
PLAIN = [n for n in CLASSES if n not in WRAPPERS]
OPTIONS = dict(
    learning_rate=0.5, weight_decay=0.25, clipnorm=2.0, use_ema=True, gradient_accumulation_steps=3, name="o"
)


def parameters(f):
    return [(p.name, p.default, p.kind) for p in inspect.signature(f).parameters.values()]


def ones(*shape, name=None):
    return Variable(np.ones(shape, "float32"), name=name)


@pytest.mark.parametrize("name", [n for n in CLASSES if n != "Optimizer"])
def test_signature(name):
    assert parameters(getattr(ours, name).__init__) == parameters(getattr(theirs, name).__init__)


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("options", [{"name": "o"}, OPTIONS], ids=["defaults", "options"])
def test_config(name, options):
    mine, reference = getattr(ours, name)(**options), getattr(theirs, name)(**options)
    assert mine.get_config() == reference.get_config()
    assert ours.serialize(mine) == theirs.serialize(reference)
    assert ours.deserialize(theirs.serialize(reference)).get_config() == mine.get_config()


def test_wrappers_config():
    pair = [m.LossScaleOptimizer(m.SGD(0.5, name="s"), initial_scale=8.0, name="o") for m in (ours, theirs)]
    assert ours.serialize(pair[0]) == theirs.serialize(pair[1])
    assert float(ours.deserialize(theirs.serialize(pair[1])).inner_optimizer.learning_rate) == 0.5
    pair = [
        m.MultiOptimizer(m.OptimizerMap(m.SGD(0.5, name="s"), {"a.*": m.Adam(name="a")}), name="o")
        for m in (ours, theirs)
    ]
    assert ours.serialize(pair[0]) == theirs.serialize(pair[1])
    assert [type(o).__name__ for o in ours.deserialize(theirs.serialize(pair[1])).optimizers] == ["Adam", "SGD"]


def test_optimizer_map():
    sgd, adam, lion = ours.SGD(), ours.Adam(), ours.Lion()
    chosen = ours.OptimizerMap(sgd, {"a.*": adam, "a/bias": lion})
    assert [chosen[path] for path in ("a/kernel", "a/bias", "ba", "b")] == [adam, lion, sgd, sgd]
    with pytest.raises(ValueError, match="already exists"):
        chosen["a.*"] = sgd
    with pytest.raises(ValueError, match="cannot be LossScaleOptimizer"):
        chosen["c"] = ours.LossScaleOptimizer(sgd)
    chosen[".*kernel"] = lion
    with pytest.raises(ValueError, match="Multiple optimizers assigned to variable a/kernel"):
        chosen["a/kernel"]


def test_loss_scale_of_wrapped_optimizers():
    inner = ours.SGD(loss_scale_factor=2.0)
    outer = ours.MultiOptimizer(ours.OptimizerMap(inner), loss_scale_factor=5.0)
    assert inner.loss_scale_factor == 5.0
    ours.LossScaleOptimizer(outer)
    assert inner.loss_scale_factor is None and outer.loss_scale_factor is None


def test_schedule_in_config():
    pair = [m.SGD(m.schedules.ExponentialDecay(0.5, 10, 0.5), name="o") for m in (ours, theirs)]
    assert ours.serialize(pair[0]) == theirs.serialize(pair[1])
    again = ours.deserialize(theirs.serialize(pair[1]))
    assert isinstance(again._learning_rate, ours.schedules.ExponentialDecay)


@pytest.mark.parametrize(
    "name", "adam Adam ADAM sgd SGD rmsprop adamw adagrad nadam ftrl lion lamb adafactor muon".split()
)
def test_get(name):
    assert type(ours.get(name)).__name__.lower() == name.lower()


def test_get_of_other_things():
    optimizer = ours.SGD()
    assert ours.get(None) is None and ours.get(optimizer) is optimizer
    assert float(ours.get({"class_name": "Adam", "config": {"learning_rate": 0.5}}).learning_rate) == 0.5
    for identifier in ("no_such_optimizer", 3, ours.SGD):
        with pytest.raises(ValueError, match="Could not interpret optimizer identifier"):
            ours.get(identifier)


def gradient():
    return np.ones(2, "float32")


def apply(optimizer, grads, variables=None, built=None):
    if built:
        optimizer.build(built)
    optimizer.apply(grads, variables)


def set_rate(optimizer, rate):
    optimizer.learning_rate = rate


ERRORS = [
    (lambda m, v: m.SGD(clipnorm=1, clipvalue=1), "Only one of"),
    (lambda m, v: m.SGD(use_ema=True, ema_momentum=2), "ema_momentum"),
    (lambda m, v: m.SGD(use_ema=True, ema_overwrite_frequency=1.5), "ema_overwrite_frequency"),
    (lambda m, v: m.SGD(gradient_accumulation_steps=1), "gradient_accumulation_steps"),
    (lambda m, v: m.SGD(lr=0.1), "not recognized: {'lr': 0.1}"),
    (lambda m, v: m.SGD(momentum=2), "momentum"),
    (lambda m, v: m.SGD(learning_rate="fast"), "learning_rate"),
    (lambda m, v: m.SGD(name="a/b"), "cannot contain character"),
    (lambda m, v: m.AdamW(weight_decay=None), "weight_decay"),
    (lambda m, v: m.Lion(beta_1=2), "beta_1"),
    (lambda m, v: m.Ftrl(initial_accumulator_value=-1), "initial_accumulator_value"),
    (lambda m, v: m.Ftrl(learning_rate_power=1), "learning_rate_power"),
    (lambda m, v: m.Ftrl(l1_regularization_strength=-1), "l1_regularization_strength"),
    (lambda m, v: m.LossScaleOptimizer(m.SGD(), clipnorm=1.0), "clipnorm"),
    (lambda m, v: m.OptimizerMap("sgd"), "default_optimizer"),
    (lambda m, v: m.MultiOptimizer(m.OptimizerMap(m.SGD())).learning_rate, "Learning rate cannot be accessed"),
    (lambda m, v: m.legacy.SGD(), "legacy"),
    (lambda m, v: apply(m.SGD(), [gradient()]), "must already be built"),
    (lambda m, v: apply(m.SGD(), [gradient()] * 2, built=[v(name="a")]), "Received a list of 2 gradients"),
    (lambda m, v: apply(m.SGD(), [gradient()], [v(name="a")], built=[v(name="b")]), "Unknown variable"),
    (lambda m, v: apply(m.SGD(), [None], [v(name="a")]), "No gradients provided"),
    (lambda m, v: m.SGD().apply_gradients([]), "not enough values"),
    (lambda m, v: m.SGD().set_weights([1]), "not yet been built"),
    (lambda m, v: set_rate(m.SGD(m.schedules.ExponentialDecay(1.0, 1, 0.5)), 0.5), "not settable"),
]


@pytest.mark.parametrize("action, text", ERRORS, ids=[text for _, text in ERRORS])
def test_errors(action, text):
    with pytest.raises(Exception) as want:
        action(theirs, lambda name: keras.Variable(np.ones(2, "float32"), name=name))
    with pytest.raises(want.type, match=text):
        action(ours, lambda name: ones(2, name=name))


def test_gradient_of_another_shape():
    with pytest.raises(ValueError, match=r"gradient of variable 'w' has shape \(3,\).*expected.*\(2,\)"):
        ours.SGD().apply([np.ones(3, "float32")], [ones(2, name="w")])


def test_old_decay_argument_is_said_to_be_ignored():
    with pytest.warns(UserWarning, match="`decay` is no longer supported"):
        ours.SGD(decay=1e-3)


def test_learning_rate():
    optimizer = ours.SGD(0.5)
    optimizer.learning_rate = 0.25
    assert float(optimizer.learning_rate) == 0.25 and len(optimizer.variables) == 2
    optimizer.learning_rate.assign(0.125)
    assert optimizer.get_config()["learning_rate"] == 0.125
    optimizer.learning_rate = ours.schedules.PiecewiseConstantDecay([0], [1.0, 2.0])
    assert float(optimizer.learning_rate) == 1.0 and len(optimizer.variables) == 1
    assert float(ours.SGD(lambda: 0.75).learning_rate) == 0.75


def test_apply_gradients_returns_iterations():
    assert int(ours.SGD().apply_gradients([(gradient(), ones(2))])) == 1


def test_empty_list_of_gradients_does_nothing():
    optimizer = ours.SGD()
    optimizer.apply([], [])
    assert int(optimizer.iterations) == 0


def test_own_optimizer():
    class Descent(ours.Optimizer):
        def build(self, variables):
            if self.built:
                return
            super().build(variables)
            self.sums, self.counts = self.add_optimizer_variables(variables, ("sum", "count"), ("zeros", "ones"))
            self.total = Variable(0.0, name="total")

        def update_step(self, gradient, variable, learning_rate):
            i = self._get_variable_index(variable)
            self.assign_add(self.sums[i], gradient)
            self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * gradient)

    variables = [ones(2, name="a"), ones(3, name="b")]
    optimizer = Descent(0.5, weight_decay=0.1, clipvalue=1.0, name="d")
    optimizer.apply([np.full(2, 4.0, "float32"), np.ones(3, "float32")], variables)
    np.testing.assert_allclose(variables[0].numpy(), 0.95 - 0.5)
    assert [v.path for v in optimizer.variables] == [
        "d/iteration",
        "d/learning_rate",
        "d/a_sum",
        "d/a_count",
        "d/b_sum",
        "d/b_count",
        "d/total",
    ]


def test_subclass_of_a_built_in_may_change_the_step():
    class Half(ours.SGD):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient * 0.5, variable, learning_rate)

    variable = ones(2)
    Half(1.0).apply([gradient()], [variable])
    assert variable.numpy().tolist() == [0.5, 0.5]


def test_state_is_saved_and_loaded_by_number():
    variable = ones(2, name="w")
    optimizer = ours.Adam()
    optimizer.apply([gradient()], [variable])
    store = {}
    optimizer.save_own_variables(store)
    assert list(store) == ["0", "1", "2", "3"] and store["0"] == 1
    again = ours.Adam()
    with pytest.warns(UserWarning, match="it has 2 variables whereas the saved optimizer has 4 variables"):
        again.load_own_variables(store)
    again.build([variable])
    again.load_own_variables(store)
    again.set_weights([v.numpy() for v in again.variables])
    for a, b in zip(optimizer.variables, again.variables):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_state_saved_by_keras_is_loaded():
    reference = theirs.Nadam(0.1)
    variables = [keras.Variable(np.ones((2, 2), "float32")), keras.Variable(np.ones(2, "float32"))]
    reference.apply([keras.ops.ones((2, 2)), keras.ops.ones(2)], variables)
    store = {}
    reference.save_own_variables(store)
    mine = ours.Nadam(0.1)
    own = [Variable(v.numpy()) for v in variables]
    mine.build(own)
    mine.load_own_variables(store)
    mine.apply([np.ones((2, 2), "float32"), np.ones(2, "float32")], own)
    reference.apply([keras.ops.ones((2, 2)), keras.ops.ones(2)], variables)
    for a, b in zip(own, variables):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


def test_stateless_apply():
    variable = ones(2)
    optimizer = ours.SGD(0.5, momentum=0.5)
    with pytest.raises(ValueError, match="must be built"):
        optimizer.stateless_apply([], [gradient()], [variable])
    optimizer.build([variable])
    state = [v.value for v in optimizer.variables]
    values, state = optimizer.stateless_apply(state, [gradient()], [variable.value])
    values, state = optimizer.stateless_apply(state, [gradient()], values)
    assert values[0].numpy().tolist() == [-0.25, -0.25] and int(state[0]) == 2
    assert variable.numpy().tolist() == [1, 1] and int(optimizer.iterations) == 0
    with pytest.raises(ValueError, match="optimizer_variables"):
        optimizer.stateless_apply([1], [gradient()], values)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("name", ["SGD", "Adam", "Muon", "Adafactor"])
def test_copies_go_on_alone(copied, name):
    variable = ones(2, 2)
    optimizer = getattr(ours, name)(0.5)
    optimizer.exclude_from_weight_decay([variable])
    optimizer.apply([np.ones((2, 2), "float32")], [variable])
    twin, twin_variable = copied((optimizer, variable))
    before = variable.numpy()
    twin.apply([np.ones((2, 2), "float32")], [twin_variable])
    assert int(twin.iterations) == 2 and int(optimizer.iterations) == 1
    np.testing.assert_array_equal(variable.numpy(), before)
    optimizer.apply([np.ones((2, 2), "float32")], [variable])
    np.testing.assert_array_equal(variable.numpy(), twin_variable.numpy())


def test_scaled_loss():
    assert ours.SGD(loss_scale_factor=4.0).scale_loss(2.0) == 8.0
    assert ours.SGD().scale_loss(2.0) == 2.0
    assert float(ours.LossScaleOptimizer(ours.SGD(), initial_scale=4.0).scale_loss(2.0)) == 8.0


@pytest.mark.parametrize("which", [0, 1])
def test_multi_optimizer_without_a_gradient_for_one_of_its_optimizers(which):
    for m, k in ((ours, None), (theirs, keras)):
        variables = [(Variable if k is None else k.Variable)(np.ones(2, "float32"), name=n) for n in ("a", "b")]
        optimizer = m.MultiOptimizer(m.OptimizerMap(m.SGD(1.0), {"a": m.Lion()}))
        gradients = [np.ones(2, "float32"), np.ones(2, "float32")]
        gradients[which] = None
        with pytest.raises(ValueError, match="No gradients provided for any variable"):
            optimizer.apply(gradients, variables)
        with pytest.raises(ValueError, match="one-to-one"):
            optimizer.apply(gradients[:1], variables[:1])
