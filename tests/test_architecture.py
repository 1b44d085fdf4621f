"""The floors of docs/architecture.md hold: imports go down, and never in a circle."""

import ast
import graphlib
import importlib.util
import re
import types
from pathlib import Path

import pytest

import jsuper as js

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "jsuper"
FILES = sorted(PACKAGE.rglob("*.py"))


def floors() -> dict[str, int]:
    """Floor of each room: the rows of the first table of the page."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `([\w/.]+)` \|", page, flags=re.M)
    assert len(rows) == len({room for _, room in rows})
    return {room: int(floor) for floor, room in rows}


def room_of(path: Path) -> str:
    first, *rest = path.relative_to(PACKAGE).parts
    return f"{first}/" if rest else first


def file_of(module: str) -> Path | None:
    """The file of a module of this package, if it is one."""
    path = ROOT.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def imported(path: Path) -> set[Path]:
    """Files of the package that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            # A name may be a module, or something in one.
            names = [
                name if file_of(name) else node.module
                for name in (f"{node.module}.{alias.name}" for alias in node.names)
            ]
        else:
            continue
        found |= {file_of(n) for n in names if n and n.split(".")[0] == "jsuper"}
    assert None not in found, f"{path} imports what is no file of the package"
    return found - {path}


def test_every_room_has_a_floor():
    assert {room_of(path) for path in FILES} == set(floors())


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_imports_from_below(path):
    floor_of = floors()
    if path == PACKAGE / "__init__.py":
        # Public names of higher floors are loaded on first use.
        floor_of = floor_of | {"__init__.py": max(floor_of.values())}
    for other in imported(path):
        own, below = room_of(path), room_of(other)
        assert own == below or floor_of[below] < floor_of[own], f"imports {other}"


def test_no_file_imports_in_a_circle():
    # A room's own __init__ only collects what its files define.
    graph = {
        path: {
            other
            for other in imported(path)
            if room_of(other) == room_of(path) and other.name != "__init__.py"
        }
        for path in FILES
    }
    list(graphlib.TopologicalSorter(graph).static_order())  # CycleError otherwise


def test_no_verb_has_the_path_of_a_module():
    for path in [PACKAGE, *(p.parent for p in PACKAGE.rglob("__init__.py"))]:
        package = importlib.import_module(".".join(path.relative_to(ROOT).parts))
        modules = {p.stem for p in path.iterdir() if p.suffix == ".py"}
        modules |= {p.name for p in path.iterdir() if (p / "__init__.py").is_file()}
        for name in modules - {"__init__", "__main__"}:
            held = getattr(package, name, None)
            assert held is None or isinstance(held, types.ModuleType), f"{path}: {name}"
    assert importlib.util.find_spec("jsuper.sweeps.sweep")
    assert callable(js.sweep)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("jsuper.sweep")


def test_modules_keep_their_old_names():
    from jsuper.feature_sets import CorrelatedFeatures
    from jsuper.pytree import pytree

    from jsuper import fused, neurons

    assert fused is js.objectives.fused
    assert neurons is js.geometry.neurons
    assert CorrelatedFeatures is js.CorrelatedFeatures
    assert pytree is js.pytrees.pytree
