"""Building blocks for messages that say what happened, what came, what was expected and what to do."""

from __future__ import annotations


def missing_package(package: str, purpose: str) -> ImportError:
    """The error for an optional dependency that is not installed."""
    return ImportError(f"{purpose} needs the package '{package}', which is not installed; pip install {package}")


def not_yet(what: str, instead: str) -> NotImplementedError:
    """The error for something Keras has and kerasish cannot do yet."""
    return NotImplementedError(f"{what} is not supported by kerasish yet; {instead}")


def shape_text(shape) -> str:
    """A shape as users write it, whatever sequence it came as: `(None, 28, 28, 1)`."""
    return str(tuple(shape)) if shape is not None else "unknown"
