"""What a user may pass for an initializer, regularizer or constraint: an object, a class, a name or a config."""

import inspect
from collections.abc import Callable
from typing import Any

from kerasish.core.scopes import snake_case
from kerasish.saving.unknown import ExplainedUnknownError


def names_of(*classes: type, **aliases: type) -> dict[str, type]:
    """Classes by their names, `CamelCase` and `snake_case`, and by aliases."""
    return {name: cls for cls in classes for name in (cls.__name__, snake_case(cls.__name__))} | aliases


def interpreted(identifier: Any, deserialize: Callable, kind: str) -> Any:
    """What `deserialize` makes of a name or config.

    Raises:
        ValueError: If the config names a class that nobody has defined.
    """
    try:
        return deserialize(identifier)
    except ExplainedUnknownError as error:
        raise ValueError(f"Could not interpret {kind} identifier: {identifier}. {error}") from error


def resolve(identifier: Any, deserialize: Callable, kind: str) -> Any:
    """The object that `identifier` stands for.

    Args:
        identifier: `None`, a name, a config, a class or a callable.
        deserialize: Turns names and configs into objects.
        kind: What is looked for, for the message.

    Raises:
        ValueError: If it stands for nothing of that kind.
    """
    if identifier is None:
        return None
    found = interpreted(identifier, deserialize, kind) if isinstance(identifier, (str, dict)) else identifier
    if not callable(found):
        raise ValueError(f"Could not interpret {kind} identifier: {identifier}")
    return found() if inspect.isclass(found) else found
