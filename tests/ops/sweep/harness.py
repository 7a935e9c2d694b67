"""How a row is checked: each function gives what differs, as text, or None."""

from __future__ import annotations

import re
import warnings
import zlib

import keras
import numpy as np
import tensorflow as tf

import kerasish
from tests.ops.sweep.inputs import is_float
from tests.ops.sweep.rows import OWN, rows

ROWS = rows()
DTYPES = ("float32", "float16", "bfloat16", "float64", "int8", "int16", "int32", "int64", "uint8", "uint32", "bool")
TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float64": 1e-9, "float32": 3e-5}
# How TensorFlow says that an op does not take a dtype; there kerasish may have something to give.
NOT_TAKEN = re.compile(
    "Value for attr 'T|Cannot convert .* to EagerTensor of dtype|was expected to be a|must be a floating point tensor"
    "|Could not find device for node|not supported for dtype|No registered"
)


class Raised:
    """That a call raised, and what."""

    def __init__(self, error):
        self.error = error

    def __repr__(self):
        return f"{type(self.error).__name__}: {str(self.error).splitlines()[0][:150] if str(self.error) else ''}"


def attempt(function, *args):
    """function(*args), or what it raised."""
    try:
        return function(*args)
    except Exception as error:
        return Raised(error)


def arrays_of(label, dtype, shapes=None):
    """The row's inputs as arrays."""
    _, inputs = find(label)
    rng = np.random.default_rng(zlib.crc32(label.encode()))
    return [x.array(dtype, rng, None if shapes is None else shapes[i]) for i, x in enumerate(inputs)]


def find(label):
    """The row's function and inputs."""
    if label in ROWS:
        return ROWS[label]
    function, *inputs = OWN[label]
    return function, tuple(inputs)


def leaves(x) -> list:
    """A nested result as a flat list of pairs (dtype, array); for what is no tensor, of its type and itself."""
    if isinstance(x, (list, tuple)):
        return [leaf for part in x for leaf in leaves(part)]
    if isinstance(x, dict):
        return [leaf for part in x.values() for leaf in leaves(part)]
    if hasattr(x, "dtype"):
        dtype = x.dtype if isinstance(x.dtype, str) else getattr(x.dtype, "name", str(x.dtype))
        return [(dtype, np.asarray(x.numpy() if hasattr(x, "numpy") else x))]
    return [(type(x).__name__, x)]


def compare(want, got, tolerance=None, loose=None):
    """What differs between two results or errors; None for nothing."""
    if isinstance(want, Raised) or isinstance(got, Raised):
        return compare_errors(want, got)
    want, got = leaves(want), leaves(got)
    if len(want) != len(got):
        return f"{len(want)} results, got {len(got)}"
    for i, ((dtype_a, a), (dtype_b, b)) in enumerate(zip(want, got)):
        if dtype_a != dtype_b:
            return f"result {i}: dtype {dtype_a}, got {dtype_b}"
        found = max(TOLERANCE.get(name, 0) for name in (dtype_a, loose))
        difference = compare_arrays(a, b, tolerance or found)
        if difference:
            return f"result {i}: {difference}"
    return None


def compare_arrays(a, b, tolerance):
    """What differs between two arrays."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return f"shape {a.shape}, got {b.shape}"
    if a.dtype.kind in "OUS":
        return None if (a == b).all() else f"{a}, got {b}"
    if a.dtype.kind == "V":
        a, b = a.astype("float32"), b.astype("float32")
    if a.dtype.kind in "biu":
        return None if (a == b).all() else f"{a.ravel()[:6]}, got {b.ravel()[:6]}"
    a, b = a.astype("float64"), b.astype("float64")
    if np.allclose(a, b, rtol=tolerance, atol=tolerance * max(1.0, scale(a)), equal_nan=True):
        return None
    return f"{a.ravel()[:6]}, got {b.ravel()[:6]}"


def scale(a) -> float:
    """The size of the largest finite number."""
    finite = np.abs(a[np.isfinite(a)])
    return float(finite.max()) if finite.size else 1.0


def compare_errors(want, got):
    """What differs where one side at least has raised."""
    if not isinstance(want, Raised):
        return f"raises {got}"
    not_taken = NOT_TAKEN.search(str(want.error))
    if not isinstance(got, Raised):
        return None if not_taken else f"does not raise, Keras: {want}"
    if isinstance(want.error, tf.errors.OpError) or not_taken:
        return None
    return None if isinstance(got.error, type(want.error)) else f"raises {got}, Keras: {want}"


def run(module, label, arrays):
    """The row's result on tensors of a module."""
    function, _ = find(label)
    return function(module.ops, *[module.ops.convert_to_tensor(a) for a in arrays])


