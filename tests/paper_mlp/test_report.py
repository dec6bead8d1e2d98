"""The report of all experiments, and what it says of structures and of the order of methods."""

import re
from itertools import pairwise

import pandas as pd
import pytest
from PIL import Image

from paper_mlp.experiments import EXPERIMENTS
from paper_mlp.report import modularity_order, structure_rates
from tests.commands import paper_mlp
from tests.paper_mlp.small import LIKE, measured, small_experiments, written


@pytest.fixture(scope="module")
def made(root, printed, tmp_path_factory):
    """A report of finished runs: its folder, and what was printed."""
    folder = tmp_path_factory.mktemp("report") / "new"
    before = written(root)
    with small_experiments():
        command = ("all", *LIKE, "--out", root, "--report", folder, "--quiet")
        status, output, errors = paper_mlp(*command)
    assert (status, errors) == (0, "")
    assert written(root) == before  # finished runs are taken as they are
    return folder, output


def test_what_is_printed_of_every_experiment(made):
    output = made[1]
    said = dict(zip(EXPERIMENTS, re.split(r"^(?:fig\w+: )", output, flags=re.M)[1:], strict=True))
    assert "(paper: test loss 0.0074 ± 0.001, modularity 0.581 ± 0.042)" in said["fig3a"]
    assert "(paper: train accuracy 1 ± 0, modularity 0.634 ± 0.043)" in said["fig6"]
    assert "paper:" not in said["fig2"]
    for name, text in said.items():
        reproduction = EXPERIMENTS[name]
        assert text.startswith(f"{reproduction.title} ({reproduction.shows})\n")
        for result in reproduction.texts:
            assert result.source in text
        for check in reproduction.checks:
            assert f"\n{check}: L1 " in text
    last = list(EXPERIMENTS)[-1]
    assert "Table 2: Newman modularity" in said[last]
    assert "of 32 cells lie inside the paper's mean" in said[last]


def test_every_file_is_named_and_is_there(made):
    folder, output = made
    named = set(re.findall(rf"^Written: {re.escape(str(folder))}/(.+)$", output, re.M))
    assert named == {p.name for p in folder.iterdir()}
    assert {"README.md", "cells.csv", "structures.csv", "networks.csv"} <= named
    text = (folder / "README.md").read_text()
    linked = set(re.findall(r"\]\(([^)]+)\)", text))
    assert linked == named - {"README.md", "cells.csv", "structures.csv"}
    for picture in named - {"README.md", "cells.csv", "structures.csv", "networks.csv"}:
        with Image.open(folder / picture) as image:
            assert image.size > (50, 50)


def test_its_tables_hold_what_was_measured(made, root, printed):
    folder, _ = made
    networks = pd.read_csv(folder / "networks.csv")
    assert len(networks) == 12 * 4 + 8
    for name, rows in networks.groupby("experiment"):
        own = pd.read_csv(root / f"{name}-notebook" / "results.csv")
        for column in ("seed", "test_loss", "modularity", "active"):
            assert rows[column].tolist() == pytest.approx(own[column].tolist(), rel=1e-3)
        assert rows.method.tolist() == own.method.tolist()
    structures = pd.read_csv(folder / "structures.csv")
    assert len(structures) == 2 * sum(len(r.checks) for r in EXPERIMENTS.values())
    for row in structures.itertuples():
        assert (
            row.rate == printed[row.experiment]["methods"][row.method]["structure"][row.structure]
        )
        assert row.networks == 2
    cells = pd.read_csv(folder / "cells.csv")
    assert len(cells) == 32
    for row in cells.itertuples():
        entry = printed[row.experiment]["methods"][row.method]
        assert row.ours_mean == pytest.approx(entry[row.measure]["mean"], rel=1e-3)
        assert row.paper_mean == entry["paper"][f"table{row.table}"]["mean"]


def test_its_text_tells_of_every_cell_and_every_miss(made):
    folder, output = made
    text = (folder / "README.md").read_text()
    cells = pd.read_csv(folder / "cells.csv")
    rows = re.findall(r"^\| [^|]+ \| (?:L1|BIMT) \| .* \| (yes|no) \|", text, re.M)
    assert len(rows) == 32
    assert rows.count("yes") == cells.inside.sum()
    misses = re.findall(r"^- Table [12], .*: paper .*, ours .*\.$", text, re.M)
    assert len(misses) == rows.count("no")
    assert f"{rows.count('yes')} of 32 cells lie inside" in text
    assert f"{rows.count('yes')} of 32 cells lie inside" in output
    for name, reproduction in EXPERIMENTS.items():
        assert f"## {name}: {reproduction.title}" in text
        for check in reproduction.checks:
            assert re.search(
                rf"^\| {name} \| {check} \| \d of 2 \| \d of 2 \| \d+% \|$", text, re.M
            )
    (command,) = re.findall(r"`(paper-mlp all .*?)`", text)
    for option in ("--settings notebook", "--steps 40", "--seeds 2", "--methods l1,bimt"):
        assert option in command


def test_structures_are_rates_by_method():
    outcome = measured(
        EXPERIMENTS["fig6"],
        **{
            "method": ["l1"] * 4 + ["bimt"] * 2,
            "nine active dimensions": [True, False, False, False, True, True],
            "sign neuron": [False] * 6,
        },
    )
    rates = structure_rates([outcome])
    assert rates.rate.tolist() == [0.25, 1.0, 0.0, 0.0]
    assert rates.networks.tolist() == [4, 2, 4, 2]
    assert rates.method.tolist() == ["l1", "bimt"] * 2
    assert rates.structure.tolist() == ["nine active dimensions"] * 2 + ["sign neuron"] * 2


@pytest.mark.parametrize(
    ("name", "modularity", "expected"),
    [
        ("fig3a", {"vanilla": 0.1, "l1": 0.5, "bimt": 0.6}, ["holds", "holds"]),
        ("fig3a", {"vanilla": 0.6, "l1": 0.5, "bimt": 0.4}, ["does NOT hold", "does NOT hold"]),
        ("fig3a", {"l1": 0.5, "bimt": 0.6}, ["holds"]),
        ("fig3a", {"vanilla": 0.5, "bimt": 0.6}, []),
        # The paper's L1 (0.289) stands below its vanilla (0.291).
        ("fig4", {"vanilla": 0.1, "l1": 0.2}, ["is not what the paper reports, but ours has it"]),
        ("fig4", {"vanilla": 0.2, "l1": 0.1}, ["is not what the paper reports, nor ours"]),
        ("fig2", {"vanilla": 0.1, "l1": 0.5, "bimt": 0.6}, []),
    ],
)
def test_the_order_of_methods_is_judged_where_the_paper_has_one(name, modularity, expected):
    doubled = {method: [q - 0.01, q + 0.01] for method, q in modularity.items()}
    outcome = measured(
        EXPERIMENTS[name],
        method=[method for method in doubled for _ in range(2)],
        modularity=[q for values in doubled.values() for q in values],
    )
    lines = modularity_order([outcome])
    assert len(lines) == len(expected)
    for line, words, (low, high) in zip(
        lines, expected, pairwise(modularity.values()), strict=bool(lines)
    ):
        assert line.endswith(f" {words} ({high:.3f}, {low:.3f})")
