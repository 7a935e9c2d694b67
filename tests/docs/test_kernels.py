"""The picture of the way from a layer to a tile shows what is there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def names_in(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    return found | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_the_picture_of_the_dispatch():
    page = (ROOT / "docs" / "kernels.md").read_text(encoding="utf-8")
    picture = page.partition("## From a layer to a tile\n")[2].partition("\nThe way back")[0]
    lines = [line for line in picture.splitlines() if line.strip()]
    assert len(lines) == 11
    for line in lines:
        what, path = re.match(r" +(.+?) +(kerasish/\S+)", line).groups()
        names = [
            name
            for name in re.findall(r"\w+", what.split("  ")[0].split(",")[0])
            if name not in ("layers", "ops", "nn")
        ]
        if names[0] not in ("ctx", "launch"):
            assert names[-1] in names_in(ROOT / path), line
        assert (ROOT / path).is_file(), line
