"""What is compiled anew after an edit."""

import ast
import pkgutil
import shutil

import pytest

from kerasish.device import cache, natives, sources
from kerasish.kernels import cpu

MODULES = [f"{cpu.__name__}.{module.name}" for module in pkgutil.iter_modules(cpu.__path__)]


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The package's files, to be edited; a function that forgets what was read of them."""

    def forget():
        for function in (sources.digest, sources.files, sources._source):
            function.cache_clear()

    shutil.copytree(sources.ROOT / "kernels", tmp_path / "kernels", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    forget()
    yield tmp_path / "kernels" / "cpu", forget
    forget()


def imported(path):
    """The modules of kernels that a file imports when it is imported, by Python's own parser."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module.startswith(sources.OURS):
            for name in node.names:
                inner = sources._file(f"{node.module}.{name.name}").is_file()
                yield f"{node.module}.{name.name}" if inner else node.module


@pytest.mark.parametrize("module", MODULES)
def test_imports_are_found(module):
    path = sources._file(module)
    assert set(sources._source(module)[1]) == set(imported(path))
    assert not any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(ast.parse(path.read_text())))


@pytest.mark.parametrize("edited", ["pool", "tile", "fold", "replay_watch"])
def test_an_edit_is_news_to_what_is_made_of_the_file(edited, copied):
    folder, forget = copied
    before = {module: sources.kept_name(f"{module}.f-float32.1") for module in MODULES}
    concerned = {module for module in MODULES if f"{cpu.__name__}.{edited}" in sources.files(module)}
    with open(folder / f"{edited}.py", "a") as file:
        file.write("# edited\n")
    forget()
    after = {module: sources.kept_name(f"{module}.f-float32.1") for module in MODULES}
    assert {module for module in MODULES if after[module] != before[module]} == concerned
    assert f"{cpu.__name__}.{edited}" in concerned != set(MODULES)


def test_what_older_files_made_is_not_there(copied, tmp_path, monkeypatch):
    folder, forget = copied
    monkeypatch.setattr(cache, "cache_folder", lambda key: str(tmp_path))
    name = f"{cpu.__name__}.pool._largest-float32.4"
    for kept in (name, f"{name}@01234567", "me.mine-0a"):
        cache.save("key", kept, b"code")
    assert sources.there("key") == {"me.mine-0a"}
    cache.save("key", sources.kept_name(name), b"code")
    assert sources.there("key") == {name, "me.mine-0a"}


def test_users_kernels_and_the_compilers_own_are_named_as_they_are():
    assert sources.kept_name("__main__.f-float32.1-abc") == "__main__.f-float32.1-abc"
    assert sources.kept_name("kerasish.device.thread_pool._launch") == "kerasish.device.thread_pool._launch"
    assert "thread_pool" in natives.SOURCES
