"""Identity, Masking, Lambda, Wrapper."""

import keras
import numpy as np
import pytest

import kerasish

from .harness import cases, check_layer, check_refusal, refusal, refusals, row


def scaled(x, factor=1):
    return x * factor


@cases(
    row("Identity", lambda k: k.layers.Identity(), (2, 3)),
    row("Masking", lambda k: k.layers.Masking(), (2, 3, 4)),
    row("Lambda", lambda k: k.layers.Lambda(lambda x: x * 2), (2, 3), config=False),
    row("Lambda, arguments", lambda k: k.layers.Lambda(scaled, arguments={"factor": 3}), (2, 3), config=False),
    row("Lambda, shape", lambda k: k.layers.Lambda(lambda x: x[:, :1], output_shape=(1,)), (2, 3), config=False),
    row("Lambda, shapes alone", lambda k: k.layers.Lambda(lambda x: k.ops.sum(x, axis=1)), (2, 3), config=False),
)
def test_layers(build, shapes, options):
    check_layer(build, shapes, **options)


def test_masking_mask():
    x = np.array([[[1.0, 1.0], [0.0, 1.0]]], "float32")
    layer = kerasish.layers.Masking(mask_value=1)
    np.testing.assert_array_equal(layer.compute_mask(x).numpy(), [[False, True]])
    np.testing.assert_array_equal(layer(x).numpy(), [[[0, 0], [0, 1]]])


def test_identity_takes_structures():
    result = kerasish.layers.Identity()([np.zeros(2), np.ones(3)])
    assert [tuple(x.shape) for x in result] == [(2,), (3,)]


def test_lambda_passes_what_the_function_takes():
    layer = kerasish.layers.Lambda(lambda x, training=None: x * (2 if training else 1))
    np.testing.assert_array_equal(layer(np.ones(2), training=True).numpy(), [2, 2])
    np.testing.assert_array_equal(layer(np.ones(2), training=False).numpy(), [1, 1])


def test_lambda_configuration():
    for function in (scaled, lambda x: x + 1):
        options = dict(output_shape=(3,), arguments={"a": 1}, name="twice")
        mine, wanted = (m.layers.Lambda(function, **options).get_config() for m in (kerasish, keras))
        assert mine == wanted


def test_lambda_comes_back_only_when_allowed():
    config = kerasish.layers.Lambda(lambda x: x**2).get_config()
    with pytest.raises(ValueError, match="Lambda"):
        kerasish.layers.Lambda.from_config(config)
    layer = kerasish.layers.Lambda.from_config(config, safe_mode=False)
    np.testing.assert_array_equal(layer(2 * np.ones(2)).numpy(), [4, 4])


def test_named_function_comes_back():
    config = kerasish.layers.Lambda(scaled, arguments={"factor": 3}).get_config()
    layer = kerasish.layers.Lambda.from_config(config, custom_objects={"scaled": scaled})
    np.testing.assert_array_equal(layer(np.ones(2)).numpy(), [3, 3])


def test_wrapper():
    ours, theirs = (m.layers.Wrapper(m.layers.Dense(2, name="d"), name="w") for m in (kerasish, keras))
    assert ours.get_config() == theirs.get_config()
    ours.build((None, 3)), theirs.build((None, 3))
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    assert kerasish.layers.Wrapper.from_config(ours.get_config()).get_config() == ours.get_config()


@refusals(
    refusal("wrapped", lambda k: k.layers.Wrapper(3), "Layer 3 supplied to Wrapper"),
    refusal("function", lambda k: k.layers.Lambda(3), "function=3", error=TypeError),
)
def test_refusals(attempt, texts, error):
    check_refusal(attempt, texts, error)
