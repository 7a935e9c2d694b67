"""Up-sampling: twins, adjoints, Keras."""

import numpy as np
import pytest

from kerasish.kernels import find, twin_of

from .harness import array, check_adjoint, check_twins

cpu = twin_of(np.zeros(1))


@pytest.mark.parametrize("factors", [(2, 2), (1, 3), (3, 1)])
@pytest.mark.parametrize("shape", [(2, 5, 6, 3), (1, 1, 1, 1), (0, 4, 4, 2), (3, 7, 5, 64)])
def test_upsample_nearest(shape, factors):
    x = array(*shape)
    y = check_twins("upsample_nearest", x, factors)
    gy = array(*y.shape, seed=1)
    gx = check_twins("upsample_nearest_grad", gy, factors)
    check_adjoint(lambda v: find("reference", "upsample_nearest")(v, factors), x, gy, gx)


@pytest.mark.parametrize("shape", [(10, 9), (3, 4), (5, 6), (1, 1)])
def test_resize_bilinear(shape):
    x = array(2, 5, 6, 3)
    y = check_twins("resize_bilinear", x, shape)
    gy = array(*y.shape, seed=1)
    gx = check_twins("resize_bilinear_grad", gy, x.shape)
    check_adjoint(lambda v: find("reference", "resize_bilinear")(v, shape), x, gy, gx)


def test_keras():
    import keras

    x = array(2, 5, 6, 3).astype("float32")
    want = keras.layers.UpSampling2D((2, 3))(x).numpy()
    np.testing.assert_array_equal(cpu.upsample_nearest(x, (2, 3)), want)
    for shape in ((10, 9), (3, 4)):
        want = keras.ops.image.resize(x, shape, interpolation="bilinear").numpy()
        np.testing.assert_allclose(cpu.resize_bilinear(x, shape), want, rtol=1e-5, atol=1e-5)
