"""Numbers that notes quote are those of the networks, or of the tables that a command wrote."""

import contextlib
import math
import re
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch

from brainrnn.analysis.graph.modularity import connection_graph
from brainrnn.runs.folder import Run
from brainrnn.training.snapshots import load_snapshot
from paper_mlp.experiments import EXPERIMENTS
from paper_mlp.facts import (
    TWENTY,
    accuracy_at,
    count_of_twenty,
    least_to_greatest,
    measured,
    modularity_at,
    share_of_worst,
    twenty_seeds,
    written,
)
from paper_mlp.outcome import Outcome
from paper_mlp.pruning import loss_when_pruned, parameters_left
from tests.paper_mlp.small import small_experiments


@pytest.fixture
def outcome(root, printed):
    with contextlib.ExitStack() as stack:

        def of(name):
            assert printed[name]  # this makes experiments small itself
            stack.enter_context(small_experiments())
            return Outcome(EXPERIMENTS[name], Run.open(root / f"{name}-notebook"))

        yield of


@pytest.mark.parametrize(
    ("values", "measure", "text"),
    [
        ([1.0e-4, 2.0e-4, 3.0e-4], "test_loss", "(2.0 ± 1.0)e-4"),
        ([12.0, 14.0], "best_test_loss", "(13.0 ± 1.4)e0"),
        ([0.9815, 0.9825], "best_test_accuracy", "98.2 %"),
        ([0.1, 0.2], "modularity", "0.150 ± 0.071"),
        ([0.5], "modularity", "0.500 ± 0.000"),
    ],
)
def test_a_number_is_written_as_its_kind_is(values, measure, text):
    assert written(pd.Series(values), measure) == text


def test_a_range_is_its_ends():
    assert least_to_greatest(np.array([3, 1, 2]), "d") == "1 to 3"
    assert least_to_greatest(np.array([0.501, 0.499]), ".1f") == "0.5"


def test_what_was_measured_is_that_of_the_results(outcome, root):
    run = outcome("fig4")
    table = pd.read_csv(root / "fig4-notebook" / "results.csv").groupby("method").test_loss
    for method in ("l1", "bimt"):
        losses = table.get_group(method).to_numpy()
        text = measured("test_loss", method)(run)
        mean, sd, power = map(float, re.fullmatch(r"\((.*) ± (.*)\)e(.*)", text).groups())
        assert mean * 10**power == pytest.approx(losses.mean(), abs=0.051 * 10**power)
        assert sd * 10**power == pytest.approx(losses.std(ddof=1), abs=0.051 * 10**power)


@pytest.mark.parametrize(("progress", "step"), [(0, 0), (0.2, 0), (0.6, 20), (1, 40)])
def test_a_moment_of_training_is_that_of_its_snapshot(progress, step, outcome):
    run = outcome("fig4")
    _, net = load_snapshot(run.run.path / "snapshots" / f"{step:08}.npz", run.run.net)
    values = []
    for member in run.members("bimt"):
        graph = connection_graph(net, member)
        parts = nx.community.greedy_modularity_communities(graph, weight="weight")
        values.append(nx.community.modularity(graph, parts, weight="weight"))
    expected = f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"
    assert modularity_at(progress, "bimt")(run) == expected
    with torch.no_grad():
        classes = net(run.task.test.inputs)[run.members("bimt")].argmax(2)
    right = float((classes == run.task.test.targets).double().mean())
    assert accuracy_at(progress, "bimt")(run) == f"{right:.1%}".replace("%", " %")


def test_the_worst_points_share_of_the_loss(outcome):
    run = outcome("fig3a")
    with torch.no_grad():
        error = (run.net(run.task.test.inputs) - run.task.test.targets).numpy()
    shares = []
    for member in run.members("l1"):
        loss = np.sort((error[member].astype(float) ** 2).sum(1))
        shares.append(100 * loss[-3:].sum() / loss.sum())
    expected = sorted({f"{min(shares):.0f}", f"{max(shares):.0f}"}, key=float)
    assert share_of_worst(3, "l1")(run) == " to ".join(expected) + " %"


def test_how_few_parameters_do(outcome):
    run = outcome("fig2")
    curve = loss_when_pruned(run.net, run.task)
    fewest = []
    for member in run.members("bimt"):
        losses = curve[member].to_series()
        bad = losses[losses > 2 * losses.iloc[-1]]
        fewest.append(min(n for n in losses.index if n > max(bad.index, default=-1)))
    text = parameters_left("bimt")(run)
    assert text == " to ".join(str(n) for n in sorted(set(fewest)))


@pytest.mark.parametrize(
    ("fact", "file", "column", "form"),
    [
        (twenty_seeds, "fig3b-bimt", "test_loss", "(16.2 ± 8.9)e-5"),
        (twenty_seeds, "fig3a-bimt", "test_loss", "(10.7 ± 2.4)e-3"),
        (twenty_seeds, "fig3c-bimt", "modularity", "0.419 ± 0.083"),
        (count_of_twenty, "fig3c-bimt", "and is the only active one", "11"),
        (count_of_twenty, "fig4-bimt", "six hidden neurons", "3"),
    ],
)
def test_twenty_seeds_are_read_from_their_tables(fact, file, column, form):
    text = fact(file, column)(None)
    values = pd.read_csv(TWENTY / f"{file}.csv")[column]
    assert len(values) == 20
    if fact is count_of_twenty:
        assert text == form == str(sum(values))
        return
    mean, sd = (float(part) for part in re.findall(r"[\d.]+(?= ±)|(?<=± )[\d.]+", form))
    scale = 10 ** float(form.split("e")[1]) if "e" in form else 1.0
    assert values.mean() == pytest.approx(mean * scale, rel=0.01)
    assert math.sqrt(values.var()) == pytest.approx(sd * scale, rel=0.02)
    told = [float(part) for part in re.findall(r"[\d.]+(?= ±)|(?<=± )[\d.]+", text)]
    power = 10 ** float(text.split("e")[1]) if "e" in text else 1.0
    assert told[0] * power == pytest.approx(mean * scale, rel=0.01)
    assert told[1] * power == pytest.approx(sd * scale, rel=0.1)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_number_that_is_quoted_can_be_made(name, outcome):
    reproduction = EXPERIMENTS[name]
    run = outcome(name)
    quoted = {
        key
        for text in (*reproduction.notes, *reproduction.remarks.values())
        for key in re.findall(r"\{(\w+)\}", text)
    }
    assert quoted <= reproduction.facts.keys()
    for key in quoted:
        methods = ("vanilla", "local")  # of which these small runs have no networks
        if not key.startswith(methods) and key not in ("untrained", "training"):
            assert "{" not in run.fill(f"{{{key}}}")
            assert run.facts[key] != "(not known here)", key
    for text in (*reproduction.notes, *reproduction.remarks.values()):
        assert not re.search(r"\d ± \d", text.replace("(9.7 ± 2.1)e-3", ""))


def test_where_pages_do_not_come_with_the_package_a_note_says_where_the_number_is(monkeypatch):
    monkeypatch.setattr("paper_mlp.facts.TWENTY", Path("/nowhere/feedforward_twenty_seeds"))
    text = twenty_seeds("fig3b-bimt", "test_loss")(None)
    assert text == "(in docs/results/feedforward_twenty_seeds/fig3b-bimt.csv)"
