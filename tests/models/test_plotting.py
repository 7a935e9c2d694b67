"""`model_to_dot` and `plot_model` draw what real Keras draws."""

import re
import sys

import keras
import pydot
import pytest

import kerasish


def chain(k):
    layers = [k.layers.Conv2D(4, 3, activation="relu"), k.layers.Flatten(), k.layers.Dense(2)]
    model = k.Sequential([k.Input((8, 8, 1)), *layers])
    model.layers[0].trainable = False
    return model


def branches(k):
    a, b, shared = k.Input((8,), name="a"), k.Input((8,), name="b"), k.layers.Dense(8, name="shared")
    x = k.layers.Concatenate()([shared(a), shared(b)])
    x = k.layers.Add()([x, x])
    return k.Model([a, b], [k.layers.Dense(1, name="out")(x), k.ops.relu(x * 2.0) + 1])


def nested(k):
    x = k.Input((8,))
    inner = k.Model(x, k.layers.BatchNormalization()(k.layers.Dense(3)(x)), name="inner")
    y = k.Input((8,))
    return k.Model(y, k.layers.Dense(3)(inner(y)), name="outer")


def nested_chain(k):
    inner = k.Sequential([k.layers.Dense(4), k.layers.Dense(5)], name="inner")
    return k.Sequential([k.Input((8,)), inner, k.layers.Dense(3)])


def two_ways(k):
    a, b = k.Input((4,)), k.Input((4,))
    inner = k.Model([a, b], [k.layers.Dense(2, name="x")(a), k.layers.Dense(3, name="y")(b)], name="inner")
    c, d = k.Input((4,)), k.Input((4,))
    return k.Model([c, d], k.layers.Dense(1, name="head")(inner([c, d])[1]))


ALL = {"show_shapes": True, "show_dtype": True, "show_layer_activations": True, "show_trainable": True}
ROWS = {
    "chain": (chain, {}),
    "chain, all": (chain, {**ALL, "rankdir": "LR", "dpi": 96}),
    "no names": (chain, {"show_layer_names": False}),
    "branches": (branches, {"show_shapes": True}),
    "nested": (nested, {}),
    "nested, expanded": (nested, {"expand_nested": True}),
    "nested chain, expanded": (nested_chain, {"expand_nested": True}),
    "several inputs and outputs, expanded": (two_ways, {"expand_nested": True}),
}


def drawn(k, builder, options):
    """The graph's text, with the layers' ids replaced by numbers in order."""
    k.utils.clear_session()
    text = k.utils.model_to_dot(builder(k), **options).to_string()
    ids = list(dict.fromkeys(re.findall(r"\b\d{9,}\b", text)))
    return re.sub(r"\b\d{9,}\b", lambda match: f"node{ids.index(match[0])}", text).splitlines()


@pytest.mark.parametrize("builder, options", ROWS.values(), ids=ROWS)
def test_as_in_keras(builder, options):
    ours, theirs = (drawn(k, builder, options) for k in (kerasish, keras))
    assert sorted(ours) == sorted(theirs)
    assert ours == theirs


def test_subgraph():
    assert isinstance(kerasish.utils.model_to_dot(chain(kerasish), subgraph=True), pydot.Cluster)


@pytest.mark.parametrize("options", [{"nothing": 1}, {"layer_range": ["a", "b"]}], ids=["unknown", "layer_range"])
def test_errors_as_in_keras(options):
    messages = []
    for k in (kerasish, keras):
        with pytest.raises(ValueError) as caught:
            k.utils.model_to_dot(chain(k), **options)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_unbuilt():
    for k in (kerasish, keras):
        with pytest.raises(ValueError, match="This model has not yet been built"):
            k.utils.model_to_dot(k.Sequential([k.layers.Dense(2)]))


def test_without_pydot(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydot", None)
    for draw in (kerasish.utils.model_to_dot, kerasish.utils.plot_model):
        with pytest.raises(ImportError, match=r"pip install pydot"):
            draw(chain(kerasish))


def test_without_graphviz(monkeypatch, tmp_path):
    def missing(*args, **kwargs):
        raise FileNotFoundError('"dot" not found in path.')

    monkeypatch.setattr(pydot.Dot, "create", missing)
    with pytest.raises(ImportError, match="You must install graphviz"):
        kerasish.utils.plot_model(chain(kerasish), tmp_path / "model.png")


def test_files(monkeypatch, tmp_path):
    written = []
    monkeypatch.setattr(pydot.Dot, "create", lambda *args, **kwargs: b"")
    monkeypatch.setattr(pydot.Dot, "write", lambda self, path, format: written.append((path, format)))
    for name in ("model.png", "model.svg", "model"):
        kerasish.utils.plot_model(chain(kerasish), tmp_path / name)
    folder = str(tmp_path)
    assert written == [(f"{folder}/model.png", "png"), (f"{folder}/model.svg", "svg"), (f"{folder}/model", "png")]