def values(label, dtype, shapes=None, spoil=None):
    """Value and dtype beside Keras's; `spoil` puts a value into the first element of each input."""
    arrays = arrays_of(label, dtype, shapes)
    if spoil is not None:
        for a in arrays:
            if a.size:
                a.flat[0] = spoil
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = attempt(run, keras, label, arrays)
    return compare(want, attempt(run, kerasish, label, arrays), loose=dtype if is_float(dtype) else None)


def symbolic(label, dtype, open_axes=False):
    """Shape and dtype on symbolic tensors: as Keras's, or, where Keras differs from its own values, as those."""
    function, _ = find(label)
    arrays = arrays_of(label, dtype)
    found = []
    for module in (keras, kerasish):
        tensors = [
            module.KerasTensor(((None, *a.shape[1:]) if open_axes and a.ndim > 1 else a.shape), dtype) for a in arrays
        ]
        found.append(attempt(lambda m=module, t=tensors: outline(function(m.ops, *t))))
    want, got = found
    if label in OWN:
        want = got if open_axes else attempt(lambda: outline(run(kerasish, label, arrays)))
    if isinstance(want, Raised) and isinstance(got, Raised):
        return compare_errors(want, got)
    if isinstance(got, Raised):
        return f"{want}, raises {got}"
    own = attempt(lambda: outline(run(kerasish, label, arrays)))
    if not isinstance(own, Raised) and not fits(own, got):
        return f"promises {got}, gives {own}"
    if isinstance(want, Raised) or want == got:
        return None
    eager = attempt(lambda: outline(run(keras, label, arrays)))
    if isinstance(eager, Raised) and NOT_TAKEN.search(str(eager.error)):
        return None if [shape for shape, _ in want] == [shape for shape, _ in got] else f"{want}, got {got}"
    if not isinstance(eager, Raised) and fits(eager, got) and (open_axes or not open_in(got)):
        return None
    return f"{want}, got {got}; Keras's values: {eager}"


def open_in(spec) -> bool:
    """Whether an axis is left open."""
    return any(isinstance(leaf, tuple) and None in leaf[0] for leaf in spec)


def outline(x) -> list:
    """Shapes and dtypes of a nested result."""
    if isinstance(x, (list, tuple)):
        return [leaf for part in x for leaf in outline(part)]
    return [(tuple(x.shape), str(getattr(x.dtype, "name", x.dtype)))] if hasattr(x, "dtype") else [x]


def fits(eager, got) -> bool:
    """Whether values have the shapes (where they are not open) and dtypes that were promised."""
    if len(eager) != len(got):
        return False
    for a, b in zip(eager, got):
        if not (isinstance(a, tuple) and isinstance(b, tuple) and len(a) == 2 and isinstance(a[0], tuple)):
            if a != b:
                return False
            continue
        if a[1] != b[1] or len(a[0]) != len(b[0]) or any(n not in (None, m) for m, n in zip(a[0], b[0])):
            return False
    return True


def slopes(module, tape_class, label, arrays, total):
    """Gradients of the weighted sum of the float results by each input."""
    function, _ = find(label)
    tensors = [module.ops.convert_to_tensor(a) for a in arrays]
    with tape_class(persistent=False) as tape:
        for x in tensors:
            tape.watch(x)
        value = total(module, function(module.ops, *tensors))
    if value is None:
        return [None] * len(tensors)
    return [None if g is None else g for g in tape.gradient(value, tensors)]


def weighted(module, result):
    """A sum of the float results with fixed weights: a function of one value, for gradients."""
    total = None
    for i, x in enumerate(flat(result)):
        if hasattr(x, "dtype") and "float" in str(getattr(x.dtype, "name", x.dtype)):
            weights = np.random.default_rng(i).uniform(0.5, 1.5, tuple(x.shape))
            part = module.ops.sum(x * module.ops.cast(weights, x.dtype))
            total = part if total is None else total + module.ops.cast(part, total.dtype)
    return total


