"""What is said of names that are not here. That the list is Keras's own, `parity/test_names.py` sees."""

import copy
import doctest
import importlib
import inspect
import pickle
import re
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest

import kerasish
from kerasish import names
from kerasish.compat import advice
from kerasish.names import instead, keras_2, reasons
from parity import names as parity_names

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"\b(keras|numpy|tf)((?:\.\w+)+)")
ROOTS = {"keras": kerasish, "numpy": np}


def resolves(text):
    """The names of a text that do not exist."""
    for root, path in NAME.findall(text):
        found = importlib.import_module("kerasish.compat.tensorflow") if root == "tf" else ROOTS[root]
        for part in path.split(".")[1:]:
            if not hasattr(found, part):
                yield f"{root}{path}"
                break
            found = getattr(found, part)


def texts():
    """Everything that is ever advised."""
    tables = (instead._NAMES, instead._PARTS, keras_2._NAMES, advice._INSTEAD, advice._PARTS)
    yield from ((name, text) for table in tables for name, text in table.items())
    for full, entry in names.listed().items():
        if not parity_names.is_there(*full.rsplit(".", 1)):
            yield full, reasons.reason(*full.rsplit(".", 1))
        if entry.needs == names.LEGACY:
            assert "belongs to Keras 2" in reasons.reason(*full.rsplit(".", 1)), full
    for name in keras_2._BACKEND:
        yield name, reasons.reason("keras.backend", name)


def test_what_is_advised_exists():
    wrong = {name: found for name, text in texts() for found in [list(resolves(text))] if found}
    assert not wrong


def test_the_check_of_advice_can_fail():
    assert list(resolves("use keras.layers.Nope, keras.Model or numpy.nope")) == ["keras.layers.Nope", "numpy.nope"]


def test_each_lacking_name_says_so():
    for module, lacking in parity_names.lacking().items():
        for name in lacking:
            text = reasons.reason(module, name)
            assert text.startswith("it is not in kerasish yet; ") and text.endswith("."), (module, name, text)
            assert instead._LAST not in text, (module, name)


SAID = [
    (
        "keras.layers.Lstm",
        "neither Keras 3 nor kerasish has it; keras.layers.LSTM is not in kerasish yet: use ",
    ),
    ("keras.layers.Conv2d", "neither Keras 3 nor kerasish has it; did you mean keras.layers.Conv2D?"),
    ("keras.layers.Densee", "did you mean keras.layers.Dense?"),
    ("keras.layers.Adam", "did you mean keras.optimizers.Adam?"),
    ("keras.Dense", "did you mean keras.layers.Dense?"),
    ("keras.layers.xyzzy", "neither Keras 3 nor kerasish has it."),
    ("keras.backend.mean", "it belongs to Keras 2; use keras.ops.mean."),
    ("keras.backend.pow", "it belongs to Keras 2; use keras.ops.power."),
    ("keras.backend.get_session", "it belongs to Keras 2; there are no sessions"),
    ("keras.losses.mse", "it belongs to Keras 2; use keras.losses.mean_squared_error."),
    ("keras.metrics.KLD", "it belongs to Keras 2; use keras.metrics.kl_divergence."),
    ("keras.wrappers", "it is not in kerasish yet; "),
    ("keras.ops.svd", "it is not in kerasish yet; where no gradient is needed, numpy.linalg.svd computes it"),
    ("keras.ops.linalg.svd", "it is not in kerasish yet; where no gradient is needed, numpy.linalg.svd computes it"),
    ("keras.mixed_precision.Policy", "it is not in kerasish yet; use keras.DTypePolicy."),
]


@pytest.mark.parametrize("full, text", SAID)
def test_reasons(full, text):
    assert text in reasons.reason(*full.rsplit(".", 1))


PACKAGES = sorted(
    module
    for module in {"keras", *(full for full, entry in names.listed().items() if entry.kind == "module")}
    if module == "keras" or parity_names.is_there(*module.rsplit(".", 1))
)


@pytest.mark.parametrize("public", PACKAGES)
def test_every_package_answers(public):
    """By attribute, by `from ... import`, by `import`; questions get their answer, and Python's own names none."""
    package = importlib.import_module(public.replace("keras", "kerasish", 1))
    why = "neither Keras 3 nor kerasish has it"
    with pytest.raises(AttributeError, match=f"module '{public}' has no attribute 'xyzzy': {why}") as caught:
        package.xyzzy
    assert caught.value.name == "xyzzy"
    with pytest.raises(ImportError, match=f"cannot import name 'xyzzy' from '{public}': {why}") as caught:
        exec(f"from {package.__name__} import xyzzy")
    assert caught.type is ImportError
    if hasattr(package, "__path__"):  # of others Python itself says that they are no packages
        with pytest.raises(ModuleNotFoundError, match=f"No module named '{public}.xyzzy': {why}"):
            exec(f"import {package.__name__}.xyzzy")
    assert not hasattr(package, "xyzzy") and getattr(package, "xyzzy", 5) == 5
    assert not hasattr(package, "__wrapped__") and "xyzzy" not in dir(package)
    assert inspect.unwrap(package) is package and inspect.getdoc(package)
    exec(f"from {package.__name__} import *", found := {})
    listed = (name.rpartition(".") for name, entry in names.listed().items() if entry.kind != "module")
    there = {name for home, _, name in listed if home == public and hasattr(package, name)}
    assert there <= set(found), there - set(found)


