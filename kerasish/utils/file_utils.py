"""Downloads into the cache directory that Keras uses, checked and complete or not there at all."""

import hashlib
import os
import secrets
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import warnings

from kerasish.utils.archive import extract_archive
from kerasish.utils.io_utils import print_msg
from kerasish.utils.progbar import Progbar

_CHUNK = 1 << 16
_TIMEOUT = 30


class DownloadError(OSError):
    """A file could not be fetched; the text says from where and what to do."""


def keras_home() -> str:
    """The directory of Keras's files: `$KERAS_HOME`, or `~/.keras`."""
    return os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")


def cache_directory(cache_subdir: str = "datasets", cache_dir: str | None = None) -> str:
    """The directory where downloads are kept; under the temporary directory if Keras's own cannot be written."""
    base = os.path.expanduser(cache_dir or keras_home())
    directory = os.path.join(base, cache_subdir)
    try:
        os.makedirs(directory, exist_ok=True)
        if os.access(directory, os.W_OK):
            return directory
    except OSError:
        pass
    directory = os.path.join(tempfile.gettempdir(), ".keras", cache_subdir)
    os.makedirs(directory, exist_ok=True)
    return directory


def get_file(
    fname: str | os.PathLike | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | list | None = "auto",
    cache_dir: str | None = None,
    force_download: bool = False,
) -> str:
    """Downloads a file unless it is already in the cache.

    The file goes to `<cache_dir>/<cache_subdir>/<fname>`, by default below `~/.keras/datasets`. It appears there
    only when it is complete and its checksum is right.

    Args:
        fname: Name of the local file, by default the last part of `origin`. With `extract`, the name of the directory
            to extract to, if it contains no dot.
        origin: URL of the file.
        untar: Old form of `extract=True, archive_format="tar"`.
        md5_hash: Old form of `file_hash` for an MD5 checksum.
        file_hash: Expected checksum, SHA-256 or MD5, as hexadecimal digits.
        cache_subdir: Directory below `cache_dir`; an absolute path stands for itself.
        hash_algorithm: `"sha256"`, `"md5"`, or `"auto"` (by the length of `file_hash`).
        extract: Whether to extract the file, a tar or zip archive.
        archive_format: `"auto"`, `"tar"`, `"zip"`, a list of these, or `None` for no extraction.
        cache_dir: Cache directory, by default `$KERAS_HOME` or `~/.keras`.
        force_download: Whether to download even if the file is in the cache.

    Returns:
        Path of the file, or of the directory it was extracted to.

    Raises:
        ValueError: If `origin` is missing, `fname` is a path, or the checksum of the download is wrong.
        DownloadError: If the file cannot be fetched.

    Example:

    >>> path = keras.utils.get_file(origin="https://example.org/flowers.tgz", extract=True)
    """
    if origin is None:
        raise ValueError('Please specify the "origin" argument (URL of the file to download).')
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    directory = cache_directory(cache_subdir, cache_dir)
    name, folder = _local_names(fname, origin, extract or untar)
    target = os.path.join(directory, name)
    fetched = force_download or not _is_cached(target, file_hash, hash_algorithm)
    if fetched:
        _download(origin, target, file_hash, hash_algorithm)
    if folder is None:
        return target
    folder = os.path.join(directory, folder)
    if fetched or not os.path.isdir(folder):
        if not extract_archive(target, folder, "tar" if untar else archive_format):
            warnings.warn("Could not extract archive.", stacklevel=2)
    return folder


def _local_names(fname, origin, extract):
    """Names of the downloaded file and of the directory to extract to (None without extraction)."""
    given = os.fspath(fname) if fname else None
    if given and (os.sep in given or "/" in given):
        raise ValueError(
            "Paths are no longer accepted as the `fname` argument. To specify the file's parent directory, use the "
            f"`cache_dir` argument. Received: fname={fname}"
        )
    name = given or os.path.basename(urllib.parse.urlsplit(origin).path)
    if not name:
        raise ValueError(
            f"Can't parse the file name from the origin provided: '{origin}'. Please specify the `fname` argument."
        )
    if not extract:
        return name, None
    if given and "." in given:
        return name, f"{name[: name.find('.')]}_extracted"
    return f"{name}_archive", name


def _is_cached(target, file_hash, algorithm):
    if not os.path.exists(target):
        return False
    if file_hash is None or validate_file(target, file_hash, algorithm):
        return True
    print_msg(
        f"The file {target} is incomplete or outdated: its {algorithm} checksum is not {file_hash}. "
        "It will be downloaded again."
    )
    return False


def _download(origin, target, file_hash, algorithm):
    """Fetches to a temporary file beside `target` and moves it there once it is known to be good."""
    print_msg(f"Downloading data from {origin}")
    partial = os.path.join(os.path.dirname(target), f".download-{secrets.token_hex(16)}")
    try:
        with open(partial, "xb") as file:
            _fetch(origin, file, target)
        if file_hash is not None and not validate_file(partial, file_hash, algorithm):
            raise ValueError(
                f"Incomplete or corrupted file detected: the {algorithm} checksum of what came from {origin} does not "
                f"match the provided value of {file_hash}."
            )
        os.replace(partial, target)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def _fetch(origin, file, target):
    try:
        with urllib.request.urlopen(origin, timeout=_TIMEOUT) as response:
            size = int(response.headers.get("Content-Length") or 0) or None
            received = _copy(response, file, Progbar(size, unit_name="byte"))
    except urllib.error.HTTPError as error:
        raise _unreachable(origin, target, f"{error.code} -- {error.msg}") from None
    except urllib.error.URLError as error:
        raise _unreachable(origin, target, error.reason) from None
    except (TimeoutError, ConnectionError) as error:
        raise _unreachable(origin, target, error) from None
    if size is not None and received < size:
        raise _unreachable(origin, target, f"the connection ended after {received} of {size} bytes")


def _copy(response, file, progress):
    received = 0
    while chunk := response.read(_CHUNK):
        file.write(chunk)
        received += len(chunk)
        progress.update(received)
    if progress.target is None:
        progress.update(received, finalize=True)
    return received


def _unreachable(origin, target, reason):
    return DownloadError(
        f"URL fetch failure on {origin}: {reason}\n"
        f"Without a connection, fetch the file on another machine and save it as {target}"
    )


def _hasher(algorithm, file_hash=None):
    is_sha256 = algorithm == "sha256" or (algorithm == "auto" and len(file_hash or "") == 64)
    return hashlib.sha256() if is_sha256 else hashlib.md5(usedforsecurity=False)


def hash_file(fpath: str | os.PathLike, algorithm: str = "sha256") -> str:
    """Checksum of a file as hexadecimal digits.

    Args:
        fpath: Path of the file.
        algorithm: `"sha256"` or `"md5"`.
    """
    return _digest(fpath, _hasher(algorithm))


def validate_file(fpath: str | os.PathLike, file_hash: str, algorithm: str = "auto") -> bool:
    """Tells whether a file has the expected checksum.

    Args:
        fpath: Path of the file.
        file_hash: Expected checksum.
        algorithm: `"sha256"`, `"md5"`, or `"auto"` (by the length of `file_hash`).
    """
    return _digest(fpath, _hasher(algorithm, file_hash)) == str(file_hash).lower()


def _digest(fpath, hasher):
    with open(fpath, "rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()
