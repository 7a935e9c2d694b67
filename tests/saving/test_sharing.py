"""What is one object when it is saved is one object when it is loaded, in kerasish and in real Keras."""

import threading
import zipfile

import keras
import pytest

import kerasish
from kerasish.saving.scopes import ObjectSharingScope, SafeModeScope, in_safe_mode


def model_with_one_policy(k):
    policy = k.DTypePolicy("float64")
    return k.Sequential([k.Input((4,)), k.layers.Dense(3, dtype=policy), k.layers.Dense(2, dtype=policy)])


@pytest.mark.parametrize("writer, reader", [(kerasish, keras), (keras, kerasish)], ids=["ours", "theirs"])
def test_files_with_shared_objects_cross(writer, reader, tmp_path):
    path = str(tmp_path / "model.keras")
    model_with_one_policy(writer).save(path)
    layers = reader.saving.load_model(path).layers
    assert [layer.dtype_policy.name for layer in layers] == ["float64", "float64"]


def test_one_id_is_one_object():
    initializer = kerasish.initializers.HeNormal(seed=1)
    with ObjectSharingScope():
        configs = kerasish.saving.serialize_keras_object([initializer, initializer])
        configs[0]["shared_object_id"] = configs[1]["shared_object_id"]
    with ObjectSharingScope():
        first, second = kerasish.saving.deserialize_keras_object(configs)
    assert first is second
    first, second = kerasish.saving.deserialize_keras_object(configs)
    assert first is not second


def test_equal_models_give_equal_configs(tmp_path):
    texts = []
    for name in ("a.keras", "b.keras"):
        kerasish.utils.clear_session()
        model_with_one_policy(kerasish).save(tmp_path / name)
        with zipfile.ZipFile(tmp_path / name) as archive:
            texts.append(archive.read("config.json"))
    assert texts[0] == texts[1]


def test_nothing_is_shared_outside_the_scope():
    policy = kerasish.DTypePolicy("float64")
    with ObjectSharingScope():
        inside = kerasish.saving.serialize_keras_object([policy, policy])
    assert [config["shared_object_id"] for config in inside] == [1, 1]
    outside = kerasish.saving.serialize_keras_object([policy, policy])
    assert all("shared_object_id" not in config for config in outside)


def test_safe_mode_scopes_nest_and_belong_to_their_thread():
    seen = []
    with SafeModeScope(True):
        with SafeModeScope(False):
            thread = threading.Thread(target=lambda: seen.append(in_safe_mode()))
            thread.start()
            thread.join()
            seen.append(in_safe_mode())
        seen.append(in_safe_mode())
    assert [*seen, in_safe_mode()] == [None, False, True, None]


def test_unsafe_everywhere(monkeypatch):
    monkeypatch.setitem(kerasish.config._settings, "unsafe_deserialization", False)
    kerasish.config.enable_unsafe_deserialization()
    with SafeModeScope(True):
        assert in_safe_mode() is False
