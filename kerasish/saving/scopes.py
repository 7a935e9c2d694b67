"""Thread-local state of saving and loading: safe mode, and objects that are shared within one file."""

import itertools
import threading
from typing import Any

from kerasish import config

_LOCAL = threading.local()


def in_safe_mode() -> bool | None:
    """Whether code from files is refused here, or `None` where nobody has said."""
    if config.unsafe_deserialization_enabled():
        return False
    return getattr(_LOCAL, "safe_mode", None)


class SafeModeScope:
    """Within, loading refuses (or, with `safe_mode=False`, runs) Python code that is stored in the file."""

    def __init__(self, safe_mode: bool | None = True):
        self.safe_mode = safe_mode

    def __enter__(self):
        self._outer = getattr(_LOCAL, "safe_mode", None)
        _LOCAL.safe_mode = self.safe_mode
        return self

    def __exit__(self, *exc_info):
        _LOCAL.safe_mode = self._outer


class ObjectSharingScope:
    """Within, an object that is serialized twice is marked by an id and deserialized once."""

    def __enter__(self):
        self._outer = getattr(_LOCAL, "sharing", None)
        _LOCAL.sharing = self
        self._configs: dict[int, tuple[Any, dict]] = {}  # id -> (the object, kept alive; its config)
        self._loaded: dict[int, Any] = {}
        self._numbers = itertools.count(1)
        self.custom_objects: dict[str, Any] = {}  # classes and functions that are not Keras's own
        return self

    def __exit__(self, *exc_info):
        _LOCAL.sharing = self._outer

    def saved(self, obj: Any, config: dict) -> None:
        """Notes that `obj` was serialized to `config`; the second time both configs get the same id."""
        self._note_custom(obj, config)
        if id(obj) not in self._configs:
            self._configs[id(obj)] = (obj, config)
            return
        first = self._configs[id(obj)][1]
        config["shared_object_id"] = first.setdefault("shared_object_id", next(self._numbers))

    def _note_custom(self, obj: Any, config: dict) -> None:
        known = obj if config["class_name"] == "function" else type(obj)
        if not known.__module__.startswith("kerasish."):
            name = config["config"] if known is obj else config["registered_name"]
            self.custom_objects[name] = known
            if self._outer is not None:
                self._outer.custom_objects[name] = known

    def loaded(self, number: int, obj: Any) -> None:
        """Notes that the config with this id became `obj`."""
        self._loaded[number] = obj

    def find(self, number: int | None) -> Any | None:
        """The object that the config with this id became, if it has been met."""
        return self._loaded.get(number)


def sharing_scope() -> ObjectSharingScope | None:
    """The open `ObjectSharingScope` of this thread, if any."""
    return getattr(_LOCAL, "sharing", None)
