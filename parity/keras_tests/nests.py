"""Values, nests of them and their shapes, in terms of the target's public names."""

from __future__ import annotations

import json

import numpy as np

from parity.keras_tests import shim


def K(dotted):
    """Public name of the target, e.g. K("keras.ops.sum")."""
    return shim.SHIM().need(dotted)


def try_k(dotted, default=None):
    return shim.SHIM().target_attr(dotted, default)


def backend_name():
    return shim.SHIM().backend_name


def std_dtype(d):
    f = try_k("keras.backend.standardize_dtype")
    if f is not None:
        return f(d)
    if d is None:
        return "float32"
    if d is bool:
        return "bool"
    if d is int:
        return "int32"
    if d is float:
        return "float32"
    return getattr(d, "name", None) or str(np.dtype(d))


def is_float(d):
    d = std_dtype(d)
    return d.startswith("float") or d.startswith("bfloat")


def is_tensor(x):
    f = try_k("keras.ops.is_tensor")
    return bool(f(x)) if f is not None else isinstance(x, np.ndarray)


def is_variable(x):
    cls = try_k("keras.Variable")
    return isinstance(cls, type) and isinstance(x, cls)


def is_symbolic(x):
    cls = try_k("keras.KerasTensor")
    return isinstance(cls, type) and isinstance(x, cls)


def to_numpy(x):
    if isinstance(x, np.ndarray):
        return x
    if is_tensor(x) or is_variable(x):
        f = try_k("keras.ops.convert_to_numpy")
        return f(x) if f is not None else np.asarray(x)
    return np.array(x)


def shape_of(x):
    f = try_k("keras.ops.shape")
    return tuple(f(x)) if f is not None else tuple(x.shape)


def flatten(s):
    """Leaves of nested lists/tuples/dicts (dicts in key order)."""
    if isinstance(s, dict):
        keys = list(s)
        try:
            keys = sorted(keys)
        except TypeError:
            pass
        return [y for k in keys for y in flatten(s[k])]
    if isinstance(s, (list, tuple)):
        return [y for x in s for y in flatten(x)]
    return [] if s is None else [s]


def map_nest(fn, s):
    if isinstance(s, dict):
        return type(s)((k, map_nest(fn, v)) for k, v in s.items())
    if isinstance(s, tuple) and hasattr(s, "_fields"):
        return type(s)(*(map_nest(fn, x) for x in s))
    if isinstance(s, (list, tuple)):
        return type(s)(map_nest(fn, x) for x in s)
    return None if s is None else fn(s)


def is_shape(x):
    return isinstance(x, (list, tuple)) and all(e is None or isinstance(e, (int, np.integer)) for e in x)


def map_shape(fn, shape, dtype):
    """fn over every (shape tuple, dtype) of a nest of shapes."""
    if is_shape(shape):
        return fn(tuple(shape), dtype)
    if isinstance(shape, (list, tuple)):
        return type(shape)(map_shape(fn, s, d) for s, d in zip(shape, dtype))
    if isinstance(shape, dict):
        return {k: map_shape(fn, v, dtype[k]) for k, v in shape.items()}
    raise ValueError(f"Not a shape structure: {shape!r}")


def fill_dtype(shape, dtype="float32"):
    """A nest of dtypes as deep as the nest of shapes."""
    if is_shape(shape):
        return dtype
    if isinstance(shape, (list, tuple)):
        return type(shape)(fill_dtype(s, dtype) for s in shape)
    return {k: fill_dtype(v, dtype) for k, v in shape.items()}


def arg_name(k):
    return k[: -len("_shape")] if k.endswith("_shape") else k


def to_symbolic(nest):
    KerasTensor = K("keras.KerasTensor")

    def one(x):
        if is_symbolic(x) or isinstance(x, (str, bool, int, float)):
            return x
        if is_tensor(x) or isinstance(x, np.ndarray) or is_variable(x):
            return KerasTensor(shape_of(x), dtype=std_dtype(x.dtype))
        return x

    def walk(s):
        if isinstance(s, dict):
            return {k: walk(v) for k, v in s.items()}
        if isinstance(s, (list, tuple)) and not hasattr(s, "_fields"):
            return type(s)(walk(x) for x in s)
        return one(s)

    return walk(nest)


def symbolic_inputs(shape, dtype):
    KerasTensor = K("keras.KerasTensor")

    def make(s, d):
        return KerasTensor(s, dtype=d)

    if isinstance(shape, dict):
        return {arg_name(k): make(v, dtype[k]) for k, v in shape.items()}
    return map_shape(make, shape, dtype)


EAGER_DTYPES = {
    f"{u}{k}{b}"
    for u, k, bits in (
        ("", "float", (16, 32, 64)),
        ("", "int", (8, 16, 32, 64)),
        ("u", "int", (8, 16, 32, 64)),
    )
    for b in bits
}


def eager_inputs(shape, dtype):
    bad = set(flatten(dtype)) - EAGER_DTYPES
    if bad:
        raise ValueError(f"dtype must be a standard float or int dtype. Received: {bad}")
    rng = np.random.default_rng(1234)
    convert = K("keras.ops.convert_to_tensor")

    def make(s, d):
        return convert((3 * rng.random(s)).astype(d))

    if isinstance(shape, dict):
        return {arg_name(k): make(v, dtype[k]) for k, v in shape.items()}
    return map_shape(make, shape, dtype)


def num_seed_generators(layer):
    """How many seed generators a layer tree holds (public view)."""
    if hasattr(layer, "_flatten_layers"):
        seen = {}
        try:
            for sub in layer._flatten_layers(True, True):
                for sg in sub._seed_generators:
                    seen[id(sg)] = sg
            return len(seen)
        except (AttributeError, TypeError):
            pass
    weights = {id(w) for w in layer.weights}
    names = [str(getattr(v, "path", "") or getattr(v, "name", "")) for v in layer.variables if id(v) not in weights]
    return sum("seed_generator" in n for n in names)


def _encode_tuples(obj):
    if isinstance(obj, tuple):
        return {
            "__class__": "tuple",
            "__value__": [_encode_tuples(e) for e in obj],
        }
    if isinstance(obj, list):
        return [_encode_tuples(e) for e in obj]
    if isinstance(obj, dict):
        return {k: _encode_tuples(v) for k, v in obj.items()}
    return obj


def dump(config):
    return json.dumps(_encode_tuples(config), sort_keys=True, indent=4)


def load(text):
    def hook(d):
        if d.get("__class__") == "tuple" and "__value__" in d:
            return tuple(d["__value__"])
        return d

    return json.loads(text, object_hook=hook)
