"""What came of loading weights: what was loaded, what was not and why, and what the file held besides."""

import warnings
from typing import Any


class LoadReport:
    """The outcome of `load_weights`.

    Attributes:
        loaded: Paths in the file of the layers (and other parts) that got their variables.
        skipped: Reasons, by path, for the parts that did not.
        unused: How many variables the file holds at each path that no part asked for.
    """

    def __init__(self):
        self.loaded: dict[str, int] = {}
        self.unused: dict[str, int] = {}
        self._failures: dict[int, tuple[Any, str, str]] = {}  # id -> (part, path, reason)

    @property
    def skipped(self) -> dict[str, str]:
        """Reasons, by path, for the parts that were not loaded."""
        return {path: reason for _, path, reason in self._failures.values()}

    def loaded_at(self, part: Any, path: str, entry: Any) -> None:
        """Notes a success, which makes up for failures of the same part at other paths."""
        self._failures.pop(id(part), None)
        if len(entry):
            self.loaded[path] = len(entry)

    def failed_at(self, part: Any, path: str, entry: Any, error: Exception) -> None:
        """Notes a failure; of several for one part, the one with more in the file tells more."""
        if id(part) not in self._failures or len(entry):
            self._failures[id(part)] = (part, path, _reason(part, path, entry, error))

    def check(self, skip_mismatch: bool) -> None:
        """Raises, or with `skip_mismatch` warns, if anything failed.

        Raises:
            ValueError: If a part was not loaded.
        """
        if not self._failures:
            return
        message = self._explain()
        if not skip_mismatch:
            raise ValueError(f"{message}\nBuild the model as it was when it was saved, or pass `skip_mismatch=True`.")
        warnings.warn(message, stacklevel=4)

    def _explain(self) -> str:
        parts = [part for part, _, _ in self._failures.values()]
        reasons = [reason for _, _, reason in self._failures.values()]
        lines = [
            f"A total of {len(parts)} objects could not be loaded. Example error message for object {parts[0]}:\n",
            f"{reasons[0]}\n",
            f"List of objects that could not be loaded:\n{parts}",
        ]
        if len(reasons) > 1:
            lines.append("\nReasons:\n" + "\n".join(f"  {reason}" for reason in reasons))
        lines.append(f"\n{self}")
        return "\n".join(lines)

    def __str__(self) -> str:
        unused = ", ".join(f"{path or 'the model'} ({count})" for path, count in self.unused.items())
        lines = [f"Loaded {sum(self.loaded.values())} variables of {len(self.loaded)} objects."]
        if self._failures:
            lines.append(f"Skipped: {', '.join(path or 'the model' for path in self.skipped)}.")
        if unused:
            lines.append(f"In the file, but not used (variables): {unused}.")
        return " ".join(lines)

    def __repr__(self) -> str:
        return f"<LoadReport: {self}>"


def _reason(part: Any, path: str, entry: Any, error: Exception) -> str:
    """One line for a wrong shape or a missing layer; the error's own text for anything else."""
    own = own_variables(part)
    label = f"layer '{getattr(part, 'name', '?')}' ({type(part).__name__}), in the file at '{path}'"
    if not own or not hasattr(entry, "shapes") or not isinstance(error, (ValueError, KeyError)):
        return str(error) if str(error) else repr(error)
    stored = entry.shapes()
    expected = {str(i): variable for i, variable in enumerate(own)}
    if len(stored) != len(own):
        names = [variable.name for variable in own]
        return (
            f"Layer '{part.name}' expected {len(own)} variables, but received {len(stored)} variables during loading. "
            f"Expected: {names} (looked for at '{path}')"
        )
    wrong = [
        f"{variable.name} has shape {tuple(variable.shape)}, the saved one {stored[key]}; they must match"
        for key, variable in expected.items()
        if key in stored and tuple(variable.shape) != stored[key]
    ]
    return f"{label}: {'; '.join(wrong)}" if wrong else str(error)


def own_variables(part: Any) -> list[Any]:
    """The variables of a layer itself, without those of the layers inside, as they are saved."""
    return part._direct_variables() if hasattr(part, "_direct_variables") else []
