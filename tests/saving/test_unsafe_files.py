"""Files that lead their reader elsewhere, or would fill its memory, are refused in every format and by every door."""

import io
import json
import tracemalloc
import zipfile

import h5py
import numpy as np
import pytest

import kerasish
from kerasish.saving import assets, h5_files
from kerasish.saving.keras_file import load_model
from kerasish.saving.weights_h5 import load_weights

from .models_in_both import arrays, build, chain

KINDS = ("model.h5", "model.weights.h5", "model.keras")
KERNEL = {
    "model.h5": ("model_weights/head", "sequential/head/kernel"),
    "model.weights.h5": ("layers/dense_1", "vars/0"),
    "model.keras": ("layers/dense_1", "vars/0"),
}
SECRET = np.full((3, 2), 42.0, "float32")


@pytest.fixture
def secret(tmp_path):
    """A file of somebody else's, laid out so that links into it would fit."""
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as file:
        file["data"] = SECRET
        for owner, kernel in set(KERNEL.values()):
            file[f"{owner}/{kernel}"] = SECRET
            file[f"{owner}/{kernel.rpartition('/')[0]}/1"] = np.zeros(2, "float32")
        file["ext/kernel"] = SECRET
    return path


def saved(kind, folder):
    model = build(kerasish, chain)
    path = str(folder / kind)
    model.save_weights(path) if kind.endswith(".weights.h5") else model.save(path)
    return path


def edit(path, change):
    """Changes the HDF5 part of a file."""
    if not path.endswith(".keras"):
        with h5py.File(path, "r+") as file:
            change(file)
        return
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    stream = io.BytesIO(contents["model.weights.h5"])
    with h5py.File(stream, "r+") as file:
        change(file)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**contents, "model.weights.h5": stream.getvalue()}.items():
            archive.writestr(name, data)


def places(kind):
    """Every part of the way to a variable that a link could take the place of."""
    owner, kernel = KERNEL[kind]
    parts = f"{owner}/{kernel}".split("/")
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def external(file, place, secret):
    del file[place]
    file[place] = h5py.ExternalLink(str(secret), f"/{place}")


def soft(file, place, secret):
    file.move(place, "moved")
    file[place] = h5py.SoftLink("/moved")


def hard(file, place, secret):
    file.move(place, "moved")
    file[place] = file["moved"]


def dangling(file, place, secret):
    del file[place]
    file[place] = h5py.SoftLink("/nowhere")


LINKS = {"external": external, "soft": soft, "hard": hard, "dangling": dangling}
LINKED = [
    pytest.param(k, place, link, id=f"{k}-{place}-{link}") for k in KINDS for place in places(k) for link in LINKS
]


def doors(path):
    """All that reads the file."""
    if not path.endswith(".weights.h5"):
        yield lambda: load_model(path)
    yield lambda: load_weights(build(kerasish, chain), path)
    yield lambda: load_weights(build(kerasish, chain), path, skip_mismatch=True)
    if path.endswith("model.h5"):
        yield lambda: load_weights(build(kerasish, chain), path, by_name=True)


@pytest.mark.parametrize("kind, place, link", LINKED)
def test_links(kind, place, link, tmp_path, secret):
    path = saved(kind, tmp_path)
    edit(path, lambda file: LINKS[link](file, place, secret))
    for door in doors(path):
        with pytest.raises(ValueError, match="Not allowed: H5 file with .*Link"):
            door()


def virtual(file, place, secret):
    layout = h5py.VirtualLayout((3, 2), "float32")
    layout[:] = h5py.VirtualSource(str(secret), "data", (3, 2))
    del file[place]
    file.create_virtual_dataset(place, layout)


def stored_elsewhere(file, place, secret):
    del file[place]
    file.create_dataset(place, (3, 2), "float32", external=[(str(secret), 0, 24)])


@pytest.mark.parametrize("plant", [virtual, stored_elsewhere])
@pytest.mark.parametrize("kind", KINDS)
def test_data_that_stand_elsewhere(kind, plant, tmp_path, secret):
    path = saved(kind, tmp_path)
    edit(path, lambda file: plant(file, "/".join(KERNEL[kind]), secret))
    for door in doors(path):
        with pytest.raises(ValueError, match="external or virtual Dataset"):
            door()


@pytest.mark.parametrize("name", ["/ext/kernel", "ext/kernel", "./sequential/head/kernel", "../ext/kernel", ""])
def test_names_of_weights_that_lead_away(name, tmp_path, secret):
    path = saved("model.h5", tmp_path)

    def change(file):
        file["ext"] = h5py.ExternalLink(str(secret), "/ext")
        file["model_weights/head/ext"] = h5py.ExternalLink(str(secret), "/ext")
        file["model_weights/head"].attrs["weight_names"] = [name, "sequential/head/bias"]

    edit(path, change)
    for door in doors(path):
        with pytest.raises(ValueError):
            door()


