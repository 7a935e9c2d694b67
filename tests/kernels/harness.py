"""How a kernel is checked: every twin, in both float widths, against the reference twin in float64."""

import numpy as np

from kerasish.kernels import Twin, find

TOLERANCE = {"float32": 2e-5, "float64": 1e-12}  # of the largest result: float32 rounds sums of thousands of products
TWINS = ("cpu",)


def cast(value, dtype):
    """Float arrays as `dtype`, everything else as it is."""
    return value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


def check_twins(name, *args, tolerance=TOLERANCE, **options):
    """Every twin's kernel `name` gives what the reference gives; returns the reference's result."""
    want = find("reference", name)(
        *(cast(a, "float64") for a in args), **{k: cast(v, "float64") for k, v in options.items()}
    )
    for place in TWINS:
        for dtype in ("float32", "float64"):
            given = [cast(a, dtype) for a in args]
            before = [(a, a.copy()) for a in given if isinstance(a, np.ndarray)]
            got = getattr(Twin(place), name)(*given, **{k: cast(v, dtype) for k, v in options.items()})
            check_close(got, want, dtype, tolerance[dtype], f"{place} {name} {dtype}")
            for a, b in before:
                np.testing.assert_array_equal(a, b, err_msg=f"{name} wrote into its input")
    return want


def check_close(got, want, dtype, tolerance, name):
    """Same shape and dtype, and no element further off than `tolerance` of the largest one."""
    assert got.shape == want.shape, f"{name}: shape {got.shape}, expected {want.shape}"
    assert got.dtype == dtype, f"{name}: dtype {got.dtype}, expected {dtype}"
    scale = np.abs(want).max(initial=0) or 1
    error = np.abs(got.astype("float64") - want).max(initial=0) / scale
    assert error <= tolerance, f"{name}: error {error:.1e} of the largest element, expected at most {tolerance:.0e}"


def check_adjoint(forward, x, gy, gx):
    """<forward(x), gy> = <x, gx>: gx is the gradient of a function that is linear in x."""
    np.testing.assert_allclose((forward(x) * gy).sum(), (x * gx).sum(), rtol=1e-9)


def array(*shape, seed=0):
    """Reproducible normal numbers, float64."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def strided(*shape, seed=0):
    """A view whose elements are not contiguous."""
    return array(*shape[:-1], 2 * shape[-1], seed=seed)[..., ::2]


def read_only(*shape, seed=0):
    """An array that must not be written."""
    out = array(*shape, seed=seed)
    out.flags.writeable = False
    return out
