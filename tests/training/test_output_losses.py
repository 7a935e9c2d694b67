"""The mean losses of several outputs, and how many weights they take, beside real Keras."""

import numpy as np
import pytest

import kerasish

keras = pytest.importorskip("keras")

RNG = np.random.default_rng(0)
X, P, Q = (RNG.standard_normal((13, n)).astype("float32") for n in (3, 2, 1))


def model(k, **options):
    x = k.Input((3,))
    outputs = {n: k.layers.Dense(units, name=n, kernel_initializer="ones")(x) for n, units in (("p", 2), ("q", 1))}
    built = k.Model(x, outputs if options.pop("named", False) else list(outputs.values()))
    built.compile("sgd", **options)
    return built


@pytest.mark.parametrize("eager", [True, False])
def test_batches_of_different_sizes(eager):
    """Run eagerly, Keras weighs batches by their samples; in a graph it does not know how many there are."""
    found = []
    for k in (keras, kerasish):
        net = model(k, loss=["mse", "mae"], run_eagerly=eager)
        history = net.fit(X, [P, Q], batch_size=5, epochs=1, shuffle=False, verbose=0).history
        found.append([*(v[0] for v in history.values()), *net.evaluate(X, [P, Q], batch_size=4, verbose=0)])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)


@pytest.mark.parametrize(
    "named, loss, weights",
    [
        (False, "mse", [0.5]),
        (True, "mse", {"p": 0.5}),
        (True, {"p": "mse"}, {"p": 0.5, "q": 2.0}),
        (True, {"p": "mse"}, {"p": 0.5}),
        (False, ["mse", None], [0.5, 2.0]),
        (False, ["mse", "mae"], [0.5]),
        (True, {"p": "mse", "q": "mae"}, [0.5, 2.0]),
    ],
)
def test_number_of_weights(named, loss, weights):
    found = []
    for k in (keras, kerasish):
        net = model(k, named=named, loss=loss, loss_weights=weights, run_eagerly=True)
        try:
            found.append(net.evaluate(X, {"p": P, "q": Q} if named else [P, Q], verbose=0, return_dict=True))
        except ValueError as error:
            found.append(str(error)[:75])
    assert found[1] == (found[0] if isinstance(found[0], str) else pytest.approx(found[0], rel=1e-5))
