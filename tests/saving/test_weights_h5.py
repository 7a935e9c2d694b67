"""`.weights.h5`: the same file that real Keras writes, read both ways; and what happens when it does not fit."""

import h5py
import keras
import numpy as np
import pytest

import kerasish

from .models_in_both import MODELS, arrays, assert_same_weights, build, chain, fill, tree


def tracked(k):
    """A subclassed model with layers in attributes, lists, dictionaries, tuples, nestings, and private names."""

    class Tracked(k.Model):
        def __init__(self):
            super().__init__()
            dense = k.layers.Dense
            self.z, self.blocks, self._hidden = dense(2), [dense(3), k.layers.BatchNormalization(), dense(2)], dense(1)
            self.by_key, self.pair = {"x": dense(1), "b": dense(2)}, (dense(1), dense(1))
            self.chain, self.nested = k.Sequential([dense(1)]), [[dense(1)], {"z": dense(1)}]
            self.alias = self.z
            self.own = self.add_weight(shape=(3,), name="own")

        def call(self, x):
            layers = [*self.blocks, *self.by_key.values(), *self.pair, self._hidden, self.chain]
            for layer in [*layers, self.nested[0][0], self.nested[1]["z"]]:
                layer(x)
            return self.alias(x)

    model = Tracked()
    model(np.ones((1, 4), "float32"))
    return model


ROWS = {**MODELS, "tracked": tracked}


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "model.weights.h5")


@pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
@pytest.mark.parametrize("builder", ROWS.values(), ids=ROWS)
def test_same_file_as_keras(builder, compiled, tmp_path):
    ours, theirs = (str(tmp_path / f"{name}.weights.h5") for name in ("ours", "theirs"))
    build(kerasish, builder, compiled).save_weights(ours)
    build(keras, builder, compiled).save_weights(theirs)
    assert tree(ours) == tree(theirs)


@pytest.mark.parametrize("builder", ROWS.values(), ids=ROWS)
def test_crosses_both_ways(builder, path):
    for writer, reader in ((kerasish, keras), (keras, kerasish)):
        source, target = build(writer, builder), build(reader, builder)
        source.save_weights(path)
        fill(target.weights, seed=9)
        target.load_weights(path)
        assert_same_weights(source, target)


def test_optimizer_state_crosses(path):
    for writer, reader in ((kerasish, keras), (keras, kerasish)):
        source, target = build(writer, chain, compiled=True), build(reader, chain, compiled=True)
        source.save_weights(path)
        fill(target.optimizer.variables, seed=9)
        target.load_weights(path)
        for one, other in zip(arrays(source.optimizer.variables), arrays(target.optimizer.variables), strict=True):
            np.testing.assert_array_equal(one, other)


def test_custom_state(path):
    class Keeper(kerasish.layers.Layer):
        def __init__(self):
            super().__init__()
            self.words = ["a"]

        def call(self, x):
            return x

        def save_own_variables(self, store):
            store["words"] = np.array([ord(word) for word in self.words])

        def load_own_variables(self, store):
            assert list(store.keys()) == ["words"] and "words" in store and len(store) == 1
            self.words = [chr(code) for code in store["words"]]

    source, target = (kerasish.Sequential([kerasish.Input((2,)), Keeper()]) for _ in range(2))
    source.layers[0].words = ["b", "c"]
    source.save_weights(path)
    target.load_weights(path)
    assert target.layers[0].words == ["b", "c"]


def wider(k):
    return k.Sequential([k.Input((4,)), k.layers.Dense(3), k.layers.Dense(5, name="head")])


def narrower(k):
    return k.Sequential([k.Input((4,)), k.layers.Dense(3), k.layers.Dense(2, name="head")])


def deeper(k):
    return k.Sequential([k.Input((4,)), k.layers.Dense(3), k.layers.Dense(2), k.layers.Dense(2)])


MISFITS = {
    "shape": (wider, "head has shape|kernel has shape"),
    "missing": (deeper, "expected 2 variables, but received 0"),
}


@pytest.mark.parametrize("builder, text", MISFITS.values(), ids=MISFITS)
def test_misfits_raise_as_in_keras(builder, text, path):
    build(kerasish, narrower).save_weights(path)
    for k in (kerasish, keras):
        with pytest.raises(ValueError, match="A total of 1 objects could not be loaded") as caught:
            build(k, builder).load_weights(path)
        if k is kerasish:
            assert pytest.raises(ValueError, match=text).__enter__ and "skip_mismatch=True" in str(caught.value)


def test_a_wrong_shape_is_explained(path):
    build(kerasish, narrower).save_weights(path)
    with pytest.raises(ValueError) as caught:
        build(kerasish, wider).load_weights(path)
    text = str(caught.value)
    expected = "layer 'head' (Dense), in the file at 'layers/dense_1': kernel has shape (3, 5), the saved one (3, 2)"
    assert expected in text and "bias has shape (5,), the saved one (2,)" in text


