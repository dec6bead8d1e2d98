"""What the README and the pages in docs/ promise."""

import re
from pathlib import Path

import pytest
import torch

import brainrnn as br

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]
PUBLISHED = list((ROOT / "docs" / "results").glob("*/study.toml"))
RESULTS = sorted((ROOT / "docs" / "results").glob("*/README.md"))


def text(page):
    return page.read_text(encoding="utf-8")


def anchors(page):
    """Names of a page's headings, as links write them."""
    for heading in re.findall(r"^#+ (.*)$", text(page), re.M):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_python_example_runs(monkeypatch, tmp_path, capsys):
    """The README's example, smaller: fewer steps, fewer neurons."""
    monkeypatch.chdir(tmp_path)
    example, _ = re.findall(r"```python\n(.*?)```", text(README), re.S)
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    for full, small in (("steps=3000", "steps=30"), ("br.grid(20, 20)", "br.grid(8, 8)")):
        assert full in example
        example = example.replace(full, small)
    exec(compile(example, "README.md", "exec"), {})
    assert "isolated" in capsys.readouterr().out
    assert (tmp_path / "map.png").stat().st_size > 10_000


def test_any_network_gets_places_in_these_lines():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(5, 64), torch.nn.Tanh(), torch.nn.Linear(64, 2))
    loader = [(torch.randn(9, 5), torch.randn(9, 2)) for _ in range(40)]
    names = {
        "br": br,
        "model": model,
        "loader": loader,
        "task_loss": torch.nn.functional.mse_loss,
        "optimizer": torch.optim.Adam(model.parameters()),
    }
    _, example = re.findall(r"```python\n(.*?)```", text(README), re.S)
    exec(compile(example.replace("1e-3", "0.1"), "README.md", "exec"), names)
    assert bool((model[0].weight == 0).any())


def test_two_screens_show_the_picture_the_commands_python_and_where_to_go_on():
    lines = re.sub(r"<!--.*?-->\n", "", text(README), flags=re.S).splitlines()  # as it is seen
    assert len(lines) <= 100
    first = "\n".join(lines[:60])
    for shown in ("![", "make demo", "make test", "import brainrnn as br"):
        assert shown in first, shown


@pytest.mark.parametrize("page", PAGES + RESULTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    prose = re.sub(r"```.*?```", "", text(page), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name} points at {target}"
        assert not anchor or anchor in set(anchors(there)), f"{page.name} points at {target}"


def test_every_page_can_be_reached_from_the_readme():
    linked = set(re.findall(r"\]\(((?:docs/)?\w+\.md)\)", text(README)))
    assert {ROOT / name for name in linked} == set(PAGES) - {README}


def test_every_configuration_it_names_is_valid_and_differs_in_the_method_alone():
    from brainrnn.runs.experiment import load_experiment

    configs = ROOT / "configs"
    named = set(re.findall(r"configs/(\w+\.toml)", text(ROOT / "docs" / "command_line.md")))
    assert named == {path.name for path in configs.glob("*.toml")}
    whole = {name: load_experiment(configs / name) for name in named}
    sparse, demo = whole.pop("cog20_sparse.toml"), whole["cog20_bimt.toml"]
    dense = sparse.network.model_copy(update={"connections": "dense"})
    assert sparse.model_copy(update={"network": dense}) == demo
    same = [e.model_copy(update={"method": None}) for n, e in whole.items() if "cog20" in n]
    assert all(other == same[0] for other in same)
    methods = [e.method for n, e in whole.items() if "cog20" in n]
    assert all(one != two for i, one in enumerate(methods) for two in methods[:i])


def test_every_study_is_on_its_page_with_its_answer():
    rows = re.findall(
        r"^\| `(\w+)` \|.*\(results/(\w+)/README.md\)", text(ROOT / "docs/studies.md"), re.M
    )
    assert all(name == folder for name, folder in rows)
    assert {name for name, _ in rows} == {page.parent.name for page in PUBLISHED}
    for study in (ROOT / "configs/studies").glob("*.toml"):
        assert study.stem in text(ROOT / "docs/studies.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists(page):
    """With every option that a page shows."""
    from brainrnn.cli import cli
    from paper_mlp.cli import cli as paper_cli

    for program, whole in (("brainrnn", cli), ("paper-mlp", paper_cli)):
        pattern = rf"^(?:\S*/|OMP\S+ |GOMP\S+ )?{program} (.*?)(?:#.*)?$"
        for line in re.findall(pattern, "\n".join(fenced(page)), re.M):
            words = [word for word in re.split(r"[\s|\[\]]+", line) if word]
            command = whole.commands.get(words[0])
            assert command is not None, line
            if "run" in getattr(command, "commands", ()):  # the one that needs no name
                command = command.commands.get(words[1], command.commands["run"])
            options = {name for parameter in command.params for name in parameter.opts}
            shown = {word for word in words if word.startswith("--")} - {"--help"}
            assert shown <= options, line


def fenced(page):
    return re.findall(r"^```\n(.*?)```", text(page), re.S | re.M)


def test_the_picture_of_the_house_is_the_order_that_imports_keep():
    """From the roof down; the walk test holds the imports to the same order."""
    from tests.test_layers import FLOORS

    floor = {name: level for level, names in enumerate(FLOORS[""]) for name in names}
    drawn = []
    for row in re.findall(r"^ │ (.*) │$", text(ROOT / "ARCHITECTURE.md"), re.M):
        names = row.split() if "  " not in row.strip() else row.split()[:1]
        drawn += [name for name in names if name in floor]
    assert set(drawn) == set(floor) - {"_moved"}
    assert [floor[name] for name in drawn] == sorted((floor[name] for name in drawn), reverse=True)
