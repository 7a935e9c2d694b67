"""Damaged files end in an error that names the file, or load: nothing else happens, and not slowly."""

import io
import json
import random
import time
import warnings
import zipfile

import h5py
import pytest

import kerasish
from kerasish.saving.keras_file import load_model
from kerasish.saving.weights_h5 import load_weights

NAMES = ("m.keras", "m.h5", "m.weights.h5")
OBJECTS = (
    {"class_name": "Dense"},
    {"class_name": "Dense", "config": {}},
    {"class_name": "__tensor__", "config": {"value": [1], "dtype": "float32"}},
    {"class_name": "__numpy__", "config": {"value": [[1], [2, 3]], "dtype": "O"}},
    {"class_name": "__slice__", "config": {}},
    {"class_name": "__lambda__", "config": {"value": "4wEA"}},
    {"class_name": "function", "config": "relu", "module": "builtins"},
)
PLAIN = (None, [], {}, "", "x", 0, -1, 1, 3.5, True, [None], [[]], "a" * 50, float("nan"), ["x", 0, 0])
VALUES = (*PLAIN, *OBJECTS, 10**6, 10**12, -(10**12))


def model():
    kerasish.utils.clear_session()
    layers = kerasish.layers
    x = kerasish.Input((8, 8, 1), name="x")
    y = layers.Flatten(name="f")(layers.BatchNormalization(name="b")(layers.Conv2D(2, 3, name="c")(x)))
    dense = layers.Dense(3, activation="relu", kernel_regularizer="l2", name="d")
    made = kerasish.Model(x, kerasish.Sequential([kerasish.Input((72,)), dense], name="inner")(y))
    made.compile(kerasish.optimizers.Adam(0.1), "mse", ["mae", kerasish.metrics.AUC(num_thresholds=5)])
    made.optimizer.build(made.trainable_variables)
    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of one file of each kind."""
    folder, source = tmp_path_factory.mktemp("whole"), model()
    for name in NAMES:
        (source.save_weights if name.endswith(".weights.h5") else source.save)(str(folder / name))
    return {name: (folder / name).read_bytes() for name in NAMES}


def holders(value):
    """Each place in a nested structure: what holds it, and under which key."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from holders(value[key])


def twisted(rng, text):
    """JSON with some of its fields replaced, dropped, or moved."""
    config = json.loads(text)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        holder, key = rng.choice(list(holders(config)))
        chance = rng.random()
        if chance < 0.6:
            holder[key] = rng.choice(VALUES)
        elif isinstance(holder, list):
            holder.append(holder[key])
        elif chance < 0.8:
            del holder[key]
        else:
            holder[rng.choice(["name", "units", "config", "class_name", "layers", "x"])] = holder.pop(key)
    return json.dumps(config)


def flipped(rng, data):
    """Bytes some of which are others, now and then cut short."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed[: rng.randrange(len(changed))] if rng.random() < 0.1 else changed)


def damaged(rng, name, data):
    if name == "m.keras" and rng.random() < 0.7:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
        member = rng.choice(["config.json"] * 3 + ["model.weights.h5"])
        change = twisted if member == "config.json" else flipped
        members[member] = change(rng, members[member])
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        return stream.getvalue()
    if name == "m.h5" and rng.random() < 0.6:
        stream = io.BytesIO(data)
        with h5py.File(stream, "r+") as file:
            attribute = rng.choice(["model_config", "model_config", "training_config"])
            file.attrs[attribute] = twisted(rng, file.attrs[attribute])
        return stream.getvalue()
    return flipped(rng, data)


def doors(path):
    if not path.endswith(".weights.h5"):
        yield lambda: load_model(path)
    yield lambda: load_weights(model(), path)


def check(whole, folder, seed, rounds):
    rng, ends = random.Random(seed), {}
    for number in range(rounds):
        name = rng.choice(NAMES)
        path = str(folder / name)
        with open(path, "wb") as file:
            file.write(damaged(rng, name, whole[name]))
        for door in doors(path):
            start = time.perf_counter()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    door()
                end = "loaded"
            except (ValueError, TypeError, OSError) as error:
                end = type(error).__name__
                assert path in str(error) or "objects could not be loaded" in str(error), (seed, number, error)
            assert time.perf_counter() - start < 30, (seed, number, name)
            ends[end] = ends.get(end, 0) + 1
    return ends


def test_damaged_files(whole, tmp_path):
    ends = check(whole, tmp_path, seed=7, rounds=60)
    assert min(ends["loaded"], ends["ValueError"], ends["OSError"]) > 3


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(4))
def test_many_damaged_files(seed, whole, tmp_path):
    check(whole, tmp_path, seed, rounds=250)
