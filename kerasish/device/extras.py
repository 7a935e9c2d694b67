"""The line that installs what an optional part of the package needs."""

from pathlib import Path

from kerasish.device.installed import origin


def install(extra: str) -> str:
    """The command that installs an extra of pyproject.toml: from the clone that this package lies in or came from.

    Args:
        extra: Its name, such as "cuda".
    """
    for folder in (Path(__file__).parents[2], origin("kerasish")):
        if folder is not None and (folder / "pyproject.toml").is_file():
            return f"pip install '{folder}[{extra}]'"
    return f"pip install '.[{extra}]' in the clone of kerasish"
