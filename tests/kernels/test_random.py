"""The CPU's random kernels draw the reference's numbers, to the bit."""

import numpy as np
import pytest

from kerasish.kernels import find, twin_of

from .harness import array
from .thin import same_bits

cpu = twin_of(np.zeros(1))
reference = lambda name: find("reference", name)
SEEDS = [(3, 0), (2**32 - 1, 2**63), (1337, 42)]
SHAPES = [(0,), (1,), (7,), (128, 1000), (3, 5, 7), (50001,)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_equal_to_the_bit(shape, seed):
    equal = lambda name, *args: np.testing.assert_array_equal(
        getattr(cpu, name)(*args), reference(name)(*args), strict=True
    )
    equal("philox_bits", int(np.prod(shape)), seed)
    for low, high in ((0.0, 1.0), (-0.3, 0.7)):
        equal("uniform", shape, seed, low, high)
    for rate in (0.0, 1e-9, 0.1, 0.25, 0.5, 0.999999):
        equal("dropout_mask", shape, seed, rate)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_dtypes(dtype):
    np.testing.assert_array_equal(
        cpu.dropout_mask((5, 7), (1, 2), 0.5, dtype), reference("dropout_mask")((5, 7), (1, 2), 0.5, dtype)
    )
    assert cpu.uniform((3,), (1, 2), dtype=dtype).dtype == dtype


def test_masked_scale():
    x, mask = array(50, 70).astype("float32"), cpu.dropout_mask((50, 70), (1, 2), 0.3)
    for v, m in ((x, mask), (x.T, mask.T), (x, mask[:, :1]), (x.astype("float64"), mask), (x[:0], mask[:0])):
        np.testing.assert_array_equal(cpu.masked_scale(v, m, 1.5), reference("masked_scale")(v, m, 1.5), strict=True)


def test_bits_do_not_depend_on_threads():
    same_bits(lambda: cpu.uniform((300_001,), (5, 6)))