def test_skip_mismatch_loads_the_rest(path):
    source = build(kerasish, narrower)
    source.save_weights(path)
    target = build(kerasish, wider)
    fill(target.weights, seed=9)
    kept = arrays(target.layers[1].weights)
    with pytest.warns(UserWarning, match="A total of 1 objects could not be loaded"):
        report = target.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(target.layers[0].kernel.numpy(), source.layers[0].kernel.numpy())
    for one, other in zip(arrays(target.layers[1].weights), kept, strict=True):
        np.testing.assert_array_equal(one, other)
    if report is not None:
        assert list(report.loaded) == ["layers/dense"] and list(report.skipped) == ["layers/dense_1"]


def test_report(path):
    build(kerasish, deeper).save_weights(path)
    report = kerasish.saving.load_weights(build(kerasish, narrower), path)
    assert report.loaded == {"layers/dense": 2, "layers/dense_1": 2} and report.unused == {"layers/dense_2": 2}
    assert "In the file, but not used (variables): layers/dense_2 (2)." in repr(report)


def test_objects_to_skip(path):
    build(kerasish, narrower).save_weights(path)
    target = build(kerasish, wider)
    kerasish.saving.load_weights(target, path, objects_to_skip=[target.layers[1]])


def save(name, **options):
    return lambda k, folder: build(k, narrower).save_weights(str(folder / name), **options)


def load(name, **options):
    return lambda k, folder: build(k, narrower).load_weights(str(folder / name), **options)


def unbuilt(k):
    return k.Sequential([k.layers.Dense(2)])


ERRORS = {
    "ending": (save("model.h5"), ValueError),
    "no ending": (save("model"), ValueError),
    "no directory": (save("nothing/model.weights.h5"), FileNotFoundError),
    "saving unbuilt": (lambda k, folder: unbuilt(k).save_weights(str(folder / "x.weights.h5")), ValueError),
    "no such file": (load("nothing.weights.h5"), FileNotFoundError),
    "unknown format": (load("model"), ValueError),
    "by_name": (load("model.weights.h5", by_name=True), ValueError),
    "unknown argument": (load("model.weights.h5", nothing=True), ValueError),
    "not HDF5": (load("text.weights.h5"), OSError),
}


@pytest.mark.parametrize("action, error", ERRORS.values(), ids=ERRORS)
def test_errors_of_keras_class(action, error, tmp_path):
    (tmp_path / "text.weights.h5").write_text("text")
    build(kerasish, narrower).save_weights(tmp_path / "model.weights.h5")
    for k in (kerasish, keras):
        with pytest.raises(error):
            action(k, tmp_path)


def test_shards_are_not_supported(path):
    with pytest.raises(NotImplementedError, match="max_shard_size=None"):
        build(kerasish, narrower).save_weights(path, max_shard_size=1)


def test_a_failed_save_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "model.weights.h5"
    model = build(kerasish, narrower)
    model.save_weights(path)
    before = path.read_bytes()

    def fail(store):
        raise RuntimeError("disk full")

    model.layers[1].save_own_variables = fail
    with pytest.raises(RuntimeError, match="disk full"):
        model.save_weights(path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == [path.name]


def test_overwriting_is_asked_for(path, monkeypatch):
    first, second = build(kerasish, narrower), build(kerasish, narrower)
    fill(second.weights, seed=9)
    first.save_weights(path)
    answers = iter(["what?", "n", "y"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    for expected in (first, second):
        second.save_weights(path, overwrite=False)
        target = build(kerasish, narrower)
        target.load_weights(path)
        assert_same_weights(target, expected)


def external_link(file, folder):
    build(kerasish, narrower).save_weights(folder / "other.weights.h5")
    del file["layers/dense"]
    file["layers/dense"] = h5py.ExternalLink(str(folder / "other.weights.h5"), "layers/dense")


def soft_link(file, folder):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.SoftLink("/layers/dense_1/vars/0")


def external_data(file, folder):
    (folder / "raw").write_bytes(bytes(48))
    del file["layers/dense/vars/0"]
    group = file["layers/dense/vars"]
    group.create_dataset("0", (4, 3), "float32", external=[(str(folder / "raw"), 0, 48)])


def bomb(file, folder):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars"].create_dataset(
        "0", (1 << 20, 1 << 20), "float32", chunks=(1024, 1024), compression="gzip"
    )


@pytest.mark.parametrize("attack", [external_link, soft_link, external_data, bomb], ids=lambda a: a.__name__)
def test_files_that_reach_outside_are_refused(attack, tmp_path):
    path = tmp_path / "model.weights.h5"
    build(kerasish, narrower).save_weights(path)
    with h5py.File(path, "a") as file:
        attack(file, tmp_path)
    with pytest.raises(ValueError, match="Not allowed"):
        build(kerasish, narrower).load_weights(path)
