"""Comparisons between a thing in real Keras and the same thing in kerasish."""

from __future__ import annotations

import difflib
import json

import numpy as np

from parity.case import Finding
from parity.libraries import each, has_twin, on_card, ours_at, tensorflow, theirs_at, tolerated
from parity.libraries import ours as library


def relative(want, got) -> float:
    """The largest difference, in units of the wanted array's largest value."""
    want, got = np.asarray(want), np.asarray(got)
    if want.shape != got.shape:
        return float("inf")
    if want.size == 0:
        return 0.0
    if want.dtype.kind not in "fc":
        return float(np.abs(want.astype("f8") - got.astype("f8")).max())
    if not np.array_equal(np.isnan(want), np.isnan(got)):
        return float("inf")
    scale = max(float(np.nanmax(np.abs(want), initial=0.0)), 1e-3)
    return float(np.nanmax(np.abs(want.astype("f8") - got.astype("f8")), initial=0.0)) / scale


def close(what: str, want, got, tolerance: float) -> Finding:
    """Whether structures of arrays agree within a tolerance."""
    want, got = _flat(want), _flat(got)
    if len(want) != len(got):
        return Finding(what, False, detail=f"{len(want)} arrays against {len(got)}")
    error = max((relative(a, b) for a, b in zip(want, got)), default=0.0)
    return Finding(
        what, error <= tolerance, error, "" if error <= tolerance else f"{error:.2e} is more than {tolerance:.0e}"
    )


def same(what: str, want, got) -> Finding:
    """Whether two plain values are equal."""
    holds = want == got
    return Finding(what, bool(holds), detail="" if holds else f"Keras {want!r}, kerasish {got!r}"[:2000])


def same_text(what: str, want: str, got: str) -> Finding:
    """Whether two texts are equal; says where they are not."""
    lines = difflib.unified_diff(want.splitlines(), got.splitlines(), "Keras", "kerasish", lineterm="", n=1)
    return Finding(what, want == got, detail="" if want == got else "\n".join(list(lines)[:40]))


def same_config(what: str, want: dict, got: dict) -> Finding:
    """Whether two configs are equal as JSON."""
    texts = [json.dumps(c, indent=1, sort_keys=True, default=str) for c in (want, got)]
    return same_text(what, *texts)


def _flat(x):
    if isinstance(x, dict):
        return [a for k in sorted(x) for a in _flat(x[k])]
    if isinstance(x, (list, tuple)):
        return [a for v in x for a in _flat(v)]
    return [np.asarray(x)]


def summary_text(model, **options) -> str:
    """What `summary()` prints."""
    lines: list[str] = []
    model.summary(print_fn=lambda text, **_: lines.append(text), **options)
    return "\n".join(lines)


def inputs_for(model, seed: int = 0, batch: int = 2, spatial: int = 9):
    """Random inputs in the structure of a model's inputs."""
    rng = np.random.default_rng(seed)

    def draw(x):
        shape = [batch if i == 0 and d is None else spatial if d is None else d for i, d in enumerate(x.shape)]
        if "int" in x.dtype:
            return rng.integers(0, 5, shape).astype(x.dtype)
        return rng.standard_normal(shape).astype(x.dtype)

    arrays = [draw(x) for x in model.inputs]
    return arrays if len(arrays) > 1 else arrays[0]


def compare_models(case) -> list[Finding]:
    """Shapes, counts, names, summary, config, outputs and gradients of the model that a builder makes.

    Options: tolerance (outputs, 1e-5), gradient_tolerance (1e-4), values (False: no pixel is computed), config, seed.
    """
    options = case.options
    theirs, ours = each(lambda keras: _seeded(case.build, keras))
    findings = [
        same("shape", _shape(theirs.output_shape), _shape(ours.output_shape)),
        same("params", theirs.count_params(), ours.count_params()),
        same(
            "weights",
            [(w.path, tuple(w.shape)) for w in theirs.weights],
            [(w.path, tuple(w.shape)) for w in ours.weights],
        ),
        same_text("summary", summary_text(theirs), summary_text(ours)),
    ]
    if options.get("config", True):
        findings.append(same_config("config", theirs.get_config(), ours.get_config()))
    if options.get("values", True):
        findings += _compare_values_of(theirs, ours, options)
    return findings


