"""The registry of custom objects: what real Keras answers to the same questions, and threads that do not meet."""

import threading

import keras
import pytest

from kerasish import saving


class Plain:
    def get_config(self):
        return {}


def both(question):
    """The answer of kerasish, after checking that real Keras gives the same."""
    ours, theirs = question(saving), question(keras.saving)
    assert ours == theirs
    return ours


@pytest.fixture(autouse=True)
def clean_registries():
    yield
    for module in (saving, keras.saving):
        for name in [name for name in module.get_custom_objects() if name.startswith("test_pkg")]:
            del module.get_custom_objects()[name]


@pytest.mark.parametrize(
    "arguments, name",
    [((), "Custom>Local"), (("test_pkg",), "test_pkg>Local"), (("test_pkg", "Other"), "test_pkg>Other")],
)
def test_names(arguments, name):
    def ask(module):
        cls = module.register_keras_serializable(*arguments)(type("Local", (Plain,), {}))
        found = module.get_registered_object(name)
        registered = module.get_registered_name(cls)
        del module.get_custom_objects()[name]
        return found is cls, registered

    assert both(ask) == (True, name)


def test_unregistered():
    assert both(lambda m: (m.get_registered_name(Plain), m.get_registered_object("Plain"))) == ("Plain", None)


def test_functions_are_registered_too():
    def double(x):
        return 2 * x

    saving.register_keras_serializable("test_pkg")(double)
    assert saving.get_registered_object("test_pkg>double") is double


def test_a_class_needs_a_config():
    for module in (saving, keras.saving):
        with pytest.raises(ValueError, match=r"Cannot register a class that does not have a get_config\(\) method"):
            module.register_keras_serializable("test_pkg")(type("Bare", (), {}))


def test_lookup_order():
    def ask(module):
        module.get_custom_objects()["test_pkg>x"] = "registry"
        with module.CustomObjectScope({"test_pkg>x": "scope"}):
            inside = module.get_registered_object("test_pkg>x", {"test_pkg>x": "custom"})
        outside = module.get_registered_object("test_pkg>x", {"test_pkg>x": "custom"})
        custom = module.get_registered_object("y", {"y": "custom"}, {"y": "module"})
        return inside, outside, custom, module.get_registered_object("y", None, {"y": "module"})

    assert both(ask) == ("scope", "registry", "custom", "module")


def test_inner_scopes_add_to_outer_ones():
    with saving.CustomObjectScope({"a": 1, "b": 1}), saving.custom_object_scope({"b": 2}):
        assert [saving.get_registered_object(name) for name in "ab"] == [1, 2]
    assert saving.get_registered_object("a") is None


def test_scopes_belong_to_their_thread():
    seen = []
    with saving.CustomObjectScope({"a": 1}):
        thread = threading.Thread(target=lambda: seen.append(saving.get_registered_object("a")))
        thread.start()
        thread.join()
    assert seen == [None]


def test_only_keras_own_functions_can_be_named():
    """A module holds its imports too; a file may name what Keras exports there, and nothing else."""
    import importlib

    from kerasish.names import listed
    from kerasish.saving import public_names

    for family in public_names._FUNCTION_FAMILIES:
        module = importlib.import_module(f"kerasish.{family}")
        found = {name for name in dir(module) if public_names.find_function(name, f"keras.{family}")}
        assert found <= {name.rpartition(".")[2] for name in listed() if name.startswith(f"keras.{family}.")}
        assert not found & {"get", "deserialize", "serialize"}
    assert public_names.find_function("relu") and not public_names.find_function("snake_case", "keras.metrics")
    assert not public_names.find_class("keras.initializers", "convert_to_tensor")