def test_python_adds_no_guess_of_its_own():
    """It would offer ELU to whoever wants GRU."""
    try:
        kerasish.layers.GRU
    except AttributeError:
        assert "Did you mean" not in traceback.format_exc()


def test_modules_that_are_not_there():
    with pytest.raises(ModuleNotFoundError, match="No module named 'keras.applications': it is not in kerasish yet"):
        from kerasish.applications import VGG16  # noqa: F401
    with pytest.raises(ModuleNotFoundError, match=r"is no module; write `from keras.layers import Dense`"):
        import kerasish.layers.Dense  # noqa: F401
    assert importlib.util.find_spec("kerasish.applications") is None
    assert importlib.util.find_spec("kerasish.layers.xyzzy") is None


def test_submodules_are_still_imported():
    code = "from kerasish.layers import convolutional; import kerasish.utils.progbar; from kerasish.ops import nn"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_tools_still_work():
    assert pickle.loads(pickle.dumps(kerasish.layers.Dense)) is kerasish.layers.Dense
    for name in dir(kerasish.ops):
        if inspect.isfunction(function := getattr(kerasish.ops, name)) and not name.startswith("_"):
            assert pickle.loads(pickle.dumps(function)) is function, name
    with pytest.raises(AttributeError):
        pickle.loads(b"ckerasish.layers\nGRU\n.")
    assert doctest.DocTestFinder().find(kerasish.layers)[0].name == "kerasish.layers"
    assert inspect.getmodule(kerasish.layers.Dense).__name__ == "kerasish.layers.dense"
    assert dict(inspect.getmembers(kerasish.utils))["Progbar"] is kerasish.utils.Progbar
    assert isinstance(copy.copy(kerasish.utils.Dataset.range(3)), kerasish.utils.Dataset)


def test_names_that_are_there_cost_nothing():
    """They are in the module's dictionary, so that `__getattr__` is never asked."""
    for package in (kerasish.layers, kerasish.ops, kerasish.losses):
        assert {name for name in dir(package) if not name.startswith("_")} <= set(vars(package))
    kerasish.utils.Progbar, kerasish.Model, kerasish.saving.load_model
    assert "Progbar" in vars(kerasish.utils) and "Model" in vars(kerasish) and "load_model" in vars(kerasish.saving)


def test_import_reads_no_list():
    code = (
        "import sys, kerasish; kerasish.layers, kerasish.Model, kerasish.utils.Progbar; "
        "assert not {'kerasish.names.reasons', 'kerasish.names.keras_2'} & set(sys.modules); "
        "from kerasish import names; assert names.listed.cache_info().misses == 0"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_all_of_the_top_level():
    assert set(kerasish.__all__) == {*kerasish._NAMES, *kerasish._PACKAGES, "version", "__version__"} - {
        "core",
        "kernels",
        "compat",
        "training",
    }
    for name in kerasish.__all__:
        assert getattr(kerasish, name) is not None


def test_the_number_in_the_readme_only_falls():
    """A name that is taken away must not be written off: `python -m parity.names --write` refuses a larger number."""
    number = parity_names.number_in((ROOT / "README.md").read_text(encoding="utf-8"))
    assert sum(map(len, parity_names.lacking().values())) <= number <= 609


def test_the_list_is_refused_a_larger_number(tmp_path, monkeypatch):
    readme = tmp_path / "README.md"
    readme.write_text(f"{parity_names.START}\n**5 are lacking**\n{parity_names.END}\n")
    monkeypatch.setattr(parity_names, "README", readme)
    with pytest.raises(SystemExit, match="5 names were lacking"):
        parity_names.write_number()
    assert "**5 are lacking**" in readme.read_text()


FILES = [
    ("keras.layers", "LSTM", None, "'LSTM': keras.layers.LSTM is not in kerasish yet; use "),
    ("keras.src.layers.rnn.lstm", "LSTM", "LSTM", "'LSTM': keras.layers.LSTM is not in kerasish yet; use "),
    (None, "RandomFlip", None, "'RandomFlip': keras.layers.RandomFlip is not in kerasish yet"),
    (
        "keras.quantizers",
        "AbsMaxQuantizer",
        None,
        "'AbsMaxQuantizer': keras.quantizers.AbsMaxQuantizer is not",
    ),
    ("mine", "LSTM", "mine>LSTM", "'LSTM'. Make sure custom classes and functions are decorated"),
    (None, "LSTM", "mine>LSTM", "'LSTM'. Make sure custom classes and functions are decorated"),
    (None, "NobodysOwn", "NobodysOwn", "'NobodysOwn'. Make sure custom classes and functions are decorated"),
]


@pytest.mark.parametrize("module, name, registered, text", FILES)
def test_what_files_name(module, name, registered, text):
    config = {"module": module, "class_name": name, "config": {"name": "first"}, "registered_name": registered}
    with pytest.raises(TypeError) as caught:
        kerasish.saving.deserialize_keras_object(config)
    said = str(caught.value)
    assert f"Could not locate class {text}" in said and f"class '{name}' (used by 'first'): " in said
    assert ("register_keras_serializable" in said) == ("Make sure custom" in text)
