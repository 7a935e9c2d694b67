"""The first weights of every kind of layer, by every initializer, from the same seed: Keras's own numbers."""

import random

import keras
import numpy as np
import pytest

import kerasish

INITIALIZERS = (
    "glorot_uniform glorot_normal he_uniform he_normal lecun_uniform lecun_normal random_normal random_uniform "
    "truncated_normal variance_scaling orthogonal"
).split()

# Each row: what makes the layer from the module and an initializer, and an input shape.
LAYERS = {
    "Dense": (lambda k, i: k.layers.Dense(5, kernel_initializer=i, bias_initializer="uniform"), (None, 4)),
    "EinsumDense": (lambda k, i: k.layers.EinsumDense("ab,bc->ac", 5, kernel_initializer=i), (None, 4)),
    "EinsumDense, two inputs": (
        lambda k, i: k.layers.EinsumDense("abc,bcd->ad", 5, kernel_initializer=i),
        (None, 4, 3),
    ),
    "EinsumDense, heads": (
        lambda k, i: k.layers.EinsumDense("abc,cde->abde", (None, 2, 6), kernel_initializer=i),
        (None, 4, 3),
    ),
    "EinsumDense, heads joined": (
        lambda k, i: k.layers.EinsumDense("abcd,cde->abe", (None, 7), kernel_initializer=i),
        (None, 4, 2, 3),
    ),
    "EinsumDense, output first": (
        lambda k, i: k.layers.EinsumDense("ab,cb->ac", 5, kernel_initializer=i),
        (None, 4),
    ),
    "EinsumDense, shared letter": (
        lambda k, i: k.layers.EinsumDense("abc,bcd->abd", (4, 5), kernel_initializer=i),
        (None, 4, 3),
    ),
    "EinsumDense, ellipsis": (
        lambda k, i: k.layers.EinsumDense("...x,xy->...y", 5, kernel_initializer=i, bias_axes="y"),
        (None, 2, 4),
    ),
    "EinsumDense, trailing": (
        lambda k, i: k.layers.EinsumDense("abc...,bcd->ad...", (5,), kernel_initializer=i),
        (None, 4, 3, 2),
    ),
    "Conv1D": (lambda k, i: k.layers.Conv1D(5, 3, kernel_initializer=i), (None, 8, 4)),
    "Conv2D": (lambda k, i: k.layers.Conv2D(5, (3, 2), kernel_initializer=i), (None, 8, 8, 4)),
    "Conv2D, groups": (lambda k, i: k.layers.Conv2D(6, 3, groups=2, kernel_initializer=i), (None, 8, 8, 4)),
    "Conv3D": (lambda k, i: k.layers.Conv3D(5, 2, kernel_initializer=i), (None, 4, 4, 4, 2)),
    "Conv1DTranspose": (lambda k, i: k.layers.Conv1DTranspose(5, 3, kernel_initializer=i), (None, 8, 4)),
    "Conv2DTranspose": (lambda k, i: k.layers.Conv2DTranspose(5, 3, kernel_initializer=i), (None, 8, 8, 4)),
    "Conv3DTranspose": (lambda k, i: k.layers.Conv3DTranspose(5, 2, kernel_initializer=i), (None, 4, 4, 4, 2)),
    "DepthwiseConv1D": (
        lambda k, i: k.layers.DepthwiseConv1D(3, depth_multiplier=2, depthwise_initializer=i),
        (None, 8, 4),
    ),
    "DepthwiseConv2D": (
        lambda k, i: k.layers.DepthwiseConv2D(3, depth_multiplier=2, depthwise_initializer=i),
        (None, 8, 8, 4),
    ),
    "SeparableConv1D": (
        lambda k, i: k.layers.SeparableConv1D(5, 3, depthwise_initializer=i, pointwise_initializer=i),
        (None, 8, 4),
    ),
    "SeparableConv2D": (
        lambda k, i: k.layers.SeparableConv2D(5, 3, depthwise_initializer=i, pointwise_initializer=i),
        (None, 8, 8, 4),
    ),
    "Embedding": (lambda k, i: k.layers.Embedding(7, 5, embeddings_initializer=i), (None, 3)),
    "PReLU": (lambda k, i: k.layers.PReLU(alpha_initializer=i, shared_axes=[1]), (None, 6, 4)),
    "SpectralNormalization": (
        lambda k, i: k.layers.SpectralNormalization(k.layers.Conv2D(5, 3, kernel_initializer=i)),
        (None, 8, 8, 4),
    ),
}
VECTORS = {
    "BatchNormalization": lambda k, i: k.layers.BatchNormalization(
        beta_initializer=i, gamma_initializer=i, moving_mean_initializer=i, moving_variance_initializer=i
    ),
    "LayerNormalization": lambda k, i: k.layers.LayerNormalization(beta_initializer=i, gamma_initializer=i),
    "GroupNormalization": lambda k, i: k.layers.GroupNormalization(2, beta_initializer=i, gamma_initializer=i),
    "Dense": lambda k, i: k.layers.Dense(5, bias_initializer=i),
    "Conv2D": lambda k, i: k.layers.Conv2D(5, 3, bias_initializer=i),
}


def compare(build, shape):
    """The weights of both libraries, from one seed given to the initializer and from the global one."""
    weights = []
    for k in (keras, kerasish):
        k.utils.clear_session(free_memory=False)
        random.seed(5)
        layer = build(k)
        layer.build(shape)
        weights.append([(w.path, np.asarray(w)) for w in layer.weights])
    for (path, wanted), (our_path, ours) in zip(*weights, strict=True):
        assert path == our_path
        np.testing.assert_allclose(ours, wanted, rtol=1e-5, atol=2e-6, err_msg=path)


@pytest.mark.parametrize("name", LAYERS)
def test_kernels(name):
    build, shape = LAYERS[name]
    for initializer in INITIALIZERS:
        compare(lambda k, i=initializer: build(k, i), shape)
    for family in ("GlorotNormal", "HeUniform", "LecunNormal"):
        compare(lambda k, f=family: build(k, getattr(k.initializers, f)(seed=3)), shape)
        generator = lambda k, f=family: getattr(k.initializers, f)(seed=k.random.SeedGenerator(4))
        compare(lambda k, g=generator: build(k, g(k)), shape)


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name):
    for initializer in INITIALIZERS[:-1]:  # orthogonal needs a matrix
        compare(lambda k, i=initializer: VECTORS[name](k, i), (None, 6, 6, 4))


@pytest.mark.parametrize("axes", [{"input_axes": [0]}, {"input_axes": [0, 1], "output_axes": [2]}])
def test_axes_of_the_user_are_kept(axes):
    compare(
        lambda k: k.layers.EinsumDense(
            "abc,bcd->ad", 5, kernel_initializer=k.initializers.GlorotUniform(seed=2, **axes)
        ),
        (None, 4, 3),
    )