def flat(x) -> list:
    return [leaf for part in x for leaf in flat(part)] if isinstance(x, (list, tuple)) else [x]


def gradients(label, dtype="float64"):
    """Gradients beside TensorFlow's: where there is none, its shape, its value."""
    arrays = arrays_of(label, dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = attempt(slopes, keras, tf.GradientTape, label, arrays, weighted)
    got = attempt(slopes, kerasish, kerasish.GradientTape, label, arrays, weighted)
    if isinstance(want, Raised):
        return None
    if isinstance(got, Raised):
        return f"raises {got}"
    for i, (a, b) in enumerate(zip(want, got)):
        if (a is None) != (b is None):
            return f"input {i}: {'None' if a is None else 'a gradient'}, got {'None' if b is None else b.numpy()}"
        if a is None:
            continue
        a = tf.convert_to_tensor(a)
        difference = compare_arrays(a, b, TOLERANCE[dtype] * 100 if dtype == "float64" else TOLERANCE[dtype])
        if difference:
            return f"gradient of input {i}: {difference}"
    return None


def directional(label, dtype="float64", second=False, step=1e-6):
    """The tape's gradient, or that of the gradient, beside a difference along a random direction."""
    if not smooth(label):
        return None
    rng = np.random.default_rng(5)
    arrays = arrays_of(label, dtype)
    ways = [rng.standard_normal(a.shape) for a in arrays]

    def value(points):
        function, _ = find(label)
        if not second:
            return weighted(kerasish, function(kerasish.ops, *points))
        with kerasish.GradientTape() as tape:
            tape.watch(points)
            result = weighted(kerasish, function(kerasish.ops, *points))
        if result is None:
            return None
        found = [g for g in tape.gradient(result, points) if g is not None]
        return sum(kerasish.ops.sum(g * g) for g in found) if found else None

    points = [kerasish.ops.convert_to_tensor(a) for a in arrays]
    with kerasish.GradientTape() as tape:
        tape.watch(points)
        result = attempt(value, points)
    if isinstance(result, Raised):
        refused = label in ROWS and isinstance(attempt(run, keras, label, arrays), Raised)
        return None if refused else f"raises {result}"
    if result is None:
        return None
    found = attempt(tape.gradient, result, points)
    if isinstance(found, Raised):
        return f"raises {found}"
    for g, a in zip(found, arrays):
        if g is not None and tuple(g.shape) != a.shape:
            return f"a gradient of shape {tuple(g.shape)} of an input of shape {a.shape}"
    along = sum(float((g.numpy() * d).sum()) for g, d in zip(found, ways) if g is not None)
    ahead, behind = (
        float(value([kerasish.ops.convert_to_tensor(a + s * step * d) for a, d in zip(arrays, ways)])) for s in (1, -1)
    )
    difference = (ahead - behind) / (2 * step)
    if abs(along - difference) <= (1e-4 if second else 1e-6) * max(1, abs(difference)):
        return None
    return f"along a direction {along}, the difference is {difference}"


def open_axes(label, dtype):
    """Shape and dtype on symbolic tensors whose first axis is open."""
    return symbolic(label, dtype, open_axes=True)


def second(label, dtype):
    """The gradient of a gradient beside a difference."""
    return directional(label, dtype, second=True)


def spoilt(label, dtype):
    """Values and dtypes with a NaN in each input."""
    return values(label, dtype, spoil=np.nan)


def smooth(label) -> bool:
    """Whether a row's inputs are drawn at random, so that none sits at a kink, and keep their dtype on the way."""
    return all(isinstance(x.draw, str) for x in find(label)[1]) and not re.search("dtype|cast|round|multi_hot", label)


def emptied(label, dtype):
    """Values and dtypes with the first axis of each input empty."""
    _, inputs = find(label)
    return values(label, dtype, [(0, *x.shape[1:]) for x in inputs])


def scalars(label, dtype):
    """Values and dtypes of inputs without axes."""
    _, inputs = find(label)
    return values(label, dtype, [() for _ in inputs])
