"""Dense, EinsumDense, Embedding."""

import numpy as np

import kerasish

from .harness import cases, check_layer, check_refusal, refusal, refusals, row


@cases(
    row("plain", lambda k: k.layers.Dense(4), (3, 5)),
    row("relu, fused", lambda k: k.layers.Dense(4, activation="relu"), (3, 5)),
    row("softmax", lambda k: k.layers.Dense(4, activation="softmax"), (3, 5)),
    row("no bias", lambda k: k.layers.Dense(4, use_bias=False, activation="relu"), (3, 5)),
    row("rank 3", lambda k: k.layers.Dense(4, activation="gelu"), (2, 3, 5)),
    row("rank 4", lambda k: k.layers.Dense(1, activation="relu"), (2, 3, 2, 5)),
    row("empty batch", lambda k: k.layers.Dense(4), (0, 5)),
    row("function", lambda k: k.layers.Dense(2, activation=k.activations.selu), (2, 5)),
    row("activity", lambda k: k.layers.Dense(2, activity_regularizer="l2", kernel_regularizer="l1"), (2, 5)),
    row("constraints", lambda k: k.layers.Dense(2, kernel_constraint="unit_norm", bias_constraint="non_neg"), (2, 5)),
    row("float64", lambda k: k.layers.Dense(4, dtype="float64"), (3, 5)),
)
def test_dense(build, shapes, options):
    check_layer(build, shapes, **options)


@cases(
    row("plain", lambda k: k.layers.EinsumDense("ab,bc->ac", 4), (3, 5)),
    row("bias", lambda k: k.layers.EinsumDense("abc,cd->abd", (None, 4), bias_axes="d"), (2, 3, 5)),
    row("two bias axes", lambda k: k.layers.EinsumDense("abc,cde->abde", (None, 3, 4), "relu", "de"), (2, 3, 5)),
    row("middle bias", lambda k: k.layers.EinsumDense("abc,cde->abde", (7, 3, 4), bias_axes="d"), (2, 7, 5)),
    row("left ellipsis", lambda k: k.layers.EinsumDense("...x,xy->...y", 4, bias_axes="y"), (3, 5)),
    row("right ellipsis", lambda k: k.layers.EinsumDense("ab...,bc->ac...", 4), (2, 5, 3)),
)
def test_einsum_dense(build, shapes, options):
    check_layer(build, shapes, **options)


@cases(
    row("plain", lambda k: k.layers.Embedding(3, 4), (2, 5), dtype="int32"),
    row("mask", lambda k: k.layers.Embedding(3, 4, mask_zero=True), (2, 5), dtype="int32"),
    row("floats", lambda k: k.layers.Embedding(3, 4), (2, 5), dtype="uint8"),
    row(
        "options",
        lambda k: k.layers.Embedding(3, 4, "he_normal", "l2", "max_norm"),
        (2,),
        dtype="int32",
    ),
)
def test_embedding(build, shapes, options):
    check_layer(build, shapes, **options)


def test_embedding_starts_from_weights():
    table = np.arange(6.0).reshape(3, 2)
    for weights in (table, [table]):
        layer = kerasish.layers.Embedding(3, 2, weights=weights)
        np.testing.assert_array_equal(layer(np.array([2, 0])).numpy(), table[[2, 0]])


def test_embedding_mask():
    layer = kerasish.layers.Embedding(3, 2, mask_zero=True)
    np.testing.assert_array_equal(layer.compute_mask(np.array([[0, 1]])).numpy(), [[False, True]])


@refusals(
    refusal("units 0", lambda k: k.layers.Dense(0), "layer 'dense", "units=0"),
    refusal("units float", lambda k: k.layers.Dense(2.0), "positive integer", "units=2.0"),
    refusal("activation", lambda k: k.layers.Dense(3, activation="nope"), "nope"),
    refusal("rank", lambda k: k.layers.Dense(3)(k.Input(())), "expected min_ndim=2, found ndim=1"),
    refusal("open features", lambda k: k.layers.Dense(3)(k.Input((None,))), "Axis -1", "(None, None)"),
    refusal(
        "other features",
        lambda k: [x := k.layers.Dense(3), x(np.zeros((2, 4))), x(np.zeros((2, 5)))],
        "expected axis -1 of input shape to have value 4",
    ),
    refusal("lora", lambda k: k.layers.Dense(3, lora_rank=2), "lora_rank=2", error=NotImplementedError),
    refusal("quantized", lambda k: k.layers.Dense(3).quantize("int8"), "int8", error=NotImplementedError),
    refusal("equation", lambda k: k.layers.EinsumDense("ab->ab", 3)(k.Input((3,))), "Invalid einsum equation 'ab->ab'"),
    refusal(
        "bias axes",
        lambda k: k.layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="z")(k.Input((2, 3))),
        "Bias dimension 'z'",
    ),
    refusal("input_dim", lambda k: k.layers.Embedding(0, 3), "(Embedding)", "input_dim=0"),
    refusal("output_dim", lambda k: k.layers.Embedding(3, -2), "output_dim=-2"),
    refusal("output_dim float", lambda k: k.layers.Embedding(3, 2.5), "output_dim=2.5"),
    refusal("table", lambda k: k.layers.Embedding(3, 2, weights=np.ones((3, 3))), "(3, 3)"),
)
def test_refusals(attempt, texts, error):
    check_refusal(attempt, texts, error)


@refusals(
    refusal("units", lambda k: k.layers.Dense.from_config({"units": -1}), "class 'Dense'", "units=-1"),
    refusal(
        "input_dim", lambda k: k.layers.Embedding.from_config({"input_dim": 3.7, "output_dim": 2}), "input_dim=3.7"
    ),
)
def test_configs_refused(attempt, texts, error):
    check_refusal(attempt, texts, error)
