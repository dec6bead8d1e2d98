"""What ``paper-mlp run``, ``tables`` and ``all`` leave of every experiment, on small runs.

In one file, so that one process makes the runs.
"""

import json
import re
import shutil
from statistics import mean, stdev

import pandas as pd
import pytest
from PIL import Image

from paper_mlp.experiments import EXPERIMENTS
from tests.commands import one_line, paper_mlp
from tests.paper_mlp.small import LIKE, files, small_experiments, written

MEASURES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy", "modularity")


@pytest.fixture(scope="module")
def every(printed):
    """What was printed of every experiment, by name; all runs are there."""
    return {name: printed[name] for name in EXPERIMENTS}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_printed_numbers_are_those_of_the_table_of_networks(name, root, printed):
    result, folder = printed[name], root / f"{name}-notebook"
    assert result == json.loads((folder / "results.json").read_text())
    assert (result["experiment"], result["settings"]) == (name, "notebook")
    assert (result["steps"], result["seeds"]) == (40, 2)
    assert 0 <= result["seconds"] < 60
    assert result["folder"] == str(folder)
    networks = pd.read_csv(folder / "results.csv")
    assert list(result["methods"]) == ["l1", "bimt"]
    for method, entry in result["methods"].items():
        rows = networks[networks.method == method]
        assert rows.seed.tolist() == ([0, 0, 1, 1] if name == "figA5" else [0, 1])
        told = [measure for measure in MEASURES if rows[measure].notna().all()]
        assert [measure for measure in MEASURES if measure in entry] == told
        assert ("test_accuracy" in told) == (
            name not in ("fig2", "fig3a", "fig3b", "fig3c", "fig7", "figA7")
        )
        for measure in told:
            values = rows[measure].tolist()
            expected = {"mean": mean(values), "sd": stdev(values)}
            # The table has six digits.
            assert entry[measure] == pytest.approx(expected, rel=1e-5, abs=1e-5 * mean(values))
        checks = EXPERIMENTS[name].checks
        assert result["untrained"].keys() == checks.keys()
        assert entry["structure"] == {check: rows[check].mean() for check in checks}
        expected = EXPERIMENTS[name].expected
        if expected is None:
            assert "paper" not in entry
            continue
        for table, values in (("table1", expected.table1), ("table2", expected.table2)):
            told = entry["paper"][table]
            assert (told["mean"], told["sd"]) == values[method]
        assert entry["paper"]["table1"]["measure"] in entry
        assert entry["paper"]["table2"]["measure"] == "modularity"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_run_folder_holds_numbers_texts_and_pictures(name, root, printed):
    folder, reproduction = root / f"{name}-notebook", EXPERIMENTS[name]
    names = {p.name for p in folder.iterdir()}
    assert {
        "results.json",
        "results.csv",
        "config.toml",
        "checkpoint.safetensors",
        "analysis.nc",
    } <= names
    assert [p.name for p in sorted((folder / "snapshots").iterdir())] == [
        "00000000.npz",
        "00000020.npz",
        "00000040.npz",
    ]
    for text in reproduction.texts:
        assert (folder / f"{text.name}.txt").read_text().strip()
    figures = folder / "figures"
    drawn = {p.stem for p in figures.glob("*.png")}
    panels = {panel.name for panel in reproduction.panels}
    if name == "fig3c":  # no single neuron of so small a network carries I
        panels -= {"subfunctions"}
    assert drawn == {"graph", "methods", "seeds"} | panels
    for stem in drawn:
        with Image.open(figures / f"{stem}.png") as image:
            assert image.getextrema() != ((255, 255),) * len(image.getbands())  # it is not empty
        assert (figures / f"{stem}.svg").is_file()
    with Image.open(figures / "evolution.gif") as film:
        assert film.n_frames == 3
    if name == "figA5":
        perturbation = pd.read_csv(folder / "results.csv").perturbation
        assert perturbation.tolist() == [0.0, 0.1] * 4


def test_finished_runs_are_taken_as_they_are(root, every, small):
    before = written(root)
    status, output, errors = paper_mlp("tables", *LIKE, "--out", root, "--quiet")
    assert (status, errors) == (0, "")
    assert "Table 1" in output
    table = json.loads(paper_mlp("tables", *LIKE, "--out", root, "--json", "--quiet")[1])
    assert len(table) == 2 * 8 * 2  # tables, experiments, methods
    for cell in table:
        entry = every[cell["experiment"]]["methods"][cell["method"]]
        ours = {"mean": cell["ours_mean"], "sd": cell["ours_sd"]}
        assert entry[cell["measure"]] == pytest.approx(ours)
        paper = entry["paper"][f"table{cell['table']}"]
        assert paper["measure"] == cell["measure"]
        assert (paper["mean"], paper["sd"]) == (cell["paper_mean"], cell["paper_sd"])
    assert written(root) == before


def test_runs_with_other_settings_are_refused_and_left_alone(root, every, small, tmp_path):
    before = files(root)
    for other in (
        ("--steps", "41", "--seeds", "2", "--methods", "l1,bimt"),
        ("--steps", "40", "--seeds", "3", "--methods", "l1,bimt"),
        ("--steps", "40", "--seeds", "2"),
    ):
        for command in ("tables", "all"):
            result = paper_mlp(command, *other, "--out", root, "--quiet")
            one_line(result, "holds a run with other settings", "choose another --out")
    assert files(root) == before
    # One foreign run among the folders: none of the others is begun.
    mixed = tmp_path / "mixed"
    shutil.copytree(root / "fig6-notebook", mixed / "fig6-notebook")
    one_line(paper_mlp("all", "--steps", "41", "--out", mixed, "--quiet"), "fig6-notebook")
    assert [p.name for p in mixed.iterdir()] == ["fig6-notebook"]


@pytest.fixture(scope="module")
def made(root, every, tmp_path_factory):
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
    for picture in (name for name in named if name.endswith(".png")):
        with Image.open(folder / picture) as image:
            assert image.size > (50, 50)


def test_its_tables_hold_what_was_measured(made, root, every):
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
        entry = every[row.experiment]["methods"][row.method]
        assert row.rate == entry["structure"][row.structure]
        assert row.networks == 2
    cells = pd.read_csv(folder / "cells.csv")
    assert len(cells) == 32
    for row in cells.itertuples():
        entry = every[row.experiment]["methods"][row.method]
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
