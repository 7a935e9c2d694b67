"""Files are whole or absent."""

import os
import stat
import subprocess
import sys

import pytest

from kerasish.saving import files
from kerasish.saving.files import atomic_path

KILLED = """
import os, signal, sys
from kerasish.saving.files import atomic_path
with atomic_path(sys.argv[1]) as temporary:
    open(temporary, "w").write("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def write(path, text):
    with atomic_path(path) as temporary, open(temporary, "w") as file:
        file.write(text)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_killed_save_leaves_the_old_file_and_is_cleared_away_by_the_next(tmp_path):
    path = tmp_path / "model.keras"
    write(path, "whole")
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert path.read_text() == "whole" and len(names(tmp_path)) == 2
    write(tmp_path / "another", "new")  # a save of any name clears the directory
    assert names(tmp_path) == ["another", "model.keras"]


def left(folder, host, process, age=0):
    path = folder / f".model.keras.kerasish-{host}-{process}-abc_d1.tmp"
    path.touch()
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - age))
    return path.name


def test_only_what_dead_saves_left_is_removed(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    here, elsewhere = files._host(), "0" * 8
    kept = [
        left(tmp_path, here, os.getpid()),
        left(tmp_path, here, os.getppid()),
        left(tmp_path, elsewhere, dead.pid, age=23 * 3600),
    ]
    for name in (".model.keras.tmp", ".x.kerasish-zz-1-a.tmp", "model.kerasish-00000000-1-a.tmp", ".a.kerasish-b.tmp"):
        (tmp_path / name).touch()
        kept.append(name)
    left(tmp_path, here, dead.pid)
    left(tmp_path, elsewhere, dead.pid + 1, age=25 * 3600)
    write(tmp_path / "file", "x")
    assert names(tmp_path) == sorted([*kept, "file"])


def test_long_names(tmp_path):
    write(tmp_path / ("x" * 250), "whole")
    assert names(tmp_path) == ["x" * 250]


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
