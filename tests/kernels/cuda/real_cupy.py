"""What CuPy has and takes, asked of the installed package: that needs no card. Without it, everything is allowed."""

import functools
import importlib
import inspect
import re
import types
import warnings

import ml_dtypes
import numpy as np

SCALARS = (bool, int, float, complex, np.generic)
UFUNC_OPTIONS = {"out", "dtype", "casting", "where"}
LISTS_TAKEN = {  # functions whose first parameter is a list of arrays, or anything from which an array can be made
    *("stack", "concatenate", "concat", "hstack", "vstack", "dstack", "column_stack", "select", "multi_dot"),
    *("array", "asarray", "asanyarray", "ascontiguousarray", "full", "arange", "linspace", "diag"),
    *("zeros", "ones", "empty", "eye", "identity", "tri", "indices", "fromfunction", "einsum", "meshgrid"),
    *("broadcast_arrays", "broadcast_shapes", "result_type", "promote_types", "can_cast", "iinfo", "finfo", "ix_"),
    *("isscalar", "ndim", "shape", "size", "issubdtype", "min_scalar_type", "unravel_index", "ravel_multi_index"),
}


@functools.cache
def package():
    """CuPy, or None where it is not installed; `fake_cupy` takes its place in `sys.modules` afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = importlib.import_module("cupy")
            importlib.import_module("cupyx.scipy.special")
        except ImportError:
            return None
    return found


def namesake(path):
    """What CuPy has under the dotted name; AttributeError if it has nothing there."""
    found = package()
    for name in path.split("."):
        found = getattr(found, name, None)
        if found is None:
            raise AttributeError(f"CuPy has no {path!r}")
    return found


def is_ufunc(found):
    return type(found).__name__ == "ufunc"


def check_call(path, args, options, is_array):
    """TypeError, if CuPy's function does not take these arguments."""
    function, name = namesake(path), path.rpartition(".")[2]
    try:
        _signature(function).bind(*args, **options)
    except TypeError as error:
        raise TypeError(f"cupy.{path}: {error}") from None
    if args and name not in LISTS_TAKEN and not is_array(args[0]):
        raise TypeError(f"cupy.{path}: an array of the card is wanted, not {type(args[0]).__name__}")
    if name == "einsum" and not set(options) <= {"dtype", "optimize"}:
        raise TypeError(f"cupy.einsum did not understand {sorted(options)}")


@functools.cache
def _signature(function):
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return inspect.signature(lambda *args, **options: None)


def check_attribute(name):
    """AttributeError, if CuPy's arrays have none of that name."""
    if not hasattr(package().ndarray, name):
        raise AttributeError(f"'cupy.ndarray' object has no attribute {name!r}")


def check_method(name, args, options):
    """TypeError, if the method of CuPy's arrays does not take these arguments."""
    try:
        _method(name).bind(None, *args, **options)
    except TypeError as error:
        raise TypeError(f"cupy.ndarray.{name}: {error}") from None


@functools.cache
def _method(name):
    """A method's signature, from its own or from the first line of what Cython writes into its docstring."""
    method = getattr(package().ndarray, name)
    line = re.match(r"\w+\.\w+\((.*?)\)( ->|\n|$)", (method.__doc__ or "").strip())
    if line is None or isinstance(method, types.FunctionType):
        return _signature(method)
    parts = [re.sub(r"^[\w.]+ (?=\w)", "", part.strip()) for part in line[1].split(",")]
    return inspect.signature(eval(f"lambda {', '.join(parts)}: None"))  # of CuPy itself


def check_operands(name, operands, options, is_array):
    """TypeError, if a ufunc of CuPy's does not take the options or an operand is neither an array nor a number."""
    unknown = set(options) - UFUNC_OPTIONS
    if unknown:
        raise TypeError(f"cupy.{name} got unexpected options {sorted(unknown)}")
    for x in operands:
        if not is_array(x) and not isinstance(x, SCALARS):
            raise TypeError(f"cupy.{name}: Unsupported type {type(x)}")


def loop(found, operands, dtype=None):
    """The dtypes of the results, by the first loop of CuPy's ufunc into which the operands can be cast.

    `operands` are arrays or numbers; Python's numbers are weak where an array is of their kind or of a higher one.
    """
    kinds = [_kind(x) for x in operands]
    weak = [type(x) in (bool, int, float, complex) for x in operands]
    strong = [k for k, w in zip(kinds, weak) if not w]
    if not strong or max(strong) < max(kinds):
        weak = [False] * len(weak)
    for ins, outs in _loops(found):
        if dtype is not None and all(out == np.dtype(dtype) for out in outs):
            return outs
        if dtype is None and all(map(_castable, operands, weak, ins)):
            return outs
    dtypes = [getattr(x, "dtype", type(x)) for x in operands]
    raise TypeError(f"Wrong type ({dtypes}, {dtype}) of arguments for {found}")


@functools.cache
def _loops(found):
    char = lambda c: np.dtype(ml_dtypes.bfloat16 if c == "E" else c)
    halves = [kind.split("->") for kind in found.types if "V" not in kind]
    return [([char(c) for c in ins], [char(c) for c in outs]) for ins, outs in halves]


def _kind(x):
    return {"b": 0, "i": 1, "u": 1, "c": 3}.get(_dtype(x).kind, 2)


def _dtype(x):
    return x.dtype if hasattr(x, "dtype") else np.dtype(type(x))


def _castable(x, weak, to):
    if not weak:
        return np.can_cast(_dtype(x), to)
    return np.result_type(type(x)(0), to) == to


def stand_ins(special):
    """`cupyx.scipy.special`, for sys.modules."""
    names = ("cupyx", "cupyx.scipy")
    outer, inner = (types.ModuleType(name) for name in names)
    outer.scipy, inner.special = inner, special
    return {"cupyx": outer, "cupyx.scipy": inner, "cupyx.scipy.special": special}
