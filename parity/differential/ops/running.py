"""How an op is run, and the two ways of adding one."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from parity.differential.draws import FLOATS, made, one
from parity.differential.outcome import Raised, Unreliable, attempt, plain
from parity.differential.subject import subject
from parity.differential.tapes import gradients
from parity.libraries import real

CALLS: dict = {}  # how ops are called that take functions: `call(keras, *tensors, **arguments)`
GIVEN = one("tensors", "tensors", "tensors", "arrays", "lists")


def run(keras, data):
    """`ops.<name>(*arrays, **arguments)`, eager and symbolic, and its gradient by arrays of floats."""
    packed = _packed(_function(keras, data["op"]), data)
    given = [_made(x) for x in data["inputs"]]
    tensors = [_handed(keras, x, data["as"]) if isinstance(x, np.ndarray) else x for x in given]
    value = attempt(packed, *tensors)
    if isinstance(value, Raised):
        if keras is real() and data["as"] != "tensors":
            return Unreliable()  # what Keras takes as tensors only, we may take in any form
        raise value.error
    out = {"value": plain(value)}
    if data["symbolic"] and data["as"] != "lists":
        out["symbolic"] = _symbolic(keras, packed, given, data["open"])
        if keras is real() and not _agrees(out):
            out["symbolic"] = Unreliable()
    places = [i for i, x in enumerate(given) if isinstance(x, np.ndarray) and x.dtype.name in FLOATS]
    if places and data["gradient"]:
        tensors = [keras.ops.convert_to_tensor(x) if isinstance(x, np.ndarray) else x for x in given]
        call = lambda *floats: packed(*[floats[places.index(i)] if i in places else x for i, x in enumerate(tensors)])
        out["gradient"] = _gradient(keras, call, [given[i] for i in places])
        if coarse := _coarsest(out["value"]):
            out["gradient"] = [g.astype(coarse) if isinstance(g, np.ndarray) else g for g in out["gradient"]]
    return out


def _coarsest(values):
    """The half precision in which some of the results are, and through which their gradients go."""
    found = {y.dtype.name for y in (values if isinstance(values, list) else [values]) if hasattr(y, "dtype")}
    return next((name for name in ("bfloat16", "float16") if name in found), None)


def _gradient(keras, call, floats):
    """The gradients by some arrays; anything where TensorFlow's kernel has none."""
    try:
        found = gradients(keras, call, floats)[1]
    except LookupError as error:
        if "gradient registry" in str(error):
            return [Unreliable() for _ in floats]
        raise
    return ["none" if g is None else g for g in found]


def _function(keras, name):
    if name in CALLS:
        return lambda *x, **arguments: CALLS[name](keras, *x, **arguments)
    function = keras.ops
    for part in name.split("."):
        function = getattr(function, part)
    return function


def _packed(function, data):
    """The op as a function of the arrays alone."""
    arguments = {k: _made(v) for k, v in data["arguments"].items()}
    if data["pack"] == "list":
        return lambda *x: function(list(x), **arguments)
    if data["pack"] == "halves":
        return lambda *x: function(list(x[: len(x) // 2]), list(x[len(x) // 2 :]), **arguments)
    return lambda *x: function(*x, **arguments)


def _made(x):
    """What data stands for: an array, an index, or itself."""
    if not (isinstance(x, dict) and "index" in x):
        return made(x)
    return tuple(_key(part) for part in x["index"])


def _key(part):
    if isinstance(part, dict) and "slice" in part:
        return Ellipsis if part["slice"] == "..." else slice(*part["slice"])
    return made(part)


def _handed(keras, x, kind):
    """An array as the op gets it."""
    if kind == "lists" and x.dtype.name not in ("uint32", "int64"):  # beyond int32 TensorFlow refuses Python's numbers
        return x.tolist()
    return x if kind == "arrays" else keras.ops.convert_to_tensor(x)


def _symbolic(keras, function, given, opened):
    """Shapes and dtypes for symbolic tensors, with some dimensions open."""
    symbols = []
    for x in given:
        if isinstance(x, np.ndarray):
            shape = [None if opened and i in opened and len(x.shape) > i else d for i, d in enumerate(x.shape)]
            x = keras.KerasTensor(shape, x.dtype.name)
        symbols.append(x)
    results = attempt(function, *symbols)
    if isinstance(results, Raised):
        return results
    results = results if isinstance(results, (list, tuple)) else [results]
    name = keras.backend.standardize_dtype
    return [[list(y.shape), name(y.dtype)] if hasattr(y, "shape") else plain(y) for y in results]


def _agrees(out) -> bool:
    """Whether the symbolic results are there and have the shapes and dtypes of the values."""
    if isinstance(out["symbolic"], Raised):
        return False
    values = out["value"] if isinstance(out["value"], list) else [out["value"]]
    if len(values) != len(out["symbolic"]):
        return False
    return all(
        not isinstance(symbol, list)
        or (
            isinstance(y, np.ndarray)
            and symbol[1] == y.dtype.name
            and len(symbol[0]) == y.ndim
            and all(a in (None, b) for a, b in zip(symbol[0], y.shape))
        )
        for y, symbol in zip(values, out["symbolic"])
    )


OPEN = one(None, (0,), None, (1,), (0, 1, 2))
NOTHING = st.just({})


def op(name, *inputs, arguments=NOTHING, **options):
    """A subject: an op, strategies of its inputs (or one of a tuple of them) and of its arguments."""
    whole(name, st.tuples(st.tuples(*inputs), arguments), **options)


def whole(name, draw, *, label=None, symbolic=True, gradient=True, pack="", **options):
    """A subject whose inputs and arguments hang together.

    Args:
        name: the op's.
        draw: gives (inputs, arguments).
        label: the subject's name, where an op has several.
        symbolic: whether it takes symbolic tensors.
        gradient: whether its gradient is compared.
        pack: "list" if the op takes one list of arrays, "halves" if two.
        **options: `Subject`'s.
    """
    parts = {"both": draw, "open": OPEN, "as": GIVEN}
    more = {"symbolic": symbolic, "gradient": gradient, "pack": pack}

    def flat(parts):
        inputs, arguments = parts["both"]
        return {"op": name, "inputs": inputs, "arguments": arguments, "open": parts["open"], "as": parts["as"], **more}

    subject("ops", label or name, st.fixed_dictionaries(parts).map(flat), run, **options)
