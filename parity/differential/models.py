"""Whole models: summary, configuration, weights, outputs, gradients, two training steps, files in both directions."""

from __future__ import annotations

import numpy as np

from parity.compare import summary_text
from parity.differential.model_building import INPUTS, build, model, net, scale
from parity.differential.outcome import SMALLEST, Unreliable, as_json, attempt, plain
from parity.differential.subject import subject
from parity.differential.tapes import gradients

UNSETTLED = "unsettled"  # an empty file beside those of a model whose training nobody could repeat
TOLERANCE = 2e-4  # of what whole models give
UNSEEN = 2e-7  # a relative change of inputs that rounding hides
ROUNDING = 1e-5  # what is left where a gradient is 0, as that of a batch of one sample that is normalized


def _batch(data, seed, shapes, beside=0.0):
    """Inputs and targets; the targets are named if there is a dict of shapes. `beside`: how far off inputs are."""
    rng = np.random.default_rng([seed, data["seed"]])
    kinds = data["inputs"] if data["style"] == "functional" else data["inputs"][:1]
    x = [rng.standard_normal((data["batch"], *INPUTS[kind])).astype("float32") for kind in kinds]
    y = [rng.standard_normal(shape).astype("float32") for shape in _flat(shapes)]
    x = [v * (1 + rng.normal(0, beside, v.shape)).astype("float32") for v in x] if beside else x
    if _takes_dict(data):
        x = {f"x{i}": v for i, v in enumerate(x)}
    else:
        x = x if len(x) > 1 else x[0]
    return x, dict(zip(shapes, y)) if isinstance(shapes, dict) else y[0] if len(y) == 1 else y


def _takes_dict(data):
    return data["style"] == "functional" and data["structure"] == "dict"


def _flat(x):
    return list(x.values()) if isinstance(x, dict) else x if isinstance(x, list) else [x]


def _shapes(y):
    """The shapes of outputs, in their structure."""
    if isinstance(y, dict):
        return {k: tuple(v.shape) for k, v in y.items()}
    return [tuple(v.shape) for v in (y if isinstance(y, (list, tuple)) else [y])]


def _steady(model, gradients_at, x):
    """`gradients_at(x)`, in which gradients that are nothing but rounding errors are left out.

    Changes of the inputs that nobody could see change those: the gradient of a normalized value that is normalized
    again is 0, as a difference of large numbers.
    """
    rng, state = np.random.default_rng(11), [(v, np.array(v)) for v in model.variables]
    _, beside = gradients_at([v * (1 + rng.normal(0, UNSEEN, v.shape)).astype("float32") for v in x])
    for variable, value in state:  # random numbers and moving averages
        variable.assign(value)
    y, found = gradients_at(x)
    return y, [_told(g, h) for g, h in zip(found, beside)]


def _told(g, beside):
    """What is compared of a gradient, given that beside it."""
    if g is None:
        return "none"
    if _noisy(g, beside):
        return Unreliable()
    return g if np.abs(g).max(initial=0) > ROUNDING else np.zeros_like(g)


def _noisy(g, beside) -> bool:
    return g.size > 0 and bool(np.abs(g - beside).max() > TOLERANCE / 4 * max(np.abs(g).max(), SMALLEST))


def _settled(found, beside):
    """What training gives, without what a change that nobody could see changes.

    A bias in front of a normalization has a gradient of 0, which is rounding errors; Adam and its kin make steps of
    their full rate of those.
    """
    if isinstance(found, dict):
        return {k: _settled(v, beside[k]) for k, v in found.items()}
    if isinstance(found, (list, tuple)):
        return type(found)(map(_settled, found, beside))
    if isinstance(found, (float, np.ndarray)) and _noisy(np.asarray(found), np.asarray(beside)):
        return Unreliable()
    return found


def _holds_unsettled(found) -> bool:
    values = found.values() if isinstance(found, dict) else found if isinstance(found, (list, tuple)) else ()
    return isinstance(found, Unreliable) or any(map(_holds_unsettled, values))


def _summaries(model, data):
    options = dict(data["summary"])
    if options.pop("first_and_last", False):
        options["layer_range"] = (model.layers[0].name, model.layers[-1].name)
    return [summary_text(model), summary_text(model, **options)]


def _loss(keras, data, shapes):
    """The loss as it is given to compile: one for all, or one for each output."""
    loss = data["loss"]
    if isinstance(loss, dict):
        return keras.losses.get(loss)
    if loss not in ("each", "named"):
        return loss
    if isinstance(shapes, dict):
        return {k: "mse" if i else "mae" for i, k in enumerate(shapes)}
    return ["mse" if i else "mae" for i in range(len(shapes))] if len(shapes) > 1 else ["mse"]


def _compile(keras, model, data, shapes):
    name, arguments = data["optimizer"]
    options = {"run_eagerly": True, **data["compile"]}
    for kind in ("metrics", "weighted_metrics"):
        if kind in options and len(_flat(shapes)) > 1:
            options[kind] = {k: options[kind] for k in shapes} if isinstance(shapes, dict) else [options[kind]] * 2
    model.compile(getattr(keras.optimizers, name)(**arguments), _loss(keras, data, shapes), **options)


