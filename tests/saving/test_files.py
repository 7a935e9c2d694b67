"""Files are whole or absent."""

import stat

import pytest

from kerasish.saving.files import atomic_path


def test_replaces_only_when_all_went_well(tmp_path):
    path = tmp_path / "file"
    for text, error in (("one", None), ("two", RuntimeError), ("three", KeyboardInterrupt)):
        try:
            with atomic_path(path) as temporary:
                with open(temporary, "w") as file:
                    file.write(text)
                if error:
                    raise error
        except (RuntimeError, KeyboardInterrupt):
            pass
    assert path.read_text() == "one" and [p.name for p in tmp_path.iterdir()] == ["file"]


def test_keeps_the_permissions_of_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.touch(mode=0o640)
    path.chmod(0o640)
    with atomic_path(path):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_new_files_are_like_any_other(tmp_path):
    plain, path = tmp_path / "plain", tmp_path / "file"
    plain.touch()
    with atomic_path(path):
        pass
    assert path.stat().st_mode == plain.stat().st_mode


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="the directory '.*nothing' does not exist; create it first"):
        with atomic_path(tmp_path / "nothing" / "file"):
            pass
