"""What to say when a config names classes or functions that nobody has defined here: all of them at once."""

from collections.abc import Iterator
from typing import Any

from kerasish.saving.public_names import find_object


class UnknownObjectError(TypeError):
    """A config names a class or function that is not registered, nor one of Keras's that are here.

    Attributes:
        config: The config that names it.
    """

    def __init__(self, config: dict[str, Any]):
        kind, name = kind_and_name(config)
        known = _why_kerass_is_not_here(config)
        super().__init__(
            f"Could not locate {kind} '{name}': {known} Full object config: {config}"
            if known
            else f"Could not locate {kind} '{name}'. Make sure custom classes and functions are decorated with "
            "`@keras.saving.register_keras_serializable()`. If they are already decorated, make sure they are all "
            f"imported so that the decorator is run before trying to load them. Full object config: {config}"
        )
        self.config = config


class ExplainedUnknownError(TypeError):
    """`UnknownObjectError` as users see it: with all that is unknown in the whole config."""


def kind_and_name(config: dict[str, Any]) -> tuple[str, str]:
    """`("class", "MyLayer")` or `("function", "my_loss")`."""
    if config["class_name"] == "function":
        return "function", config["config"]
    return "class", config["class_name"]


def explain_unknown(error: UnknownObjectError, config: Any, custom_objects: dict[str, Any]) -> str:
    """The text of the error, followed by every unknown object of `config` and the line that would make it known."""
    found: dict[tuple[str, str, str], list[str]] = {}
    advice: dict[tuple[str, str, str], str | None] = {}
    for unknown in _unknown_in(config, custom_objects):
        kind, name = kind_and_name(unknown)
        key = (kind, name, _registered_name(unknown, name))
        users = found.setdefault(key, [])
        inner = unknown["config"]
        if isinstance(inner, dict) and isinstance(inner.get("name"), str):
            users.append(inner["name"])
        advice[key] = _why_kerass_is_not_here(unknown)
    lines = [_advice(*key, users, advice[key]) for key, users in found.items()]
    noun = "1 object is" if len(lines) == 1 else f"{len(lines)} objects are"
    summary = f"\n\n{noun} unknown in this config. Decorate the definition, or pass `custom_objects`:\n"
    return str(error) + (summary + "\n".join(lines) if lines else "")


def _why_kerass_is_not_here(config: dict[str, Any]) -> str | None:
    """What there is to say of a class or function that is Keras's own; None for a custom one."""
    _, name = kind_and_name(config)
    if not isinstance(name, str) or config.get("registered_name") not in (None, name):
        return None
    from kerasish.names import reasons  # late: it reads long lists

    return reasons.keras_object(config.get("module"), name)


def _registered_name(config: dict[str, Any], name: str) -> str:
    registered = name if config["class_name"] == "function" else config.get("registered_name")
    return registered or name


def _advice(kind: str, name: str, registered: str, users: list[str], known: str | None) -> str:
    package, _, own_name = registered.rpartition(">")
    arguments = f'package="{package}", name="{own_name}"' if package else ""
    where = f" (used by {', '.join(repr(user) for user in dict.fromkeys(users))})" if users else ""
    if known:
        return f"  {kind} '{name}'{where}: {known}"
    return f"  {kind} '{name}'{where}: @keras.saving.register_keras_serializable({arguments})"


def _unknown_in(config: Any, custom_objects: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if isinstance(config, (list, tuple)):
        for item in config:
            yield from _unknown_in(item, custom_objects)
    elif isinstance(config, dict):
        if "class_name" in config and "config" in config and not _is_known(config, custom_objects):
            yield config
        for value in config.values():
            yield from _unknown_in(value, custom_objects)


def _is_known(config: dict[str, Any], custom_objects: dict[str, Any]) -> bool:
    if str(config["class_name"]).startswith("__"):
        return True
    try:
        return find_object(config, custom_objects) is not None
    except (TypeError, ValueError):
        return True