def _twin(keras, data, model):
    """The model once more, as it is now."""
    keras.utils.set_random_seed(data["seed"])
    twin = build(keras, data)
    twin(_batch(data, 1, [])[0], training=False)
    for variable, other in zip(twin.variables, model.variables, strict=True):
        variable.assign(np.array(other))
    return twin


def _trained(model, data, shapes, beside=0.0):
    """What some training gives."""
    out = {"steps": [plain(model.train_on_batch(*_batch(data, i, shapes, beside))) for i in (1, 2)]}
    history = model.fit(*_batch(data, 3, shapes, beside), batch_size=2, shuffle=False, verbose=0).history
    out["fitted"] = {k: [float(v) for v in values] for k, values in history.items()}
    out["evaluated"] = plain(model.evaluate(*_batch(data, 4, shapes, beside), verbose=0, return_dict=True))
    out["trained"] = plain(model.get_weights())
    out["prediction"] = plain(model.predict(_batch(data, 1, [], beside)[0], verbose=0))
    return out


def run(keras, data, folder):
    """What a model shows, before and after training steps; its files stay in `folder`."""
    keras.utils.set_random_seed(data["seed"])
    model = build(keras, data)
    out = {"summary": _summaries(model, data), "params": model.count_params()}
    out["weights"] = [[w.path, list(w.shape), w.trainable] for w in model.weights]
    out["layers"] = [[layer.name, layer.trainable] for layer in model.layers]
    if data["style"] != "subclassed":
        out["json"] = model.to_json()
        out["shapes"] = [plain(model.input_shape), plain(model.output_shape)]
        out["clone"] = summary_text(keras.models.clone_model(model))
    out["config"] = as_json(model.get_config())
    out["first"] = plain(model.get_weights())
    x, _ = _batch(data, 1, [])
    shapes = _shapes(model(x, training=False))
    names, flat = (list(x), list(x.values())) if isinstance(x, dict) else (None, x if isinstance(x, list) else [x])
    again = lambda t: dict(zip(names, t)) if names else list(t) if len(t) > 1 else t[0]
    for training in (False, True):
        call = lambda *t, training=training: model(again(t), training=training)
        at = lambda x, call=call: gradients(keras, call, x, model.trainable_variables)
        y, found = _steady(model, at, flat)
        out[f"training={training}"] = [plain(y), found, plain(model.losses)]
    if model.trainable_weights:
        twin = _twin(keras, data, model)
        for one in (twin, model):
            _compile(keras, one, data, shapes)
        out["compiled"] = as_json(model.get_compile_config())
        out |= _settled(_trained(model, data, shapes), _trained(twin, data, shapes, UNSEEN))
        out["names"] = list(model.metrics_names)
    else:
        out["trained"] = plain(model.get_weights())
        out["prediction"] = plain(model.predict(x, verbose=0))
    if _holds_unsettled(out.get("trained")):
        (folder / UNSETTLED).touch()
    model.save_weights(str(folder / "net.weights.h5"))
    model.save(str(folder / "net.keras"))
    if data["style"] != "subclassed":
        (folder / "net.json").write_text(model.to_json())  # Keras loses its optimizer's config in saving as HDF5
        model.save(str(folder / "net.h5"))
    return out


def exchange(keras, data, folder):
    """What the other library's files hold: predictions, and a training step more."""
    x, _ = _batch(data, 1, [])
    keras.utils.set_random_seed(data["seed"] + 1)
    model = build(keras, data)
    model.load_weights(str(folder / "net.weights.h5"))
    values = (lambda y: Unreliable()) if (folder / UNSETTLED).exists() else plain
    out = {"weights": values(model(x, training=False))}
    kinds = ("keras",) if data["style"] == "subclassed" else ("keras", "h5")
    own = {"Scale": scale(keras), "Net": net(keras), "parity>Scale": scale(keras), "parity>Net": net(keras)}
    for kind in kinds:
        keras.utils.clear_session()
        out[kind] = attempt(_loaded, keras, data, str(folder / f"net.{kind}"), x, own, values)
    if data["style"] != "subclassed":
        keras.utils.clear_session()
        model = keras.models.model_from_json((folder / "net.json").read_text(), custom_objects=own)
        model.load_weights(str(folder / "net.weights.h5"))
        out["json"] = [summary_text(model), model.to_json(), values(model(x, training=False))]
    return out


def _loaded(keras, data, path, x, own, values):
    """What a loaded model shows, and a training step more."""
    model = keras.models.load_model(path, custom_objects=own, compile=path.endswith("keras"))
    y = model(x, training=False)
    out = {"prediction": values(y), "weights": [[w.path, w.trainable] for w in model.weights]}
    if getattr(model, "optimizer", None) is not None:
        out["a step more"] = values(model.train_on_batch(*_batch(data, 3, _shapes(y))))
        out["iterations"] = int(model.optimizer.iterations)
        out["compiled"] = as_json(model.get_compile_config())
    return out


subject("models", "random", model(), run, exchange=exchange, tolerance=TOLERANCE, width=30.0)
