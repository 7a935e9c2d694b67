"""The cache of compiled kernels: what its key depends on, and that nobody else's code is run."""

import os

import pytest

from kerasish.device import cache, machine, natives


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of its own."""
    monkeypatch.setenv("KERASISH_CACHE_DIR", str(tmp_path))
    cache.cache_folder.cache_clear()
    yield tmp_path / "kernels-key"
    cache.cache_folder.cache_clear()


def test_what_is_kept_comes_back(folder):
    assert cache.load("key", "name") is None
    cache.save("key", "name", b"machine code")
    assert cache.load("key", "name") == b"machine code" and cache.kernels(str(folder)) == ["name"]


@pytest.mark.parametrize("place", [0, cache.DIGEST - 1, cache.DIGEST, -1])
def test_one_wrong_byte_is_noticed(folder, place):
    cache.save("key", "name", b"machine code")
    path = folder / "name.kernel"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert cache.load("key", "name") is None


@pytest.mark.parametrize("content", [b"", b"short", bytes(cache.DIGEST), None])
def test_files_that_are_no_kernels(folder, content):
    cache.save("key", "name", b"machine code")
    path = folder / "name.kernel"
    path.write_bytes(path.read_bytes()[:-1] if content is None else content)
    assert cache.load("key", "name") is None


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs users")
@pytest.mark.parametrize("owner, usable", [(0, True), (1234, True), (4321, False)])
def test_whose_folder_is_used(folder, owner, usable, monkeypatch):
    """One's own, or the administrator's; never another user's, even if it can be written."""
    folder.mkdir()
    stat = os.stat

    def owned(path, *rest, **more):
        found = list(stat(path, *rest, **more))
        found[4] = owner if str(path) == str(folder) else found[4]
        return os.stat_result(found)

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", owned)
        patch.setattr(os, "getuid", lambda: 1234)
        assert cache._usable(str(folder)) is usable


@pytest.fixture
def key(monkeypatch):
    """The key, worked out anew."""

    def anew():
        natives.cache_key.cache_clear()
        return natives.cache_key()

    yield anew
    monkeypatch.undo()
    natives.cache_key.cache_clear()


@pytest.mark.parametrize("package", ["numba", "llvmlite"])
def test_another_compiler_has_another_key(package, key, monkeypatch, tmp_path):
    before = key()
    assert key() == before
    (tmp_path / f"{package}-0.1.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert key() != before


def test_another_processor_has_another_key(key, monkeypatch):
    before, processor = key(), machine.processor()
    monkeypatch.setattr(machine, "processor", lambda: (processor, "another"))
    assert key() != before


def test_another_layout_has_another_key(key, monkeypatch):
    before = key()
    monkeypatch.setattr(natives, "LAYOUT", natives.LAYOUT + 1)
    assert key() != before


@pytest.mark.parametrize("changed", ["natives.py", "compiler.py", "entry.py", "pointer.py"])
def test_other_sources_have_another_key(changed, key, monkeypatch):
    before, read = key(), natives.Path.read_bytes
    monkeypatch.setattr(natives.Path, "read_bytes", lambda path: read(path) + b"\n" * (path.name == changed))
    assert key() != before
