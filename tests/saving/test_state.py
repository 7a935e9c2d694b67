"""What the walk over a model's parts does where parts fail, share, or hold what is not theirs."""

import h5py
import ml_dtypes
import numpy as np
import pytest

import kerasish
from kerasish.saving import h5_files
from kerasish.saving.h5_store import ReadingStore, WritingStore
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


class One(kerasish.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.z = kerasish.layers.Dense(2)

    def call(self, x):
        return self.z(x)


class Two(One):
    """The same layer under a second name, which comes first and is not in the file."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.a = self.z


def filled(cls, start):
    model = cls()
    model(np.ones((1, 3), "float32"))
    for variable in model.weights:
        variable.assign(np.arange(start, start + variable.numpy().size).reshape(variable.shape))
    return model


def test_what_fails_at_one_path_is_tried_at_the_others(tmp_path):
    path = str(tmp_path / "m.weights.h5")
    source, target = filled(One, 1.0), filled(Two, 50.0)
    source.save_weights(path)
    report = kerasish.saving.load_weights(target, path)
    np.testing.assert_array_equal(target.z.kernel.numpy(), source.z.kernel.numpy())
    assert not report.skipped and not report.unused


def test_a_part_that_fails_everywhere_is_reported_once(tmp_path):
    path = str(tmp_path / "m.weights.h5")
    kerasish.Sequential([kerasish.Input((4,)), kerasish.layers.Dense(1)]).save_weights(path)
    with pytest.raises(ValueError, match="A total of 1 objects could not be loaded"):
        filled(Two, 1.0).load_weights(path)


@kerasish.saving.register_keras_serializable("test_state")
class Sneaky(kerasish.layers.Layer):
    """Keeps a lambda among its variables, and asks for it without safe mode."""

    def save_own_variables(self, store):
        config = serialize_keras_object(lambda x: x)
        store["code"] = np.frombuffer(config["config"]["value"][0].encode(), "uint8")

    def load_own_variables(self, store):
        code = bytes(store["code"]).decode()
        config = {"class_name": "__lambda__", "config": {"value": [code, None, None]}}
        self.function = deserialize_keras_object(config, safe_mode=False)


@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`")
@pytest.mark.parametrize("options", [{}, {"zipped": False}])
def test_weights_are_loaded_in_safe_mode_too(options, tmp_path):
    path = str(tmp_path / ("m" if options else "m.keras"))
    kerasish.Sequential([kerasish.Input((4,)), Sneaky()]).save(path, **options)
    with pytest.raises(ValueError, match="arbitrary code execution"):
        kerasish.saving.load_model(path)
    assert kerasish.saving.load_model(path, safe_mode=False).layers[0].function(3) == 3


def test_bfloat16_keeps_its_mark(tmp_path):
    values = np.array([1.5, -2.0], ml_dtypes.bfloat16)
    with h5_files.writing_h5(tmp_path / "x.h5") as file:
        entry = WritingStore(file).entry("part")
        entry["0"], entry["1"] = values, values.astype("float16")
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["part/vars/0"].attrs["dtype"] == "bfloat16" and "dtype" not in file["part/vars/1"].attrs
    with h5_files.reading_h5(tmp_path / "x.h5") as file:
        entry = ReadingStore(file).entry("part")
        assert entry["0"].dtype == values.dtype and entry["1"].dtype == "float16"
        np.testing.assert_array_equal(entry["0"], values)


MB = 1 << 20


@pytest.mark.parametrize(
    "size, stored, refused",
    [(64 * MB, 0, False), (64 * MB + 1, 0, True), (80 * MB, 7, True), (80 * MB, 8, False)],
)
def test_what_a_dataset_may_declare(size, stored, refused, tmp_path):
    """64 MB, or ten times what the file holds of it."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = file.create_dataset("x", (size,), "uint8", chunks=(MB,))
        for i in range(stored):
            dataset[i * MB : (i + 1) * MB] = 1
    with h5_files.reading_h5(tmp_path / "x.h5") as file:
        if refused:
            with pytest.raises(h5_files.UnsafeFileError, match="decompression bomb"):
                file.dataset("x").read()
        else:
            assert file.dataset("x").read().nbytes == size


def test_an_optimizer_takes_all_or_nothing(tmp_path):
    path = str(tmp_path / "m.weights.h5")
    models = [kerasish.Sequential([kerasish.Input((n,)), kerasish.layers.Dense(2)]) for n in (3, 4)]
    for model in models:
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
    models[0].optimizer.iterations.assign(9)
    models[0].save_weights(path)
    with pytest.raises(ValueError, match="could not be loaded"):
        models[1].load_weights(path)
    assert int(models[1].optimizer.iterations) == 0


def two_layers():
    return kerasish.Sequential([kerasish.Input((3,)), kerasish.layers.Dense(5), kerasish.layers.Dense(5)])


def test_parts_are_skipped_in_saving_and_loading(tmp_path):
    path = str(tmp_path / "m.weights.h5")
    source, target = two_layers(), two_layers()
    kerasish.saving.save_weights(source, path, objects_to_skip=[source.layers[0]])
    with h5py.File(path) as file:
        assert "dense" not in file["layers"] and "dense_1" in file["layers"]
    target.load_weights(path, objects_to_skip=[target.layers[0]])
    first, second = (
        np.array_equal(a.kernel.numpy(), b.kernel.numpy()) for a, b in zip(source.layers, target.layers, strict=True)
    )
    assert second and not first
