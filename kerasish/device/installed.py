"""Which versions of packages are installed, and where this one came from.

`importlib.metadata` knows, but importing it takes longer than all that is asked of it at a start: the name of a
folder of metadata says the version, too.
"""

import contextlib
import json
import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse


def version(package: str) -> str | None:
    """The version of an installed package; None if it is not installed.

    Args:
        package: Its name in an index of packages, such as "numba-cuda".
    """
    name = package.replace("-", "_").lower()
    for place in sys.path:
        with contextlib.suppress(OSError):
            for folder in os.listdir(place or os.curdir):
                if folder.endswith(".dist-info") and folder.lower().startswith(f"{name}-"):
                    return folder[len(name) + 1 : -len(".dist-info")]
    from importlib import metadata

    with contextlib.suppress(metadata.PackageNotFoundError):
        return metadata.version(package)
    return None


def origin(package: str) -> Path | None:
    """The folder that a package was installed from, if pip has noted one."""
    from importlib import metadata

    with contextlib.suppress(metadata.PackageNotFoundError, ValueError, TypeError):
        noted = json.loads(metadata.distribution(package).read_text("direct_url.json"))
        url = urlparse(noted.get("url", ""))
        return Path(unquote(url.path)) if url.scheme == "file" else None
    return None
