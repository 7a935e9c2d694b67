"""Every public op on symbolic tensors: Keras's specs, or its exception; and the graph that it leaves works."""

import json

import numpy as np
import pytest

import kerasish
from tests.ops.symbolic_rows import KEPT, ROWS

keras = pytest.importorskip("keras")


def leaves(x):
    return [v for part in x for v in leaves(part)] if isinstance(x, (list, tuple)) else [x]


def structure(x):
    return type(x).__name__, [structure(part) for part in x] if isinstance(x, (list, tuple)) else "leaf"


def symbolic(library, function, specs):
    """(inputs, outputs) of a call on symbolic tensors, or the class of what it raises."""
    inputs = [library.Input(batch_shape=shape, dtype=dtype) for shape, dtype in specs]
    try:
        return inputs, function(library.ops, *inputs)
    except Exception as error:
        return inputs, type(error)


def values(specs):
    rng = np.random.default_rng(3)
    drawn = []
    for shape, dtype in specs:
        shape = tuple(3 if d is None else d for d in shape)
        number = rng.uniform(0.1, 0.9, shape) if dtype == "float32" else rng.integers(0, 2, shape)
        drawn.append(np.asarray(number, dtype))
    return drawn


def eager(library, function, arrays):
    try:
        return function(library.ops, *[library.ops.convert_to_tensor(a) for a in arrays])
    except Exception as error:
        return type(error)


def spec(x):
    """What is compared of a symbolic result."""
    return x if isinstance(x, type) else (structure(x), [(tuple(v.shape), v.dtype) for v in leaves(x)])


def numbers(x):
    return [np.asarray(v) for v in leaves(x)]


def same(found, wanted):
    """How two eager results differ, in words; None if they do not."""
    if isinstance(found, type) or isinstance(wanted, type):
        return None if _kin(found, wanted) else f"{found} where {wanted} is wanted"
    pairs = list(zip(numbers(found), numbers(wanted)))
    if len(leaves(found)) != len(leaves(wanted)):
        return f"{len(leaves(found))} results, not {len(leaves(wanted))}"
    for a, b in pairs:
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            return f"{a.shape} {a.dtype}, not {b.shape} {b.dtype}"
        if not np.allclose(a.astype("float64"), b.astype("float64"), rtol=2e-5, atol=2e-5, equal_nan=True):
            return f"values {a}, not {b}"
    return None


def _kin(found, wanted):
    """Whether our exception is caught where Keras's is; TensorFlow's own classes, no other library has."""
    if not isinstance(found, type) or not isinstance(wanted, type):
        return False
    return issubclass(found, wanted) or "tensorflow" in wanted.__module__


def differences(name):
    """All that is wrong with a row."""
    function, *specs = ROWS[name]
    (_, want), (inputs, got) = symbolic(keras, function, specs), symbolic(kerasish, function, specs)
    arrays = values(specs)
    run, real = eager(kerasish, function, arrays), eager(keras, function, arrays)
    refused = isinstance(got, type) and isinstance(real, type)  # the graph may refuse what a run in Keras refuses
    if spec(got) != spec(want) and not _kin(got, want) and not refused:
        yield f"symbolic: {spec(got)}, not {spec(want)}"
    wrong = same(run, real)
    if wrong:
        yield f"eager: {wrong}"
    if isinstance(got, type) or isinstance(run, type) or isinstance(real, type):
        return
    for v, (shape, dtype) in zip(leaves(run), spec(got)[1]):
        if v.dtype != dtype or len(v.shape) != len(shape) or any(d not in (None, n) for d, n in zip(shape, v.shape)):
            yield f"run: {v.shape} {v.dtype} where the graph says {shape} {dtype}"
    yield from graph_differences(inputs, got, arrays, run)


def graph_differences(inputs, outputs, arrays, run):
    """What is wrong with the model around a call: its result, its copy from its config, and Keras's from the same."""
    try:
        model = kerasish.Model(inputs, outputs)
        wrong = same(model(list(arrays)), run)
        config = json.loads(json.dumps(kerasish.saving.serialize_keras_object(model)))
        again = kerasish.saving.deserialize_keras_object(config, safe_mode=False)
        copied = same(again(list(arrays)), run)
    except Exception as error:
        yield f"graph: {type(error).__name__}: {str(error)[:200]}"
        return
    if wrong or copied:
        yield f"graph: {wrong}; its copy: {copied}"
    try:
        theirs = keras.saving.deserialize_keras_object(config, safe_mode=False)
        wrong = same(theirs(list(arrays)), run)
    except Exception as error:
        wrong = f"{type(error).__name__}: {str(error)[:300]}"
    if wrong:
        yield f"in Keras: {wrong}"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ROWS)
def test_as_in_keras(name):
    """A difference that is kept is one of its row's kinds; a row that differs in none has no entry."""
    found = list(differences(name))
    kinds, _ = KEPT.get(name, ((), ""))
    unexpected = [text for text in found if text.partition(":")[0] not in kinds]
    assert not unexpected, "\n".join(unexpected)
    assert bool(found) == (name in KEPT), f"{name} differs no more; take it out of KEPT"
