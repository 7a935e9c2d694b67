"""Versions of packages without `importlib.metadata`."""

import importlib.metadata

import pytest

from kerasish.device import installed


@pytest.mark.parametrize("package", ["numba", "llvmlite", "numpy", "ml-dtypes", "h5py", "kerasish", "rich"])
def test_the_version_is_that_of_the_metadata(package):
    assert installed.version(package) == importlib.metadata.version(package)


def test_what_is_not_installed_has_no_version(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path / "is not there")
    assert installed.version("no-such-package") is None
    assert installed.origin("no-such-package") is None


def test_the_first_folder_in_the_path_counts(monkeypatch, tmp_path):
    (tmp_path / "Some_Name-1.2.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert installed.version("some-name") == "1.2"
