"""The rules of the house: import directions, quiet imports, who may touch Numba's decorators, sizes."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kerasish"
FILES = sorted(PACKAGE.rglob("*.py"))

# What each room may import; a room not named here may import anything but the rooms above it.
ALLOWED = {
    "device": {"device"},
    "kernels": {"kernels", "device", "core.shapes"},
    "core": {"core", "kernels", "device"},
    "ops": {"ops", "core", "kernels", "device", "config", "names"},
    "names": {"names"},
}
HIGH = {
    "layers",
    "models",
    "training",
    "losses",
    "metrics",
    "optimizers",
    "callbacks",
    "saving",
    "applications",
    "compat",
}


def is_module(name: str) -> bool:
    """Whether a dotted name is a module or package of kerasish."""
    path = ROOT.joinpath(*name.split("."))
    return name.startswith("kerasish.") and (path.is_dir() or path.with_suffix(".py").is_file())


def imports(path: Path, top_level_only: bool = False):
    """The modules of kerasish (without the leading name) and the foreign packages that a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in inner if is_module(name)]
            yield from modules
            if len(modules) < len(inner):
                yield node.module


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


@pytest.mark.parametrize("path", [p for p in FILES if room(p) in ALLOWED], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_lower_rooms_import_nothing_from_above(path):
    allowed = ALLOWED[room(path)]
    for name in imports(path):
        if name.startswith("kerasish."):
            inner = name.removeprefix("kerasish.")
            assert any(inner == a or inner.startswith(f"{a}.") for a in allowed), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_modules_are_imported_late(path):
    """Numba only where a kernel must be compiled: kernels that are in the cache load without it."""
    inside = path.relative_to(PACKAGE).parts
    late = {"kerasish.device.compiler", "kerasish.device.machine", "kerasish.device.plain"}
    heavy = {"numba", "h5py", "rich", "llvmlite", "cupy", "tensorflow", "keras"}
    written_by = ("entry.py", "llvm_ir.py", "machine.py", "pointer.py", "raw.py")  # with the first kernel
    if inside[:2] == ("kernels", "cpu") or (inside[0] == "device" and inside[1] in written_by):
        heavy.discard("llvmlite")
    if inside[:2] == ("kernels", "cuda"):  # imported when a card is used
        heavy.discard("llvmlite")
    names = imports(path, top_level_only=True)
    found = ({name.split(".")[0] for name in names} & heavy) | (set(names) & late)
    assert not found or inside in (("device", "compiler.py"), ("device", "plain.py")), (
        f"{path} imports {found} when it is imported"
    )


def test_one_door_to_numbas_internals():
    """They change with any version; where they are not what this library's compiler wants, plain Numba takes over."""
    internal = re.compile(r"numba\.(core|np|misc|cpython|parfors|typed|stencils)\b")
    touched = {p.relative_to(PACKAGE).as_posix() for p in FILES if internal.search(p.read_text(encoding="utf-8"))}
    assert {place for place in touched if "cuda" not in place} == {"device/compiler.py"}


def test_one_door_to_hdf5():
    """Links and bombs are refused in one place, so no other file may open what comes from outside."""
    doors = {p.relative_to(PACKAGE).as_posix() for p in FILES if any(n.split(".")[0] == "h5py" for n in imports(p))}
    assert doors == {"saving/h5_files.py"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_a_variable_exchanges_its_array(path):
    """Each change has a version; who sets `variable.array` from outside makes one that no stamp sees."""
    if path.relative_to(PACKAGE).parts == ("core", "variable.py"):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == "array":
            assert isinstance(node.value, ast.Name) and node.value.id == "self", f"{path}:{node.lineno}"


def test_import_is_quiet_and_light():
    code = (
        "import sys, kerasish; kerasish.layers, kerasish.models, kerasish.ops, kerasish.datasets, kerasish.callbacks; "
        "heavy = {'numba', 'llvmlite', 'h5py', 'rich', 'tensorflow', 'keras', 'PIL', 'matplotlib', 'scipy', 'pandas'}; "
        "heavy |= {'multiprocessing', 'subprocess', 'uuid'}; "
        "heavy &= set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
