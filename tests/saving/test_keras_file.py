"""`.keras` files: real Keras opens ours, we open real Keras's, and bad ones are refused."""

import copy
import json
import pickle
import zipfile

import keras
import numpy as np
import pytest

import kerasish

from .models_in_both import (
    MODELS,
    arrays,
    assert_same_predictions,
    assert_same_weights,
    build,
    chain,
    inputs_for,
)

BOTH_WAYS = [(kerasish, keras), (keras, kerasish)]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "model.keras")


@pytest.mark.parametrize("writer, reader", BOTH_WAYS, ids=["ours", "theirs"])
@pytest.mark.parametrize("builder", MODELS.values(), ids=MODELS)
def test_crosses_both_ways(builder, writer, reader, path):
    source = build(writer, builder)
    source.save(path)
    target = reader.saving.load_model(path)
    assert_same_weights(source, target)
    assert_same_predictions(*((source, target) if writer is kerasish else (target, source)))


@pytest.mark.parametrize("writer, reader", BOTH_WAYS, ids=["ours", "theirs"])
def test_training_goes_on_where_it_stopped(writer, reader, path):
    source = build(writer, chain, compiled=True)
    source.save(path)
    target = reader.saving.load_model(path)
    for one, other in zip(arrays(source.optimizer.variables), arrays(target.optimizer.variables), strict=True):
        np.testing.assert_array_equal(one, other)
    x, y = inputs_for(target), np.ones((3, 2), "float32")
    for one, other in zip(source.evaluate(x, y, verbose=0), target.evaluate(x, y, verbose=0), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    assert getattr(reader.saving.load_model(path, compile=False), "optimizer", None) is None


@pytest.mark.parametrize("builder", MODELS.values(), ids=MODELS)
def test_configs_equal_keras(builder):
    ours, theirs = (json.loads(build(k, builder, compiled=True).to_json()) for k in (kerasish, keras))
    assert ours == theirs


@pytest.mark.parametrize("builder", MODELS.values(), ids=MODELS)
def test_json_crosses(builder):
    text = build(keras, builder).to_json()
    again = kerasish.models.model_from_json(text)
    assert json.loads(again.to_json()) == json.loads(text)


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_members_as_in_keras(tmp_path):
    ours, theirs = tmp_path / "ours.keras", tmp_path / "theirs.keras"
    build(kerasish, chain).save(ours)
    build(keras, chain).save(theirs)
    assert list(members(ours)) == list(members(theirs))
    assert json.loads(members(ours)["metadata.json"]).keys() == json.loads(members(theirs)["metadata.json"]).keys()


def test_weights_load_from_whole_models(path):
    source, target = build(kerasish, chain), chain(kerasish)
    source.save(path)
    target.load_weights(path)
    assert_same_weights(source, target)


def test_directories(tmp_path):
    source = build(kerasish, chain)
    source.save(tmp_path / "folder", zipped=False)
    assert_same_weights(source, kerasish.saving.load_model(tmp_path / "folder"))
    assert_same_weights(source, keras.saving.load_model(tmp_path / "folder"))


@kerasish.saving.register_keras_serializable("saving_tests")
class Vocabulary(kerasish.layers.Layer):
    """A layer with an asset."""

    def __init__(self, words=(), **kwargs):
        super().__init__(**kwargs)
        self.words = list(words)

    def call(self, x):
        return x

    def save_assets(self, dir_path):
        with open(f"{dir_path}/words.txt", "w") as file:
            file.write(" ".join(self.words))

    def load_assets(self, dir_path):
        with open(f"{dir_path}/words.txt") as file:
            self.words = file.read().split()


def with_assets():
    model = kerasish.Sequential([kerasish.Input((2,)), Vocabulary()])
    model.layers[0].words = ["a", "b"]
    return model


def test_assets(path):
    with_assets().save(path)
    assert "assets/layers/vocabulary/words.txt" in members(path)
    assert kerasish.saving.load_model(path).layers[0].words == ["a", "b"]


def rewritten(path, change):
    """The file with its members changed."""
    contents = change(members(path))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)


BAD = {
    "a path that leads out": (lambda m: {**m, "assets/../../evil.txt": b"x"}, ValueError, "leads out of the archive"),
    "a bomb": (lambda m: {**m, "assets/zeros": bytes(1 << 27)}, ValueError, "decompression bomb"),
    "no config": (lambda m: {"model.weights.h5": m["model.weights.h5"]}, KeyError, "config.json"),
    "no weights": (lambda m: {"config.json": m["config.json"]}, KeyError, "model.weights.h5"),
    "broken JSON": (lambda m: {**m, "config.json": b"{"}, json.JSONDecodeError, "Expecting property name"),
}


