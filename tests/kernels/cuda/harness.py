"""How a CUDA kernel is checked: on the pretended card in float32, against the reference twin in float64."""

import numpy as np

from kerasish.kernels import Twin, find
from tests.kernels.cuda.fake_cupy import Card
from tests.kernels.harness import cast

TOLERANCE = 1e-5  # of the largest result
twin = Twin("cuda")


def there(cupy, value, dtype="float32"):
    """Arrays, and lists of them, on the card; float64 becomes `dtype`."""
    if isinstance(value, np.ndarray):
        return cupy.asarray(cast(value, dtype))
    return [there(cupy, v, dtype) for v in value] if isinstance(value, list) else value


def ours(name):
    """The CUDA twin's kernel, which must not be the reference's."""
    function = getattr(twin, name)
    assert function is not find("reference", name), f"{name} has no CUDA kernel"
    return function


def check(cupy, name, *args, tolerance=TOLERANCE, **options):
    """The kernel gives what the reference gives; returns its results, on the host."""
    want = find("reference", name)(*args, **options)
    got = ours(name)(*(there(cupy, a) for a in args), **{k: there(cupy, v) for k, v in options.items()})
    pairs = list(zip(got, want, strict=True)) if isinstance(want, tuple) else [(got, want)]
    for g, w in pairs:
        if w is not None:
            close(g, w, tolerance, name)
    return tuple(g.get() if g is not None else None for g, _ in pairs) if isinstance(want, tuple) else got.get()


def close(got, want, tolerance=TOLERANCE, name=""):
    """Same shape, and no element further off than `tolerance` of the largest one."""
    assert isinstance(got, Card), f"{name} left the card"
    got = got.get()
    assert got.shape == want.shape, f"{name}: shape {got.shape}, expected {want.shape}"
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want), err_msg=name)
    scale = np.abs(want[np.isfinite(want)]).max(initial=0) or 1
    same = np.isfinite(want)
    error = np.abs(got[same].astype("float64") - want[same]).max(initial=0) / scale
    assert error <= tolerance, f"{name}: error {error:.1e} of the largest element, expected at most {tolerance:.0e}"
