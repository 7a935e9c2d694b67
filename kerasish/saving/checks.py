"""Whether a file describes a model at all, and errors that say which file and what is wrong with it."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

_READERS = frozenset({"kerasish", "numpy", "json", "zipfile", "zlib", "h5py", "ml_dtypes"})
_CLEAR = (ImportError, MemoryError, Warning)


class MissingMemberError(ValueError, KeyError):
    """An archive lacks what a `.keras` file has; a `KeyError` too, as in Keras."""

    def __str__(self) -> str:
        return str(self.args[0])


@contextlib.contextmanager
def explained(filepath: str) -> Iterator[None]:
    """Within, errors that a damaged or foreign file causes are ValueErrors, TypeErrors and OSErrors that name the file.

    What the user's own classes raise is left as it is.
    """
    try:
        yield
    except _CLEAR:
        raise
    except RecursionError as error:
        raise ValueError(f"{filepath} cannot be loaded: what it describes is nested too deep.") from error
    except Exception as error:
        source = _source_of(error)
        if source not in _READERS or (isinstance(error, OSError) and error.errno is not None):
            raise
        if source == "kerasish" and isinstance(error, NotImplementedError):
            raise
        if not isinstance(error, (ValueError, TypeError, OSError)) or len(error.args) != 1:
            text = f"{type(error).__name__}: {error}"
            raise ValueError(
                f"{filepath} cannot be loaded; it is damaged, or Keras did not write it. {text}"
            ) from error
        if filepath not in str(error):
            error.args = (f"{filepath} cannot be loaded: {error}",)
        raise


def _source_of(error: BaseException) -> str:
    """The package that raised the error: the library, what it reads with, or the user's own."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "kerasish" if trace is None else trace.tb_frame.f_globals.get("__name__", "").partition(".")[0]


def model_description(text: str | bytes) -> dict[str, Any]:
    """The config of a model, from JSON.

    Args:
        text: The JSON.

    Returns:
        A dictionary with `class_name` and `config`, in which all that looks like an object or a graph is one.

    Raises:
        ValueError: If it is anything else.
    """
    config = json.loads(text)
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str) or not _holds(config):
        raise ValueError(
            "The model's config does not describe a model: expected a dictionary with 'class_name' and 'config'. "
            f"Received: {_brief(config)}"
        )
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            _check_object(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return config


def _holds(config: dict[str, Any]) -> bool:
    return isinstance(config.get("config"), (dict, list))


def _check_object(config: dict[str, Any]) -> None:
    if "class_name" in config and "config" in config:
        for key in ("class_name", "module", "registered_name"):
            allowed = str if key == "class_name" else (str, type(None))
            if not isinstance(config.get(key), allowed):
                raise ValueError(f"'{key}' of an object in the config is {_brief(config.get(key))}; expected text.")
    if isinstance(config.get("layers"), list) and "input_layers" in config:
        _check_graph(config)


def _check_graph(graph: dict[str, Any]) -> None:
    """A functional model's layers have names of their own, and refer to each other by them."""
    names: set[str] = set()
    for layer in graph["layers"]:
        if not isinstance(layer, dict) or "class_name" not in layer or not isinstance(layer.get("config"), dict):
            raise ValueError(
                f"A layer in the config of a model is {_brief(layer)}; expected 'class_name' and 'config'."
            )
        name = layer.get("name", layer["config"].get("name"))
        if not isinstance(name, str) or name in names:
            problem = f"two layers are named '{name}'" if name in names else f"a layer's name is {_brief(name)}"
            raise ValueError(f"In the config of a model, {problem}.")
        if not isinstance(layer.get("inbound_nodes", []), list):
            raise ValueError(f"'inbound_nodes' of layer '{name}' is {_brief(layer['inbound_nodes'])}; expected a list.")
        names.add(name)
    for key in ("input_layers", "output_layers"):
        _check_ends(graph.get(key), names, key)
    for layer in graph["layers"]:
        for history in _histories(layer.get("inbound_nodes")):
            _check_reference(history, names, f"a call of layer '{layer.get('name')}'")


def _histories(value: Any) -> Iterator[Any]:
    """Where the tensors in a call come from, in Keras 3's way of writing."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            yield value["config"].get("keras_history") if isinstance(value.get("config"), dict) else None
            return
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _histories(item)


def _check_ends(ends: Any, names: set[str], key: str) -> None:
    if isinstance(ends, dict):
        ends = list(ends.values())
    elif not isinstance(ends, list) or _is_reference(ends):
        _check_reference(ends, names, key)
        return
    for end in ends:
        _check_ends(end, names, key)


def _is_reference(value: list[Any]) -> bool:
    return len(value) == 3 and not any(isinstance(item, (list, dict)) for item in value)


def _check_reference(value: Any, names: set[str], where: str) -> None:
    shape = [type(item) for item in value] if isinstance(value, list) else None
    if shape != [str, int, int] or value[0] not in names or min(value[1:]) < 0:
        raise ValueError(
            f"In the config of a model, {where} refers to {_brief(value)}; expected [layer, call, tensor] of one of "
            f"the layers {sorted(names)}."
        )


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
