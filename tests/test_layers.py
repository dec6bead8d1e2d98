"""The house has an order: nothing imports what stands above it, and no folder holds a circle."""

import ast
from pathlib import Path

import networkx as nx
import pytest

import brainrnn

ROOT = Path(brainrnn.__file__).parent

# From the ground up, in every folder whose rooms are folders themselves.
FLOORS = {
    "": [
        {"errors", "_moved"},
        {"arrays", "catalogue", "config", "data", "files", "own"}
        | {"memory", "progress", "streams", "task", "threads"},
        {"anatomy"},
        {"networks", "wiring_cost"},
        {"training"},
        {"analysis"},
        {"plots"},
        {"runs"},
        {"study"},
        {"cli"},
    ],
    "analysis": [
        {"activity"},
        {"space"},
        {"graph"},
        {"feedforward", "parts", "spec"},
        {"neurons", "recorded"},
        {"brain", "map_statistics"},
        {"summary", "storage"},
        {"robustness"},
    ],
    "plots": [
        {"style", "member"},
        {"maps", "networks", "statistics", "training", "trial"},
        {"figures"},
    ],
}


def modules():
    """(path, module name) of every file, without the doors (``__init__``)."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] not in ("__init__", "__main__"):
            yield path, ".".join(parts)


def imports(path: Path) -> set[str]:
    """Modules of the engine that a file imports, at its head or inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room(module: str, folder: str) -> str | None:
    """The room of a folder in which a module lies: networks.rnn in "" -> networks."""
    inside = module.split(".")
    above = folder.split(".") if folder else []
    return inside[len(above)] if inside[: len(above)] == above and inside != above else None


def engine(imported: set[str]) -> set[str]:
    return {name.removeprefix("brainrnn.") for name in imported if name.startswith("brainrnn.")}


@pytest.mark.parametrize("folder", FLOORS)
def test_every_room_has_its_floor(folder):
    rooms = {room(name, folder) for _, name in modules()} - {None}
    assert rooms == set.union(*FLOORS[folder])


@pytest.mark.parametrize("folder", FLOORS)
def test_no_import_goes_up(folder):
    floor = {name: level for level, names in enumerate(FLOORS[folder]) for name in names}
    upward = []
    for path, name in modules():
        here = room(name, folder)
        for imported in engine(imports(path)):
            there = room(imported, folder)
            if here and there in floor and there != here and floor[there] >= floor[here]:
                upward.append(f"{path.relative_to(ROOT)} imports {imported}")
    assert upward == []


def test_no_folder_holds_a_circle():
    """Files of one folder import each other in one direction."""
    names = {name for _, name in modules()}
    graph = nx.DiGraph()
    for path, name in modules():
        for imported in engine(imports(path)):
            # The module itself, or the module of the imported function.
            target = imported if imported in names else imported.rpartition(".")[0]
            if target in names:
                graph.add_edge(name, target)
    assert graph.number_of_edges() > 100
    assert list(nx.simple_cycles(graph)) == []


def test_the_engine_knows_no_tasks_and_no_paper():
    outside = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in ROOT.rglob("*.py")
        for module in imports(path)
        if module.split(".")[0] in ("tasks", "paper_mlp", "tests", "benchmarks")
    ]
    assert outside == []


def test_networks_know_neither_cost_nor_swaps():
    words = ("cost", "swap", "relocate", "locality")
    guilty = [
        f"{path.name}: {word}"
        for path in (ROOT / "networks").glob("*.py")
        for word in words
        if word in {name.lower() for name in _names(path)}
    ]
    assert guilty == []


def _names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} | {
        n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)
    }
