"""The house has an order: no module imports one that stands above it."""

import ast
from pathlib import Path

import brainrnn

ROOT = Path(brainrnn.__file__).parent
ORDER = [
    {"errors"},
    {"geometry", "wiring", "arrange", "config", "data", "files", "progress", "task", "threads"},
    {"anatomy"},
    {"networks", "cost", "strength", "flat"},
    {"swap"},
    {"method"},
    {"training", "checkpoint", "snapshots"},
    {"analysis"},
    {"plots"},
    {"experiment"},
    {"run"},
    {"study"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}


def part(module: str) -> str:
    """The part of the house that a module belongs to: brainrnn.networks.rnn -> networks."""
    return module.split(".")[1] if "." in module else module


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            if node.module == "brainrnn":
                found |= {f"brainrnn.{alias.name}" for alias in node.names}
            else:
                found.add(node.module)
    return found


def modules():
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts != ("__init__",):
            yield path, parts[0]


def test_every_module_has_its_level():
    assert {name for _, name in modules()} == set(LEVEL)


def test_no_import_goes_up():
    upward = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path, name in modules()
        for module in imports(path)
        if module.startswith("brainrnn.")
        and part(module) != name
        and LEVEL[part(module)] >= LEVEL[name]
    ]
    assert upward == []


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
