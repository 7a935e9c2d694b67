"""The line that installs what an optional part of the package needs."""

import contextlib
import importlib.metadata
import json
from pathlib import Path
from urllib.parse import unquote, urlparse


def install(extra: str) -> str:
    """The command that installs an extra of pyproject.toml: from the clone that this package lies in or came from.

    Args:
        extra: Its name, such as "cuda".
    """
    for folder in (Path(__file__).parents[2], _origin()):
        if folder is not None and (folder / "pyproject.toml").is_file():
            return f"pip install '{folder}[{extra}]'"
    return f"pip install '.[{extra}]' in the clone of kerasish"


def _origin() -> Path | None:
    """The folder that the package was installed from, if pip has noted one."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError, ValueError, TypeError):
        noted = json.loads(importlib.metadata.distribution("kerasish").read_text("direct_url.json"))
        url = urlparse(noted.get("url", ""))
        return Path(unquote(url.path)) if url.scheme == "file" else None
    return None
