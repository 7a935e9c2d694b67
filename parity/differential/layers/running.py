"""One layer: configuration, weights, shapes, values, gradients, masks, training and inference."""

from __future__ import annotations

import inspect

import numpy as np

from parity.differential.draws import made
from parity.differential.layers.functions import FUNCTIONS
from parity.differential.outcome import Raised, as_json, attempt, plain
from parity.differential.tapes import gradients


def run(keras, data):
    """Everything that one layer shows."""
    keras.config.set_image_data_format(data.get("image_data_format", "channels_last"))
    try:
        return _shown(keras, data)
    finally:
        keras.config.set_image_data_format("channels_last")


def _shown(keras, data):
    keras.utils.set_random_seed(data["seed"])
    layer = layer_of(keras, data)
    out = {"config": as_json(layer.get_config())}
    arrays = [made(x) for x in data["inputs"]]
    out["symbolic"] = attempt(_symbolic, keras, data, arrays)
    out["built"] = attempt(_built, layer, _structure(data, [a.shape for a in arrays]))
    if isinstance(out["built"], Raised):
        return _refused(out, "symbolic", "built")
    layer.set_weights(_others(layer.get_weights(), data["seed"]))
    if data["layer"] == "Normalization":
        layer.finalize_state()  # Keras's layer goes on with the statistics from before set_weights otherwise
    out["shape"] = attempt(lambda: plain(layer.compute_output_shape(_structure(data, [a.shape for a in arrays]))))
    for training in (False, True):
        out[f"training={training}"] = attempt(_called, keras, data, layer, arrays, training)
    _refused(out, "symbolic", "training=False", "training=True")
    out["state"] = _values(layer)
    if data.get("mask") is not None:
        out["masked"] = attempt(_masked, keras, data, layer, arrays)
    if data.get("second") is not None:
        out["second"] = attempt(lambda: plain(layer(made(data["second"]))))
    again = type(layer).from_config(layer.get_config())
    again.build_from_config(layer.get_build_config())
    out["again"] = [as_json(again.get_config()), plain(again.get_build_config()), [w.path for w in again.weights]]
    out["repeated"] = attempt(lambda: plain(layer_of(keras, data)(_structure(data, arrays))))
    return out


def _refused(out, *stages):
    """The results, or the error in which all of some stages end: a layer may refuse early or late."""
    if all(isinstance(out[stage], Raised) for stage in stages):
        raise out[stages[-1]].error
    return out


def layer_of(keras, data):
    """The layer that data describes."""
    arguments = {k: tuple(v) if isinstance(v, list) else v for k, v in data["arguments"].items()}
    for name in ("layer", "inner"):
        if isinstance(arguments.get(name), dict):
            arguments[name] = getattr(keras.layers, arguments[name]["layer"])(**arguments[name]["arguments"])
    if data["layer"] == "Lambda":
        names = {k: v for k, v in arguments.items() if k in ("function", "mask", "output_shape") and isinstance(v, str)}
        arguments |= {k: _registered(keras, FUNCTIONS[v]) for k, v in names.items()}
    return getattr(keras.layers, data["layer"])(**arguments)


def _registered(keras, function):
    return keras.saving.register_keras_serializable("parity")(function)


def _structure(data, values):
    """The values as the layer takes them: several in a list, one alone."""
    return list(values) if data.get("list") else values[0]


def _symbolic(keras, data, arrays):
    """Shape and dtype of the result for open sizes, and a model of the layer alone."""
    rest = slice(1, None) if data.get("open", "batch") == "batch" else slice(-1, None)
    shapes = [(*[None] * len(a.shape[: rest.start]), *a.shape[rest]) for a in arrays]
    inputs = [keras.Input(batch_shape=s, dtype=a.dtype.name) for s, a in zip(shapes, arrays)]
    y = layer_of(keras, data)(_structure(data, inputs))
    model = keras.Model(inputs, y)
    called = attempt(lambda: plain(model(arrays, training=False)))
    return [plain(y.shape), keras.backend.standardize_dtype(y.dtype), called]


def _built(layer, shapes):
    layer.build(shapes)
    return {
        "text": repr(layer),
        "weights": [[w.path, list(w.shape), w.dtype.replace("int64", "int32"), w.trainable] for w in layer.weights],
        "first": _values(layer),
        "dtypes": [layer.dtype, layer.compute_dtype, layer.variable_dtype, layer.input_dtype, layer.dtype_policy.name],
        "count": layer.count_params(),
        "build": plain(layer.get_build_config()),
        "masking": layer.supports_masking,
        "own": _own_variables(layer),
    }


def _own_variables(layer):
    store: dict = {}
    layer.save_own_variables(store)
    return {k: list(np.shape(v)) for k, v in store.items()}


def _called(keras, data, layer, arrays, training):
    call = lambda *x: layer(_structure(data, x), **_training(layer, training))
    y, found = gradients(keras, call, arrays, layer.trainable_variables)
    return {
        "output": plain(y),
        "gradients": ["none" if g is None else g for g in found],
        "losses": plain(layer.losses),
    }


def _training(layer, training):
    return {"training": training} if "training" in inspect.signature(layer.call).parameters else {}


def _masked(keras, data, layer, arrays):
    """What the layer makes of inputs whose steps are masked, and its own mask."""
    tensors, rng = [keras.ops.convert_to_tensor(a) for a in arrays], np.random.default_rng(data["mask"])
    for x in tensors:
        x._keras_mask = keras.ops.convert_to_tensor(rng.random(tuple(x.shape[:2])) < 0.7)
    y = layer(_structure(data, tensors), **_training(layer, False))
    return [plain(y), plain(getattr(y, "_keras_mask", None))]


def _values(layer):
    """The weights' values; counts in one width, which Keras's back-ends do not agree on."""
    return [w.astype("int32") if w.dtype == "int64" else w for w in plain(layer.get_weights())]


def _others(weights, seed):
    """Other weights of the same shapes, positive enough for variances."""
    rng = np.random.default_rng(seed)
    return [(w + rng.random(w.shape) * 0.5).astype(w.dtype) if w.dtype.kind == "f" else w for w in weights]
