"""What kernels may do that changes their results' last bits, and how often that has been changed."""

import os

_ON, _OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_state: dict = {"winograd": None, "version": 0}


def winograd() -> bool:
    """Whether convolutions may be computed by Winograd's algorithm: as set, or as KERASISH_WINOGRAD says."""
    if _state["winograd"] is None:
        _state["winograd"] = _from_environment("KERASISH_WINOGRAD")
    return _state["winograd"]


def set_winograd(on: bool) -> None:
    """Set whether convolutions may be computed by Winograd's algorithm, whose rounding differs."""
    if bool(on) != winograd():
        _state["winograd"] = bool(on)
        _state["version"] += 1


def version() -> int:
    """Rises with each change: what was recorded or planned under another version is to be dropped."""
    return _state["version"]


def _from_environment(name: str) -> bool:
    """A switch that is on unless the environment says otherwise.

    Raises:
        ValueError: for a word that is neither yes nor no.
    """
    word = os.environ.get(name, "").strip().lower()
    if word and word not in _ON + _OFF:
        raise ValueError(f"{name}={os.environ[name]!r} in the environment: expected 0 (off) or 1 (on)")
    return word not in _OFF