def test_names_of_layers_that_lead_away(tmp_path, secret):
    path = saved("model.h5", tmp_path)

    def change(file):
        file["out"] = h5py.ExternalLink(str(secret), "/model_weights")
        file["model_weights"].attrs["layer_names"] = ["dense", "batch_normalization", "/out/head"]

    edit(path, change)
    for door in doors(path):
        with pytest.raises(ValueError, match="Invalid path in H5 file"):
            door()


def enormous(file, place, shape=(1 << 15, 1 << 15)):
    del file[place]
    file.create_dataset(place, shape, "float32", chunks=(1 << 10, 1 << 10), compression="gzip")


@pytest.mark.parametrize("kind", KINDS)
def test_a_dataset_is_not_read_to_find_that_it_does_not_fit(kind, tmp_path):
    path = saved(kind, tmp_path)
    edit(path, lambda file: enormous(file, "/".join(KERNEL[kind])))
    tracemalloc.start()
    for door in list(doors(path))[:2]:
        with pytest.raises(ValueError, match="decompression bomb|has shape"):
            door()
    assert tracemalloc.get_traced_memory()[1] < 1 << 26
    tracemalloc.stop()


def dataset(shape, monkeypatch, floor, ratio=10):
    monkeypatch.setattr(h5_files, "FLOOR", floor)
    monkeypatch.setattr(h5_files, "RATIO", ratio)
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("x", shape, "float32", chunks=shape, compression="gzip", data=np.zeros(shape, "float32"))
    return stream


def test_the_bounds_of_a_dataset(monkeypatch):
    stream = dataset((100, 100), monkeypatch, floor=40_000)
    with h5_files.reading_h5(stream) as file:
        stored = file.dataset("x")._handle.id.get_storage_size()
        assert stored < 1000 and file.dataset("x").read().nbytes == 40_000  # just at the floor
        monkeypatch.setattr(h5_files, "FLOOR", 39_999)
        with pytest.raises(h5_files.UnsafeFileError, match=f"declares 40000 bytes but only {stored} are stored"):
            file.dataset("x").read()
        with pytest.raises(h5_files.UnsafeFileError):
            file.dataset("x").read(needed=39_999)
        assert file.dataset("x").read(needed=40_000).shape == (100, 100)  # the model has room for it
        monkeypatch.setattr(h5_files, "RATIO", -(-40_000 // stored))
        assert file.dataset("x").read().shape == (100, 100)


def test_what_is_no_number_is_refused(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["texts"] = ["a", "b"]
        file["nothing"] = h5py.Empty("f")
        file.create_dataset("reference", data=np.array([file.ref], dtype=h5py.ref_dtype))
        file["type"] = np.dtype("f4")
    with h5_files.reading_h5(tmp_path / "x.h5") as file:
        for name in ("texts", "nothing", "reference", "type"):
            with pytest.raises(ValueError, match="Invalid H5 file"):
                file.dataset(name)


def test_bfloat16_is_known_by_its_mark(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["marked"] = file["bare"] = np.array([0x3F80, 0x4000], "uint16")
        file["marked"].attrs["dtype"] = "bfloat16"
        del file["bare"]
        file["bare"] = np.array([0x3F80, 0x4000], "uint16")
    with h5_files.reading_h5(tmp_path / "x.h5") as file:
        assert file.dataset("marked").read().dtype.name == "bfloat16"
        assert file.dataset("marked").read().astype("float32").tolist() == [1.0, 2.0]
        assert file.dataset("bare").read().dtype == "uint16"


def test_groups_thousands_deep(tmp_path):
    path = saved("model.weights.h5", tmp_path)

    def change(file):
        group = file
        for _ in range(1200):
            group = group.create_group("g")

    edit(path, change)
    with pytest.raises(ValueError, match="nested more than 1000 deep"):
        load_weights(build(kerasish, chain), path)


def packed(path, members):
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_the_sum_of_members_is_bounded(tmp_path, monkeypatch):
    path = saved("model.keras", tmp_path)
    packed(path, {f"assets/{i}": bytes(1000) for i in range(10)})
    monkeypatch.setattr(assets, "_FLOOR", 10_000)
    load_model(path)
    monkeypatch.setattr(assets, "_FLOOR", 7_000)
    with pytest.raises(ValueError, match="10 members under 'assets/' would unpack from .* to 10000 bytes"):
        load_model(path)


def test_a_member_of_zeros(tmp_path):
    path = saved("model.keras", tmp_path)
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data + bytes(1 << 27) if name == "model.weights.h5" else data)
    for door in doors(path):
        with pytest.raises(ValueError, match="decompression bomb"):
            door()


@pytest.mark.parametrize("name", ["assets", "assets/a/../../b", "assets/c:x"])
def test_members_that_are_no_assets(name, tmp_path):
    path = saved("model.keras", tmp_path)
    packed(path, {name: b"x"})
    with pytest.raises(ValueError, match="Not allowed: the archive member"):
        load_model(path)


def described(path, config):
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**contents, "config.json": config}.items():
            archive.writestr(name, data)


def chain_config(**changes):
    config = json.loads(chain(kerasish).to_json())
    config.update(changes)
    return config


def with_units(units):
    config = chain_config()
    config["config"]["layers"][1]["config"]["units"] = units
    return config


def with_metric(name, **config):
    metric = {"module": "keras.metrics", "class_name": name, "config": config, "registered_name": None}
    return chain_config(compile_config={"optimizer": None, "loss": "mse", "metrics": [metric]})


HUGE = {
    "units": with_units(10**9),
    "more units than there are bytes": with_units(10**12),
    "thresholds": with_metric("AUC", num_thresholds=10**11),
    "thresholds of a rate": with_metric("PrecisionAtRecall", recall=0.5, num_thresholds=10**11),
    "classes": with_metric("MeanIoU", num_classes=10**6),
}


@pytest.mark.parametrize("config", HUGE.values(), ids=HUGE)
def test_configs_that_ask_for_more_than_the_file_is_about(config, tmp_path):
    path = saved("model.keras", tmp_path)
    described(path, json.dumps(config))
    with pytest.raises(ValueError, match="model.keras cannot be loaded: The file's config asks for"):
        load_model(path)


def test_the_same_sizes_are_free_in_code():
    assert kerasish.metrics.AUC(num_thresholds=2000).num_thresholds == 2000
    assert arrays(chain(kerasish).weights)


def deep(levels):
    inner = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2, "name": "d"}}
    for i in range(levels):
        inner = {"module": "keras", "class_name": "Sequential", "config": {"name": f"s{i}", "layers": [inner]}}
    return inner


