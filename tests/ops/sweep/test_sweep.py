"""Every public op beside real Keras."""

from __future__ import annotations

import pytest

import kerasish
from tests.ops.sweep import harness
from tests.ops.sweep.exceptions import EXCEPTIONS
from tests.ops.sweep.rows import OWN, name_of

LABELS = [*harness.ROWS, *OWN]
BESIDE = list(harness.ROWS)
SOME, SYMBOLIC = ("float32", "int32"), ("float32", "int32", "bool", "bfloat16")

CHECKS = {
    # name: (labels, function, arguments in the fast tier, arguments in full)
    "values": (BESIDE, harness.values, SOME, harness.DTYPES),
    "symbolic": (LABELS, harness.symbolic, ("float32",), SYMBOLIC),
    "open axes": (LABELS, harness.open_axes, ("float32",), SOME),
    "gradients": (BESIDE, harness.gradients, ("float64",), ("float64", "float32")),
    "directional": (LABELS, harness.directional, ("float64",), ("float64",)),
    "second": (LABELS, harness.second, ("float64",), ("float64",)),
    "empty": (BESIDE, harness.emptied, ("float32",), SOME),
    "scalars": (BESIDE, harness.scalars, ("float32",), SOME),
    "nan": (BESIDE, harness.spoilt, ("float32",), ("float32",)),
}


def differences(check, label, dtypes) -> list[str]:
    """What differs in each dtype."""
    function = CHECKS[check][1]
    return [f"{dtype}: {found}" for dtype in dtypes if (found := function(label, dtype))]


@pytest.mark.parametrize("label", LABELS)
def test_row(label):
    found = {
        check: differences(check, label, some)
        for check, (labels, _, some, _) in CHECKS.items()
        if label in labels and (check, label) not in EXCEPTIONS
    }
    assert not any(found.values()), found


@pytest.mark.nightly
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("label", LABELS)
def test_row_in_full(label, check):
    labels, _, _, dtypes = CHECKS[check]
    if label not in labels:
        pytest.skip("kerasish's own")
    found = differences(check, label, dtypes)
    reason = EXCEPTIONS.get((check, label))
    assert not found or reason, found
    assert found or not reason, f"does not differ any more; take it from the exceptions: {reason}"


def test_every_op_has_a_row():
    public = {n for n, v in vars(kerasish.ops).items() if callable(v) and not n.startswith("_")}
    assert public - {name_of(label) for label in LABELS} == {"check_gradients"}  # which is no op
    assert not {label for _, label in EXCEPTIONS} - set(LABELS)


def test_every_op_says_whether_it_has_a_gradient():
    from kerasish.core.op import Op

    def subclasses(cls):
        return {cls}.union(*map(subclasses, cls.__subclasses__()))

    silent = {
        cls.__name__
        for cls in subclasses(Op) - {Op}
        if cls.forward is not Op.forward and cls.backward is Op.backward and cls.differentiable
    }
    assert not {name for name in silent if not name.startswith("_")}


def test_forgetting_the_gradient_raises():
    from kerasish.core.op import Op

    class Halve(Op):
        def forward(self, ctx, x):
            return x / 2

    class Square(Op):
        def forward(self, ctx, x):
            ctx.save(x * 2)
            return x * x

        def backward(self, ctx, gy):
            return gy * ctx.saved[0]

    x = kerasish.Variable([1.0, 2.0])
    with kerasish.GradientTape() as tape:
        y = Halve()(x)
    with pytest.raises(NotImplementedError, match="Halve has no gradient"):
        tape.gradient(y, x)
    with kerasish.GradientTape(), pytest.raises(RuntimeError, match="Square.forward saves an array that is neither"):
        Square()(x)


@pytest.mark.parametrize("name", ["ops", "random"])
def test_a_value_is_always_an_array(name):
    import numpy as np

    results = {
        "ops": [kerasish.ops.digitize(0.5, [0.0, 1.0]), kerasish.ops.erf(0.5), kerasish.ops.gelu(0.5, False)],
        "random": [kerasish.random.beta((), 1.0, 2.0), kerasish.random.binomial((), 3.0, 0.5)],
    }[name]
    for y in results:
        assert isinstance(y, kerasish.ops.zeros(1).__class__)
        assert isinstance(y.numpy(), np.ndarray)