@pytest.mark.parametrize("change, error, text", BAD.values(), ids=BAD)
def test_bad_archives(change, error, text, path):
    build(kerasish, chain).save(path)
    rewritten(path, change)
    with pytest.raises(error, match=text):
        kerasish.saving.load_model(path)


def save(name, **options):
    return lambda k, folder: build(k, chain).save(str(folder / name), **options)


def load(name):
    return lambda k, folder: k.saving.load_model(str(folder / name))


ERRORS = {
    "no ending": (save("model"), "Invalid filepath extension for saving"),
    "zipped=False": (save("model.keras", zipped=False), "should not end in `.keras`"),
    "unknown argument": (save("model.keras", nothing=1), "argument.s. are not supported"),
    "no such file": (load("nothing.keras"), "File not found"),
    "not a zip": (load("text.keras"), "File not found"),
    "unknown format": (load("nothing"), "File format not supported"),
}


@pytest.mark.parametrize("action, text", ERRORS.values(), ids=ERRORS)
def test_errors_as_in_keras(action, text, tmp_path):
    (tmp_path / "text.keras").write_text("text")
    for k in (kerasish, keras):
        with pytest.raises(ValueError, match=text):
            action(k, tmp_path)


def test_unbuilt_models_warn(path):
    for k in (kerasish, keras):
        with pytest.warns(UserWarning, match="has not yet been built"):
            k.Sequential([k.layers.Dense(2)]).save(path)


def test_a_failed_save_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "model.keras"
    model = with_assets()
    model.save(path)
    before = path.read_bytes()
    model.layers[0].words = [1]
    with pytest.raises(TypeError):
        model.save(path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == [path.name]


class Scale(kerasish.layers.Layer):
    """A layer that nobody registered."""

    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, shape):
        self.shift = self.add_weight(shape=(shape[-1],), name="shift")

    def call(self, x):
        return x * self.factor + self.shift

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def custom():
    return kerasish.Sequential([kerasish.Input((3,)), Scale(2.0), kerasish.layers.Dense(2)])


COPIES = {"pickle": lambda model: pickle.loads(pickle.dumps(model)), "deepcopy": copy.deepcopy}


@pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("builder", [lambda k: custom(), *MODELS.values()], ids=["custom", *MODELS])
def test_copies(builder, again):
    model = build(kerasish, builder, compiled=True)
    copied = again(model)
    assert_same_weights(model, copied)
    assert copied.name == model.name and copied.optimizer is not model.optimizer
    for one, other in zip(arrays(model.optimizer.variables), arrays(copied.optimizer.variables), strict=True):
        np.testing.assert_array_equal(one, other)
    assert_same_predictions(model, copied)


@pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)
def test_copies_of_layers(again):
    layer = kerasish.layers.Dense(3)
    layer.build((None, 2))
    assert_same_weights(layer, again(layer))


def test_custom_layers_are_asked_for(path):
    custom().save(path)
    with pytest.raises(TypeError, match="Could not locate class 'Scale'.*(?s:.)*register_keras_serializable"):
        kerasish.saving.load_model(path)
    assert kerasish.saving.load_model(path, custom_objects={"Scale": Scale}).layers[0].factor == 2.0


@kerasish.saving.register_keras_serializable("test_keras_file")
class HoldsItself(kerasish.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [kerasish.layers.Dense(3)]
        self.blocks.append(self.blocks)
        self.table = {"out": kerasish.layers.Dense(2), "blocks": self.blocks}
        self.table["table"] = self.table

    def call(self, x):
        return self.table["out"](self.blocks[0](x))


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_containers_that_hold_themselves(name, tmp_path):
    path, x = str(tmp_path / name), np.ones((2, 4), "float32")
    model = HoldsItself()
    expected = model(x).numpy()
    assert len(model.layers) == 2 and len(model.weights) == 4
    if name == "model.keras":
        model.save(path)
        again = kerasish.saving.load_model(path)
    else:
        model.save_weights(path)
        again = HoldsItself()
        again(x)
        again.load_weights(path)
    np.testing.assert_array_equal(again(x).numpy(), expected)