def graph(**changes):
    x = kerasish.Input((4,), name="x")
    y = kerasish.layers.Dense(2, name="y")(x)
    config = json.loads(kerasish.Model(x, y).to_json())
    config["config"].update(changes)
    return config


def call_of(*history):
    config = graph()
    call = config["config"]["layers"][1]["inbound_nodes"][0]
    call["args"][0]["config"]["keras_history"] = list(history)
    return config


NO_MODELS = {
    "a list": ([], "does not describe a model"),
    "null": (None, "does not describe a model"),
    "a number": (3, "does not describe a model"),
    "an empty object": ({}, "does not describe a model"),
    "a name": ("Dense", "does not describe a model"),
    "a list of modules": ([chain_config()], "does not describe a model"),
    "an initializer": ({"module": "keras.initializers", "class_name": "Zeros", "config": {}}, "neither a model nor"),
    "a function": ({"module": "builtins", "class_name": "function", "config": "relu"}, "does not describe a model"),
    "a module that is a list": (chain_config(module=["keras"]), "'module' of an object"),
    "a class that is a number": (chain_config(class_name=3), "does not describe a model"),
    "layers that are a number": (chain_config(config={"name": "s", "layers": 3}), "'name' and 'layers'"),
    "a layer that is null": (chain_config(config={"name": "s", "layers": [None]}), "a 'config' key"),
    "an unknown input": (graph(input_layers=["z", 0, 0]), r"input_layers refers to \['z', 0, 0\]"),
    "no output": (graph(output_layers=None), "output_layers refers to None"),
    "layers twice": (graph(layers=graph()["config"]["layers"] * 2), "two layers are named 'x'"),
    "a layer without a name": (graph(layers=[{"class_name": "Dense", "config": {}}]), "name is None"),
    "a tensor that is not there": (call_of("x", 0, 7), "cannot be loaded"),
    "a call that is not there": (call_of("x", 7, 0), "wait for tensors"),
    "a call of nobody": (call_of("z", 0, 0), "a call of layer 'y' refers to"),
    "a negative call": (call_of("x", -1, 0), "a call of layer 'y' refers to"),
    "300 models in models": (deep(300), "nested too deep"),
}


@pytest.mark.parametrize("config, text", NO_MODELS.values(), ids=NO_MODELS)
def test_configs_that_describe_no_model(config, text, tmp_path):
    path = saved("model.keras", tmp_path)
    described(path, json.dumps(config))
    with pytest.raises(ValueError, match=text) as caught:
        load_model(path)
    assert path in str(caught.value)
    path = saved("model.h5", tmp_path)
    edit(path, lambda file: file.attrs.__setitem__("model_config", json.dumps(config)))
    with pytest.raises((ValueError, TypeError)) as caught:
        load_model(path)
    assert path in str(caught.value)
