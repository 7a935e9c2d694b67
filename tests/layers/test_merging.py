"""Layers that make one tensor of several."""

import keras
import numpy as np
import pytest

import kerasish

from .harness import cases, check_layer, check_refusal, random_array, refusal, refusals, row

SAME = ((2, 3, 4), (2, 3, 4))


@cases(
    row("Add", lambda k: k.layers.Add(), *SAME),
    row("Add, three", lambda k: k.layers.Add(), *SAME, (2, 3, 4)),
    row("Add, broadcast", lambda k: k.layers.Add(), (2, 3, 4), (2, 1, 4)),
    row("Add, ranks", lambda k: k.layers.Add(), (2, 3, 4), (2, 4)),
    row("Subtract", lambda k: k.layers.Subtract(), *SAME),
    row("Multiply", lambda k: k.layers.Multiply(), *SAME, (2, 1, 1)),
    row("Average", lambda k: k.layers.Average(), *SAME, (2, 3, 4)),
    row("Maximum", lambda k: k.layers.Maximum(), *SAME),
    row("Minimum", lambda k: k.layers.Minimum(), *SAME, (2, 3, 4)),
    row("Concatenate", lambda k: k.layers.Concatenate(), (2, 3, 4), (2, 3, 1), (2, 3, 2)),
    row("Concatenate, axis", lambda k: k.layers.Concatenate(axis=1), (2, 3, 4), (2, 1, 4)),
    row("Dot", lambda k: k.layers.Dot(1), (2, 3), (2, 3)),
    row("Dot, axes", lambda k: k.layers.Dot((1, 2)), (2, 3, 4), (2, 5, 3)),
    row("Dot, last", lambda k: k.layers.Dot(-1), (2, 3, 4), (2, 5, 4)),
    row("Dot, rank 3 and 2", lambda k: k.layers.Dot([2, 1]), (2, 3, 4), (2, 4)),
    row("Dot, rank 2 and 3", lambda k: k.layers.Dot((1, 2)), (2, 3), (2, 4, 3)),
    row("Dot, rank 4", lambda k: k.layers.Dot((3, 1)), (2, 3, 2, 4), (2, 4, 5)),
    row("Dot, cosine, axes", lambda k: k.layers.Dot((1, 2), normalize=True), (2, 3), (2, 4, 3)),
    row("Dot, cosine, empty", lambda k: k.layers.Dot((1, 2), normalize=True), (0, 3), (0, 4, 3)),
    row("Dot, cosine", lambda k: k.layers.Dot(1, normalize=True), (2, 3), (2, 3)),
)
def test_merging(build, shapes, options):
    check_layer(build, shapes, **options)


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot"])
def test_functions(name):
    inputs = [random_array((2, 3), seed=seed) for seed in (0, 1)]
    mine, wanted = (getattr(m.layers, name)(inputs) for m in (kerasish, keras))
    np.testing.assert_allclose(mine.numpy(), wanted.numpy(), atol=1e-6)
    symbolic = getattr(kerasish.layers, name)([kerasish.Input((3,)), kerasish.Input((3,))], name="merged")
    assert symbolic.shape == (None, *wanted.shape[1:])


@pytest.mark.parametrize(
    "build, mask",
    [
        (lambda k: k.layers.Add(), [[[True, False]], [[False, False]]]),
        (lambda k: k.layers.Add(), [[[True, False]], None]),
        (lambda k: k.layers.Add(), None),
        (lambda k: k.layers.Concatenate(1), [[[True, False]], None]),
        (lambda k: k.layers.Concatenate(1), [[[True, False]], [[False, False]]]),
        (lambda k: k.layers.Concatenate(-1), [[[True, False]], None]),
        (lambda k: k.layers.Concatenate(-1), [None, None]),
        (lambda k: k.layers.Dot(2), [[[True, False]], None]),
    ],
)
def test_masks(build, mask):
    masks = mask and [m and np.array(m) for m in mask]
    inputs = [np.zeros((1, 2, 3), "float32")] * 2
    mine, wanted = (build(m).compute_mask(inputs, masks) for m in (kerasish, keras))
    assert (mine is None) == (wanted is None)
    if wanted is not None:
        np.testing.assert_array_equal(np.asarray(mine.numpy()), wanted.numpy())


@refusals(
    refusal("one", lambda k: k.layers.Add()(k.Input((3,))), "list of inputs", "(None, 3)"),
    refusal("shapes", lambda k: k.layers.Add()([k.Input((3,)), k.Input((4,))]), "layer 'add", "(3,) and (4,)"),
    refusal("batches", lambda k: k.layers.Multiply()([np.zeros((2, 3)), np.zeros((3, 3))]), "different batch sizes"),
    refusal("subtract", lambda k: k.layers.Subtract()([k.Input((3,))] * 3), "exactly 2 inputs"),
    refusal("concatenate", lambda k: k.layers.Concatenate()([k.Input((2, 3)), k.Input((3, 3))]), "matching shapes"),
    refusal("concatenate one", lambda k: k.layers.Concatenate()(k.Input((3,))), "at least 1 input"),
    refusal("concatenate axis", lambda k: k.layers.Concatenate(5)([k.Input((2, 3))] * 2), "axis=5"),
    refusal("axes type", lambda k: k.layers.Dot(1.5), "axes=1.5"),
    refusal("axes count", lambda k: k.layers.Dot((1, 2, 3)), "two elements"),
    refusal("dot shapes", lambda k: k.layers.Dot((1, 2))([k.Input((2, 3)), k.Input((4, 3))]), "2 (at axis 1) != 3"),
    refusal("dot one", lambda k: k.layers.Dot(1)([k.Input((2, 3))]), "list of 2 inputs"),
    refusal("dot axis", lambda k: k.layers.Dot(9)([k.Input((2, 3))] * 2), "axis 9"),
    refusal("dot batch axis", lambda k: k.layers.Dot(0)([np.zeros((2, 3))] * 2), "batch axis"),
    refusal(
        "mask", lambda k: k.layers.Add().compute_mask([np.zeros(3)] * 2, np.ones(3, bool)), "`mask` should be a list"
    ),
    refusal("masks", lambda k: k.layers.Add().compute_mask([np.zeros(3)] * 2, [None]), "same length"),
)
def test_refusals(attempt, texts, error):
    check_refusal(attempt, texts, error)
