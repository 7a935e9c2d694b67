"""`python -m parity.names`: the public names of the installed Keras, and how many of them kerasish lacks.

python -m parity.names           the names that kerasish lacks, by module
python -m parity.names --write   write the list that kerasish answers by, and the number in the README
"""

from __future__ import annotations

import argparse
import functools
import importlib
import inspect
import sys
import textwrap
from pathlib import Path

from benchmarks.marks import put_between
from kerasish import KERAS_VERSION, names
from parity.libraries import real

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
START, END = "<!-- names:start -->", "<!-- names:end -->"
WIDTH = 118
PRIVATE = ("src", "_tf_keras")  # of Keras's packages
LEGACY = "keras._tf_keras.keras"  # what `tf.keras` has: Keras 3's names and what is left of Keras 2


def public_modules(root: str = "keras") -> list[str]:
    """Keras's public packages, by name."""
    top = Path(importlib.import_module(root).__file__).parent
    parts = (path.relative_to(top).parent.parts for path in top.rglob("__init__.py"))
    return sorted(".".join((root, *found)) for found in parts if not found or found[0] not in PRIVATE)


def names_of(module: str) -> dict[str, object]:
    """The classes and functions that a package of Keras has."""
    found = vars(importlib.import_module(module)).items()
    return {name: value for name, value in found if not name.startswith("_") and not inspect.ismodule(value)}


@functools.cache
def entries() -> dict[str, names.Entry]:
    """Every public name of Keras with its kind and what it needs, as the list has them."""
    real()
    found = {}
    for module in public_modules():
        if module != "keras":
            found[module] = names.Entry("module", "-")
        for name, value in names_of(module).items():
            found[f"{module}.{name}"] = names.Entry(kind(value), home(value))
    for module in public_modules(LEGACY):
        public = module.replace(LEGACY, "keras", 1)
        if public not in found and public != "keras":
            found[public] = names.Entry("module", names.LEGACY)
        for name, value in names_of(module).items():
            found.setdefault(f"{public}.{name}", names.Entry(kind(value), names.LEGACY))
    return found


def kind(value: object) -> str:
    """What a public name is."""
    return "class" if inspect.isclass(value) else "function"


def home(value: object) -> str:
    """The part of Keras that a class or function belongs to: what must be there before it can be."""
    parts = value.__module__.removeprefix("keras.src.").split(".")
    if parts[0] == "ops":
        return ".".join(parts[:2])
    return ".".join(parts[:-1][:3] or parts)


def written(found: dict[str, names.Entry]) -> str:
    """The list as text: one paragraph for the names of a module that are of one kind and need the same."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for public, entry in found.items():
        module, _, name = public.rpartition(".")
        groups.setdefault((module, *entry), []).append(name)
    lines = [f"# Keras {real().__version__}, by `python -m parity.names --write`: module, kind, what they need, names"]
    for key, group in sorted(groups.items()):
        lines += textwrap.wrap(" ".join([*key, *sorted(group)]), WIDTH, subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def lacking() -> dict[str, list[str]]:
    """The names of Keras 3 that kerasish lacks, by module; the module itself where that is not there."""
    found: dict[str, list[str]] = {}
    for public, entry in names.listed().items():
        module, _, name = public.rpartition(".")
        if entry.kind != "module" and entry.needs != names.LEGACY and not is_there(module, name):
            found.setdefault(module, []).append(name)
    return found


def is_there(module: str, name: str) -> bool:
    """Whether kerasish has a name of Keras."""
    try:
        return hasattr(importlib.import_module(module.replace("keras", "kerasish", 1)), name)
    except ModuleNotFoundError:
        return False


def count() -> int:
    """How many names Keras 3 has."""
    return sum(entry.kind != "module" and entry.needs != names.LEGACY for entry in names.listed().values())


def summary() -> str:
    """What the README says."""
    absent = lacking()
    number, total = sum(map(len, absent.values())), count()
    where: dict[str, int] = {}
    for module, group in absent.items():
        family = ".".join(module.split(".")[:2])
        where[family] = where.get(family, 0) + len(group)
    rest = ", ".join(f"{family} {n}" for family, n in sorted(where.items(), key=lambda row: -row[1]))
    return (
        f"Of Keras {KERAS_VERSION}'s {total} public names {total - number} are here, **{number} are lacking**: {rest}. "
        "Each says so when it is asked for, and what to do instead. Written by `python -m parity.names --write`."
    )


def write_number() -> None:
    """Put the summary into the README.

    Raises:
        SystemExit: If more names are lacking than before.
    """
    before, now = number_in(README.read_text(encoding="utf-8")), sum(map(len, lacking().values()))
    if now > before:
        sys.exit(f"{before} names were lacking, now {now}: names that were here must not go")
    put_between(str(README), START, END, "\n".join(textwrap.wrap(summary(), 130)))


def number_in(text: str) -> int:
    """How many names are lacking, as the README says it."""
    between = text.partition(START)[2].partition(END)[0]
    return int(between.partition("**")[2].partition(" ")[0])


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m parity.names", description="Keras's public names.")
    parser.add_argument("--write", action="store_true", help="write the list, and the number in the README")
    args = parser.parse_args(argv)
    if args.write:
        names.FILE.write_text(written(entries()), encoding="utf-8")
        names.listed.cache_clear()
        write_number()
    for module, group in lacking().items():
        print(f"{module}: {' '.join(group)}")
    print(summary())
    return 0


if __name__ == "__main__":
    sys.exit(main())
