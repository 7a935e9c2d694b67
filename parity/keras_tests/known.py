"""Known failures: `known_failures.txt` holds a reason a section and a test a line, and may only shrink."""

from __future__ import annotations

import re

from parity.keras_tests import wheel

PATH = wheel.HERE / "known_failures.txt"
HEAD = """\
# Keras's own tests that kerasish does not pass, by reason. A line that passes has to go; a new one needs a reason.
# Written by `python -m parity --keras-tests --update`, which only takes lines out.
"""


def load() -> dict[str, str]:
    """Reason by test."""
    reasons, reason = {}, ""
    for line in PATH.read_text().splitlines() if PATH.exists() else ():
        if line.startswith("## "):
            reason = line[3:]
        elif line and not line.startswith("#"):
            reasons[line] = reason
    return reasons


def save(reasons: dict[str, str]) -> None:
    """Write the list, longest sections first."""
    sections: dict[str, list[str]] = {}
    for test, reason in reasons.items():
        sections.setdefault(reason, []).append(test)
    parts = [HEAD]
    for reason, tests in sorted(sections.items(), key=lambda item: (-len(item[1]), item[0])):
        parts.append("\n".join([f"## {reason}", *sorted(tests), ""]))
    PATH.write_text("\n".join(parts))


def missing(reason: str) -> str | None:
    """The reason as a section where a public name is not there yet; None where what is there is wrong."""
    if found := re.search(r"target lacks (keras[\w.]*)", reason):
        return f"not there yet: {found[1]}"
    if found := re.search(
        r"No module named '(keras\w*)'|is not in kerasish yet|not (?:yet )?supported by kerasish", reason
    ):
        return "not there yet"
    return None