def _compare_values_of(theirs, ours, options) -> list[Finding]:
    """Outputs and gradients of two models, from the same weights."""
    x = inputs_for(theirs, options.get("seed", 0))
    with ours_at():
        ours.set_weights(theirs.get_weights())
        got = _run(ours, x)
    with theirs_at():
        want = _run(theirs, x)
    findings = [close("output", want, got, tolerated(options.get("tolerance", 1e-5)))]
    if options.get("gradients", True):
        tolerance = tolerated(options.get("gradient_tolerance", 1e-4))
        findings.append(close("gradient", *gradients(theirs, ours, x), tolerance))
    return findings


def _seeded(build, keras):
    """A model with the same weights in every run: a sum within rounding of 0 may fall on either side of a relu."""
    keras.utils.set_random_seed(0)
    return build(keras)


def _shape(shape):
    return tuple(shape) if not isinstance(shape, (list, dict)) else shape


def _run(model, x):
    return model(x, training=False)


def _projections(outputs):
    rng = np.random.default_rng(7)
    return [rng.standard_normal(tuple(y.shape)).astype("float32") for y in outputs]


def gradients(theirs, ours, x):
    """Gradients of a random projection of the outputs by inputs and weights, through either library's tape."""
    arrays = x if isinstance(x, list) else [x]
    with theirs_at():
        want = _gradients(theirs, arrays) if has_twin() else _gradients_by_tensorflow(theirs, arrays)
    with ours_at():
        return want, _gradients(ours, arrays)


def _gradients_by_tensorflow(model, arrays):
    tf = tensorflow()
    with tf.GradientTape() as tape:
        outputs, sources = _watched(model, tape, [tf.constant(a) for a in arrays])
        projected = tf.add_n([tf.reduce_sum(y * p) for y, p in zip(outputs, _projections(outputs))])
    found = tape.gradient(projected, [s if tf.is_tensor(s) else s.value for s in sources])
    return [np.zeros(s.shape) if g is None else np.asarray(tf.convert_to_tensor(g)) for g, s in zip(found, sources)]


def _gradients(model, arrays):
    kerasish = library()
    with kerasish.GradientTape() as tape:
        outputs, sources = _watched(model, tape, [kerasish.ops.convert_to_tensor(a) for a in arrays])
        projected = sum(kerasish.ops.sum(y * p) for y, p in zip(outputs, _projections(outputs)))
    found = tape.gradient(projected, sources)
    return [np.zeros(s.shape) if g is None else np.asarray(g) for g, s in zip(found, sources)]


def _watched(model, tape, arrays):
    """The model's outputs, and what to differentiate them by."""
    floats = [a for a in arrays if "float" in str(a.dtype)]
    tape.watch(floats)
    y = model(arrays if len(arrays) > 1 else arrays[0], training=False)
    return _leaves(y), floats + model.trainable_weights


def _leaves(y):
    if isinstance(y, dict):
        return [v for k in sorted(y) for v in _leaves(y[k])]
    return [v for part in y for v in _leaves(part)] if isinstance(y, (list, tuple)) else [y]


def compare_values(case) -> list[Finding]:
    """What a function of the module returns: arrays, numbers or structures of them. Option: tolerance (1e-6)."""
    want, got = each(lambda keras: _on_host(case.build(keras)))
    return [close("value", want, got, tolerated(case.options.get("tolerance", 1e-6)))]


def _on_host(values):
    """Structures of arrays, copied to the host."""
    return [np.array(a) for a in _flat(values)]


def compare_configs(case) -> list[Finding]:
    """The config of the object that a function of the module returns, and of one made again from it."""
    want, got = each(case.build)
    again = type(got).from_config(got.get_config())
    return [
        same_config("config", want.get_config(), got.get_config()),
        same_config("round trip", want.get_config(), again.get_config()),
    ]


def compare_text(case) -> list[Finding]:
    """The text that a function of the module returns."""
    want, got = each(case.build)
    return [same_text("text", want, got)]


def compare_errors(case) -> list[Finding]:
    """The class of the exception that a function of the module raises; our text must hold the words in `says`.

    Options: says, kind (our class, where it is not Keras's), silent_on_card (a card raises nothing).
    """
    want, got = each(lambda keras: _raised(case.build, keras))
    if on_card() and case.options.get("silent_on_card"):
        return [same("raises nothing", None, got)]
    kind = type(want).__name__ if want is not None else None
    expected = case.options.get("kind", kind)
    findings = [same("class", expected, type(got).__name__ if got is not None else None)]
    text = f"{got}"
    for word in case.options.get("says", ()):
        findings.append(Finding(f"says {word!r}", word in text, detail="" if word in text else text[:600]))
    return findings


def _raised(build, keras) -> Exception | None:
    """What a function of the module raises."""
    try:
        build(keras)
    except Exception as error:
        return error
    return None
