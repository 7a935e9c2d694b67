"""Vector mathematics: ulps against float64, special values, and that loops over it are vector code."""

import math
import re

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from kerasish.device import natives  # noqa: E402
from kerasish.kernels.cpu import vecmath  # noqa: E402

ERF = np.frompyfunc(math.erf, 1, 1)
ORACLES = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(x, 0),
    "erf": lambda x: ERF(x).astype("float64"),
}
ULPS = {"exp": 1.5, "expm1": 2, "log": 1.5, "log1p": 2, "tanh": 3, "sigmoid": 2.5, "softplus": 2.5, "erf": 3}


def looped(name):
    function = getattr(vecmath, name)

    def loop(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    return numba.njit(error_model="numpy", fastmath=set(natives.FASTMATH))(loop)


@pytest.mark.parametrize("name", ORACLES)
def test_accuracy(name):
    rng = np.random.default_rng(0)
    parts = [np.linspace(-104, 90, 20001), rng.normal(size=20000) * 1.5, 10.0 ** rng.uniform(-45, 38, 20000)]
    x = np.concatenate([*parts, -parts[2], [0, -0.0, np.inf, -np.inf, np.nan]]).astype("float32")
    loop, y = looped(name), np.empty_like(x)
    loop(x, y)
    with np.errstate(all="ignore"):
        exact = ORACLES[name](x.astype("float64"))
        want = exact.astype("float32")
    finite = np.isfinite(want)
    np.testing.assert_array_equal(y[~finite], want[~finite])
    ulp = np.maximum(np.spacing(np.abs(want[finite])), np.float32(1.4e-45))
    assert (np.abs(y[finite] - exact[finite]) / ulp).max() <= ULPS[name]
    if name not in ("exp", "log", "sigmoid", "softplus"):
        assert np.signbit(y[-4])  # f(-0) = -0
    if not natives.compilation_off():
        assembly = loop.inspect_asm(loop.signatures[0])
        assert len(re.findall(r"%[xyz]mm|\bv\d+\.4s", assembly)) > 20 and not re.search(
            r"call.*\b(expf|logf|tanhf)", assembly
        )
