"""Each of Keras's public names: here it is of the same kind and has the same signature, or says that it is not here.

A difference stands in DIFFER with its reason; an entry that no longer differs must go.
"""

import importlib
import inspect

import pytest

from kerasish import names
from kerasish.names import reasons
from parity import names as found

DIFFER = {
    "keras.KerasTensor": "names what Keras takes as keyword arguments",
    "keras.Layer": "Keras hides the arguments behind __new__(*args, **kwargs)",
    "keras.Optimizer": "Keras hides the arguments behind __new__(*args, **kwargs)",
    "keras.Variable": "an unknown argument is refused, Keras ignores it",
    "keras.device": "the package kerasish.device, which can be called as Keras's function",
    "keras.name_scope": "names what Keras takes as keyword arguments",
    "keras.saving.deserialize_keras_object": "names what Keras takes as keyword arguments",
    "keras.saving.load_weights": "names what Keras takes as keyword arguments",
    "keras.saving.save_weights": "names what Keras takes as keyword arguments",
}
ENTRIES = {
    full: entry for full, entry in names.listed().items() if entry.kind != "module" and entry.needs != names.LEGACY
}


def test_the_list_is_that_of_the_installed_keras():
    assert found.written(found.entries()) == names.FILE.read_text(encoding="utf-8")
    assert len(ENTRIES) == found.count() == 1439


def plain(default):
    """A default; one number where it is the same for every axis: here one class serves all numbers of axes."""
    if isinstance(default, tuple) and default and all(item == default[0] for item in default):
        return plain(default[0])
    return repr(default)


def parameters(function):
    """Name, kind and default of each."""
    return [
        (p.name, p.kind.description, None if p.default is p.empty else plain(p.default))
        for p in inspect.signature(function).parameters.values()
    ]


def difference(full):
    """What is not as in Keras about a name that is here; None if nothing."""
    module, _, name = full.rpartition(".")
    theirs = getattr(importlib.import_module(module), name)
    ours = getattr(importlib.import_module(module.replace("keras", "kerasish", 1)), name)
    if inspect.isclass(ours) != (ENTRIES[full].kind == "class") or not callable(ours) or inspect.ismodule(ours):
        return f"is a {type(ours).__name__}, in Keras a {ENTRIES[full].kind}"
    if parameters(ours) != parameters(theirs):
        return f"takes {inspect.signature(ours)}, in Keras {inspect.signature(theirs)}"
    return None


@pytest.mark.parametrize("module", sorted({full.rpartition(".")[0] for full in ENTRIES}))
def test_names(module):
    found.real()
    wrong = []
    for full in (full for full in ENTRIES if full.rpartition(".")[0] == module):
        name = full.rpartition(".")[2]
        if not found.is_there(module, name):
            if not reasons.reason(module, name).startswith("it is not in kerasish yet; "):
                wrong.append(f"{full}: {reasons.reason(module, name)}")
            continue
        differs, key = difference(full), reason_for(full)
        if differs and key is None:
            wrong.append(f"{full} {differs}")
        if key and not differs:
            wrong.append(f"{full} is as in Keras: take {key} off the list")
    assert not wrong, "\n".join(wrong)


def reason_for(full):
    """The entry of DIFFER for a name, or for the same thing under another."""
    if full in DIFFER:
        return full
    module, _, name = full.rpartition(".")
    thing = getattr(importlib.import_module(module), name)
    for other in DIFFER:
        home, _, last = other.rpartition(".")
        if getattr(importlib.import_module(home), last) is thing:
            return other
    return None


def test_every_entry_of_the_list_is_here():
    assert all(full in ENTRIES and found.is_there(*full.rsplit(".", 1)) for full in DIFFER)
