"""Extraction of tar and zip archives that cannot write outside its directory."""

import os
import shutil
import tarfile
import tempfile
import warnings
import zipfile


def extract_archive(file_path: str, path: str, archive_format: str | list | tuple | None = "auto") -> bool:
    """Extracts a tar or zip archive; `path` appears complete or not at all.

    Members that would land outside `path`, through `..`, an absolute name or a link, are left out with a warning.

    Args:
        file_path: Path of the archive.
        path: Directory to extract to; one that exists is replaced.
        archive_format: `"auto"`, `"tar"`, `"zip"`, a list of these, or `None` for nothing.

    Returns:
        Whether the file is an archive of such a format.
    """
    formats = ["tar", "zip"] if archive_format == "auto" else archive_format
    if isinstance(formats, str):
        formats = [formats]
    for name in formats or ():
        if name not in _EXTRACTORS:
            raise NotImplementedError(f"archive_format={name!r} is unknown; expected 'auto', 'tar', 'zip' or None.")
        is_match, extract = _EXTRACTORS[name]
        if is_match(file_path):
            _extract_then_move(extract, file_path, path)
            return True
    return False


def _extract_then_move(extract, file_path, path):
    parent = os.path.dirname(os.path.abspath(path))
    os.makedirs(parent, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".extract-", dir=parent, ignore_cleanup_errors=True) as work:
        fresh = os.path.join(work, "new")
        os.mkdir(fresh)
        extract(file_path, fresh)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.move(path, os.path.join(work, "old"))
        os.replace(fresh, path)


def _extract_tar(file_path, directory):
    with tarfile.open(file_path) as archive:
        archive.extractall(directory, filter=_safe_tar_member)


def _safe_tar_member(member, directory):
    try:
        return tarfile.data_filter(member, directory)
    except tarfile.FilterError as error:
        _warn_skipped(member.name, error)
        return None


def _extract_zip(file_path, directory):
    root = os.path.realpath(directory)
    with zipfile.ZipFile(file_path) as archive:
        for member in archive.infolist():
            landing = os.path.realpath(os.path.join(root, member.filename))
            if os.path.isabs(member.filename) or os.path.commonpath([root, landing]) != root:
                _warn_skipped(member.filename, "it lies outside the directory")
            else:
                archive.extract(member, root)


def _warn_skipped(name, reason):
    warnings.warn(f"Skipping invalid path during archive extraction: '{name}' ({reason}).", stacklevel=2)


_EXTRACTORS = {"tar": (tarfile.is_tarfile, _extract_tar), "zip": (zipfile.is_zipfile, _extract_zip)}
