"""The order of ``paper_mlp``: nothing imports what stands above it, and there is no circle."""

import ast
import subprocess
import sys
from pathlib import Path

import networkx as nx

import paper_mlp

ROOT = Path(paper_mlp.__file__).parent

# From the ground up: what a method is, what an experiment is described by, what is looked at in
# networks, the experiments of the paper, what a run of one says, and what is printed of it.
FLOORS = [
    {"methods", "panels"},
    {"facts", "by_method"},
    {"reproduction"},
    {"pruning"},
    {"circuits", "groups", "regression", "images"},
    {"experiments"},
    {"outcome"},
    {"tables", "session", "printed"},
    {"report"},
    {"cli"},
    {"__main__"},
]
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}


def modules() -> dict[str, Path]:
    """Every file by its module's name below the package, without the doors (``__init__``)."""
    paths = [path for path in ROOT.rglob("*.py") if path.name != "__init__.py"]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}


def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports, at its head or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.removeprefix("paper_mlp.") for name in found if name.startswith("paper_mlp.")}


def test_every_room_has_its_floor():
    assert {name.split(".")[0] for name in modules()} == set(FLOOR)


def test_no_import_goes_up_or_from_an_analysis_to_another():
    upward = [
        f"{name} imports {imported}"
        for name, path in modules().items()
        for imported in imports(path)
        if (here := name.split(".")[0]) != (there := imported.split(".")[0])
        and FLOOR[there] >= FLOOR[here]
    ]
    assert upward == []


def test_there_is_no_circle():
    names = modules()
    graph = nx.DiGraph()
    for name, path in names.items():
        for imported in imports(path):
            # The module itself, or the module of the imported function.
            target = imported if imported in names else imported.rpartition(".")[0]
            if target in names:
                graph.add_edge(name, target)
    assert graph.number_of_edges() > 80
    assert list(nx.simple_cycles(graph)) == []


def test_the_command_line_answers_before_experiments_are_imported():
    code = (
        "import sys, paper_mlp.cli; print(*(m for m in sys.modules if m.startswith('paper_mlp')))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert set(printed.split()) == {"paper_mlp", "paper_mlp.cli", "paper_mlp.methods"}
