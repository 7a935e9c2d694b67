"""One optimizer: some steps with options in pairs, its state, its configuration, its files."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from parity.differential.draws import booleans, one, seeds, some
from parity.differential.outcome import as_json, plain
from parity.differential.subject import subject

SHAPES = st.lists(one((3, 2), (4,), (), (2, 2, 2)), min_size=1, max_size=3)


def run(keras, data):
    """The weights after each of some steps, the state, and a copy made of configuration and state."""
    keras.utils.set_random_seed(0)
    arguments = dict(data["arguments"])
    if "schedule" in data:
        name, options = data["schedule"]
        arguments["learning_rate"] = getattr(keras.optimizers.schedules, name)(**options)
    optimizer = getattr(keras.optimizers, data["optimizer"])(**arguments)
    inner = optimizer
    if data["wrapper"]:
        optimizer = _wrapped(keras, optimizer, data["wrapper"])
    rng = np.random.default_rng(data["seed"])
    variables = [
        keras.Variable(rng.standard_normal(s).astype("float32"), name=f"v{i}") for i, s in enumerate(data["shapes"])
    ]
    if data["constrained"]:
        variables[0].constraint = keras.constraints.NonNeg()
    if data["spared"] and not data["wrapper"]:  # Keras's wrappers keep to themselves what is to be spared
        spared = {"var_list": variables[:1]} if data["spared"] == "list" else {"var_names": [data["spared"]]}
        optimizer.exclude_from_weight_decay(**spared)
    out = {"config": as_json(optimizer.get_config()), "steps": []}
    if data["built"]:
        optimizer.build(variables)
    for step in range(data["steps"]):
        if step == 2 and data["rate"] and "schedule" not in data:
            inner.learning_rate = data["rate"]
        gradients = [
            keras.ops.convert_to_tensor((rng.standard_normal(v.shape) * data["scale"]).astype("float32"))
            for v in variables
        ]
        if step == 1 and data["missing"] and len(variables) > 1:
            gradients[0] = None
        if step == 3 and data["infinite"]:
            gradients[-1] = gradients[-1] * float("inf")
        if step % 2:
            optimizer.apply(gradients, variables)
        else:
            optimizer.apply_gradients(zip(gradients, variables))
        out["steps"].append([plain(v) for v in variables])
    out["iterations"] = int(optimizer.iterations)
    out["rate"] = plain(inner.learning_rate)
    out["scaled"] = plain(optimizer.scale_loss(keras.ops.ones(())))
    out["state"] = [[v.path, plain(v)] for v in optimizer.variables]
    optimizer.finalize_variable_values(variables)
    out["final"] = [plain(v) for v in variables]
    again = type(optimizer).from_config(optimizer.get_config())
    out["again"] = as_json(again.get_config())
    again.build(variables)
    for mine, theirs in zip(again.variables, optimizer.variables):
        mine.assign(theirs)
    gradients = [keras.ops.ones(v.shape) * 0.5 for v in variables]
    again.apply(gradients, variables)
    out["one more"] = [plain(v) for v in variables]
    return out


def _wrapped(keras, optimizer, wrapper):
    """An optimizer in one of those that hold others."""
    if wrapper == "scale":
        return keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=8.0, dynamic_growth_steps=2)
    choice = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.1), {"v0|v2": optimizer})
    return keras.optimizers.MultiOptimizer(choice)


COMMON = {
    "weight_decay": one(None, 0.01),
    "clipnorm": one(0.5),
    "use_ema": booleans,
    "ema_momentum": one(0.9),
    "ema_overwrite_frequency": one(None, 2),
    "gradient_accumulation_steps": one(None, 2, 3),
    "name": one("mine"),
    "loss_scale_factor": one(None, 4.0),
}
CLIPPING = st.one_of(some(clipnorm=one(0.5)), some(clipvalue=one(0.3)), some(global_clipnorm=one(0.7)))
SCHEDULES = st.one_of(
    st.tuples(
        st.just("ExponentialDecay"),
        st.fixed_dictionaries(
            {"initial_learning_rate": one(0.1), "decay_steps": one(2, 3), "decay_rate": one(0.5)},
            optional={"staircase": booleans},
        ),
    ),
    st.tuples(
        st.just("CosineDecay"),
        st.fixed_dictionaries(
            {"initial_learning_rate": one(0.1, 0.0), "decay_steps": one(3, 5)},
            optional={"alpha": one(0.1), "warmup_target": one(0.2), "warmup_steps": one(2)},
        ),
    ),
    st.tuples(st.just("PiecewiseConstantDecay"), st.just({"boundaries": [1, 3], "values": [0.1, 0.05, 0.01]})),
    st.tuples(
        st.just("PolynomialDecay"),
        st.fixed_dictionaries(
            {"initial_learning_rate": one(0.1), "decay_steps": one(3)}, optional={"power": one(2.0), "cycle": booleans}
        ),
    ),
    st.tuples(
        st.just("InverseTimeDecay"),
        st.fixed_dictionaries(
            {"initial_learning_rate": one(0.1), "decay_steps": one(2), "decay_rate": one(0.5)},
            optional={"staircase": booleans},
        ),
    ),
    st.tuples(
        st.just("CosineDecayRestarts"),
        st.fixed_dictionaries(
            {"initial_learning_rate": one(0.1), "first_decay_steps": one(2, 3)},
            optional={"t_mul": one(1.5), "m_mul": one(0.8)},
        ),
    ),
)


@st.composite
def steps(draw, name, options):
    """Data of one optimizer and some steps."""
    common = {k: v for k, v in COMMON.items() if k != "clipnorm"}
    data = {
        "optimizer": name,
        "arguments": {**draw(some(**{"learning_rate": one(0.01, 0.1), **common, **options})), **draw(CLIPPING)},
        "shapes": draw(SHAPES),
        "steps": draw(st.integers(1, 5)),
        "scale": draw(one(1.0, 100.0, 0.0)),
        "seed": draw(seeds),
        "constrained": draw(booleans),
        "missing": draw(one(False, False, True)),
        "wrapper": draw(one(None, None, None, "scale", "multi")),
        "spared": draw(one(None, None, "list", "v1", "v")),
        "built": draw(booleans),
        "rate": draw(one(None, 0.02)),
        "infinite": draw(one(False, False, False, True)),
    }
    if draw(one(False, False, True)):
        data["schedule"] = draw(SCHEDULES)
    return data


BETAS = {"beta_1": one(0.9, 0.5), "beta_2": one(0.999, 0.9), "epsilon": one(1e-7, 1e-2)}
for name, options in {
    "SGD": {"momentum": one(0.9, 0.0), "nesterov": booleans},
    "Adam": BETAS | {"amsgrad": booleans},
    "AdamW": BETAS | {"amsgrad": booleans, "weight_decay": one(0.004, 0.1)},
    "Adamax": BETAS,
    "Nadam": BETAS,
    "Lamb": BETAS,
    "Lion": {"beta_1": one(0.9, 0.5), "beta_2": one(0.99, 0.5)},
    "RMSprop": {"rho": one(0.9, 0.5), "momentum": one(0.0, 0.9), "centered": booleans, "epsilon": one(1e-7, 1e-2)},
    "Adagrad": {"initial_accumulator_value": one(0.1, 0.5), "epsilon": one(1e-7, 1e-2)},
    "Adadelta": {"rho": one(0.95, 0.5), "epsilon": one(1e-7, 1e-2)},
    "Adafactor": {"beta_2_decay": one(-0.8), "clip_threshold": one(1.0, 0.1), "relative_step": booleans},
    "Ftrl": {
        "learning_rate_power": one(-0.5, 0.0),
        "l1_regularization_strength": one(0.0, 0.1),
        "beta": one(0.0, 0.2),
        "l2_regularization_strength": one(0.0, 0.1),
        "l2_shrinkage_regularization_strength": one(0.0, 0.1),
    },
    "ScheduleFreeAdamW": {"warmup_steps": one(0, 2), "beta_1": one(0.9, 0.5)},
    "Muon": {"momentum": one(0.95, 0.5), "nesterov": booleans, "ns_steps": one(5, 2)},
}.items():
    subject("optimizers", name, steps(name, options), run, tolerance=2e-4 if name == "Muon" else 2e-5)
