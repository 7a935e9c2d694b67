"""An embedding whose ids repeat: where Keras's back-ends differ, kerasish trains as Keras on JAX does.

On TensorFlow Keras squares the gradients of a row's repetitions before it adds them.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("jax")

PROGRAM = """
import importlib, json, sys
import numpy as np

def trained(keras, name):
    model = keras.Sequential([keras.Input((6,), dtype="int32"), keras.layers.Embedding(5, 3), keras.layers.Flatten(),
                              keras.layers.Dense(1)])
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape).astype("float32") for w in model.get_weights()])
    model.compile(getattr(keras.optimizers, name)(learning_rate=0.05), "mse")
    x, y = rng.integers(0, 3, size=(16, 6)).astype("int32"), rng.normal(size=(16, 1)).astype("float32")
    losses = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"]
    return [losses, *[w.tolist() for w in model.get_weights()]]
"""
NAMES = ["SGD", "Adam", "RMSprop", "Adagrad", "Nadam", "Adadelta", "Ftrl"]


@pytest.fixture(scope="module")
def on_jax():
    """What Keras on JAX makes of it, in a process of its own: a back-end is chosen at import."""
    code = PROGRAM + f"\nimport keras\nprint(json.dumps({{n: trained(keras, n) for n in {NAMES}}}))"
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", NAMES)
def test_as_keras_on_jax(name, on_jax):
    import kerasish

    scope = {}
    exec(PROGRAM, scope)
    for got, want in zip(scope["trained"](kerasish, name), on_jax[name], strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-5)
