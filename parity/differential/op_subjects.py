"""How an op is run, and the two ways of adding one."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from parity.differential.draws import (
    made,
    one,
)
from parity.differential.outcome import Raised, Unreliable, attempt, plain
from parity.differential.subject import subject
from parity.differential.tapes import gradients
from parity.libraries import real


def run(keras, data):
    """`ops.<name>(*arrays, **arguments)`, eager and symbolic, and its gradient by float32 and float64 arrays."""
    function = keras.ops
    for part in data["op"].split("."):
        function = getattr(function, part)
    arguments = {k: made(v) for k, v in data["arguments"].items()}
    given = [made(x) for x in data["inputs"]]
    packed = (lambda *x: function(list(x), **arguments)) if data.get("list") else (lambda *x: function(*x, **arguments))
    tensors = [keras.ops.convert_to_tensor(x) if isinstance(x, np.ndarray) else x for x in given]
    out = {"value": plain(packed(*tensors))}
    if data.get("symbolic", True):
        out["symbolic"] = _symbolic(keras, packed, given, data.get("open"))
        if keras is real() and not _agrees(out):
            out["symbolic"] = Unreliable()
    places = [i for i, x in enumerate(given) if isinstance(x, np.ndarray) and x.dtype in (np.float32, np.float64)]
    if places and data.get("gradient", True):
        call = lambda *floats: packed(*[floats[places.index(i)] if i in places else x for i, x in enumerate(tensors)])
        out["gradient"] = ["none" if g is None else g for g in gradients(keras, call, [given[i] for i in places])[1]]
    return out


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
    return [[list(y.shape), y.dtype] if hasattr(y, "shape") else plain(y) for y in results]


def _agrees(out) -> bool:
    """Whether the symbolic results have the shapes and dtypes of the values, and are no accident of Python's."""
    if isinstance(out["symbolic"], Raised):
        return not isinstance(out["symbolic"].error, (AttributeError, IndexError, KeyError, NameError))
    values = out["value"] if isinstance(out["value"], list) else [out["value"]]
    if len(values) != len(out["symbolic"]):
        return False
    return all(
        not isinstance(symbol, list)
        or (
            symbol[1] == y.dtype.name
            and len(symbol[0]) == y.ndim
            and all(a in (None, b) for a, b in zip(symbol[0], y.shape))
        )
        for y, symbol in zip(values, out["symbolic"])
    )


OPEN = one(None, (0,), None)
NOTHING = st.just({})


def op(name, *inputs, arguments=NOTHING, symbolic=True, gradient=True, pack=False, **options):
    """A subject: an op, strategies of its inputs (or one of a tuple of them) and of its arguments."""
    parts = {
        "op": st.just(name),
        "inputs": st.tuples(*inputs),
        "arguments": arguments,
        "open": OPEN,
        "symbolic": st.just(symbolic),
        "gradient": st.just(gradient),
        "list": st.just(pack),
    }
    subject("ops", name, st.fixed_dictionaries(parts), run, **options)


def whole(name, draw, **options):
    """A subject whose inputs and arguments hang together: `draw` gives (inputs, arguments)."""
    more = {
        "symbolic": options.pop("symbolic", True),
        "gradient": options.pop("gradient", True),
        "list": options.pop("pack", False),
    }
    strategy = st.tuples(draw, OPEN).map(
        lambda both: {"op": name, "inputs": both[0][0], "arguments": both[0][1], "open": both[1], **more}
    )
    subject("ops", name, strategy, run, **options)
