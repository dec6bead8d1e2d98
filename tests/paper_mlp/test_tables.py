"""Tables 1 and 2: the paper's numbers as printed, and whether ours lie in their band."""

from dataclasses import replace
from math import nan
from statistics import mean, stdev
from types import SimpleNamespace

import pandas as pd
import pytest

from brainrnn.runs.folder import Run
from paper_mlp.experiments import EXPERIMENTS
from paper_mlp.outcome import Outcome
from paper_mlp.report import modularity_order
from paper_mlp.tables import as_text, cells, count_inside
from tests.paper_mlp.small import measured

# Tables 1 and 2 of the paper, column by column: vanilla, L1, BIMT.
PRINTED = {
    "fig3a": ("5.2 ± 1.0 e-3, 7.9 ± 0.8 e-3, 7.4 ± 1.0 e-3", "0.207 25, 0.512 42, 0.581 42"),
    "fig3b": ("1.1 ± 0.4 e-5, 1.2 ± 0.3 e-5, 8.0 ± 1.5 e-5", "0.151 15, 0.456 35, 0.543 63"),
    "fig3c": ("1.2 ± 0.5 e-4, 1.8 ± 0.4 e-4, 1.3 ± 0.3 e-3", "0.145 23, 0.328 27, 0.392 21"),
    "fig4": ("100 %, 100 %, 100 %", "0.291 32, 0.289 16, 0.338 39"),
    "fig5": ("100 %, 100 %, 100 %", "0.194 28, 0.435 28, 0.535 27"),
    "fig7": ("7.8 ± 1.8 e-5, 7.2 ± 1.0 e-5, 1.8 ± 0.4 e-4", "0.085 14, 0.083 10, 0.161 13"),
    "fig8": ("98.5 ± 0.2 %, 98.4 ± 0.3 %, 98.2 ± 0.3 %", "0.073 05, 0.099 08, 0.238 21"),
    "fig6": ("100 %, 100 %, 100 %", "0.129 12, 0.371 31, 0.634 43"),
}
LOSS, ACCURACY, MODULARITY = "test_loss", "train_accuracy", "modularity"


def outcome(name, method="bimt", networks=2, **columns):
    """Networks of one method that measure what is given, and 0.5 where nothing is."""
    measures = ("train_loss", "test_loss", "train_accuracy", "test_accuracy", "modularity")
    values = dict.fromkeys((*measures, "best_test_loss", "best_test_accuracy"), 0.5)
    given = {k: v if isinstance(v, list) else [v] * networks for k, v in (values | columns).items()}
    return measured(EXPERIMENTS[name], method=[method] * networks, **given)


def the_cell(name, method="bimt", **columns):
    """Of Table 2 where the modularity is given, else of Table 1."""
    return cells([outcome(name, method, **columns)])[MODULARITY in columns]


@pytest.mark.parametrize("name", PRINTED)
def test_the_papers_numbers_are_as_printed(name):
    table1, table2 = (text.split(", ") for text in PRINTED[name])
    for method, one, two in zip(("vanilla", "l1", "bimt"), table1, table2, strict=True):
        loss, modularity = cells([outcome(name, method)])
        assert (loss.table, modularity.table) == (1, 2)
        whole = "100.0 ± 0.0 %" if one == "100 %" else one
        percent = "% ± ".join(whole.removesuffix(" %").split(" ± ")) + "%"
        digits, power = one.split(" e") if "e" in one else (percent, "")
        assert loss.paper == (f"({digits})e-0{power[1]}" if power else digits)
        assert modularity.paper == f"{two.split()[0]} ± 0.0{two.split()[1]}"
        assert {cell.experiment for cell in (loss, modularity)} == {name}


def test_experiments_and_methods_without_printed_numbers_have_no_cells():
    assert cells([outcome("fig2"), outcome("figA5"), outcome("fig3a", "l1_swap")]) == []
    assert count_inside([]).startswith("0 of 0 cells")
    both = cells([outcome("fig3a"), outcome("fig4")])
    assert [(c.table, c.experiment) for c in both] == [
        (1, "fig3a"),
        (1, "fig4"),
        (2, "fig3a"),
        (2, "fig4"),
    ]


def test_ours_is_the_mean_and_the_sample_sd_over_networks():
    losses, accuracies = [0.004, 0.006, 0.0101], [0.25, 0.5, 1.0]
    one = the_cell("fig3a", networks=3, test_loss=losses, train_loss=[0.001, 0.002, 0.003])
    assert (one.ours_mean, one.ours_sd) == pytest.approx((mean(losses), stdev(losses)))
    assert (one.train, one.test, one.best) == pytest.approx((0.002, mean(losses), 0.5))
    assert one.ours == "(6.7 ± 3.1)e-03"
    two = the_cell("fig4", networks=3, train_accuracy=accuracies)
    assert (two.ours_mean, two.ours_sd) == pytest.approx((mean(accuracies), stdev(accuracies)))
    assert two.ours == "58.3% ± 38.2%"
    alone = the_cell("fig3a", networks=1, modularity=0.25)
    assert (alone.ours, alone.ours_sd) == ("0.250 ± 0.000", 0.0)
    assert (alone.train, alone.test, alone.best) == (None, None, None)


def test_the_best_of_training_is_that_of_every_networks_evaluations(root, printed, small):
    assert printed["fig4"]
    outcome = Outcome(EXPERIMENTS["fig4"], Run.open(root / "fig4-notebook"))
    losses, accuracies = [[0.5, 0.2, 0.3], [0.4, 0.6, 0.9]], [[0.7, 0.9, 0.8], [0.2, 0.1, 0.15]]
    rows = [
        {"step": step, "member": m, "test_loss": losses[m][step], "accuracy": accuracies[m][step]}
        for step in range(3)
        for m in range(2)
    ]
    nothing = {"step": 3, "member": 0, "test_loss": nan, "accuracy": nan}  # of a plain row
    outcome.run.metrics = lambda: pd.DataFrame([*rows, nothing])
    assert outcome.measured.best_test_loss[:2].tolist() == [0.2, 0.4]
    assert outcome.measured.best_test_accuracy[:2].tolist() == [0.9, 0.2]


@pytest.mark.parametrize(
    ("name", "method", "measure", "value", "inside"),
    [
        ("fig3a", "bimt", LOSS, 7.4e-3, True),  # (7.4 ± 1.0)e-3
        ("fig3a", "bimt", LOSS, 8.44e-3, True),  # is printed 8.4
        ("fig3a", "bimt", LOSS, 8.46e-3, False),  # 8.5
        ("fig3a", "bimt", LOSS, 6.36e-3, True),  # 6.4
        ("fig3a", "bimt", LOSS, 6.34e-3, False),
        ("fig3b", "vanilla", LOSS, 1.54e-5, True),  # (1.1 ± 0.4)e-5
        ("fig3b", "vanilla", LOSS, 1.56e-5, False),
        ("fig3b", "vanilla", LOSS, 1.1e-3, False),
        ("fig3c", "bimt", LOSS, 0.98e-3, True),  # (1.3 ± 0.3)e-3: 1.0e-3
        ("fig3c", "bimt", LOSS, 1.3e-4, False),
        ("fig4", "l1", ACCURACY, 1.0, True),  # 100.0 % ± 0.0 %
        ("fig4", "l1", ACCURACY, 0.9996, True),  # is printed 100.0 %
        ("fig4", "l1", ACCURACY, 0.9994, False),
        ("fig5", "l1", "test_accuracy", 0.9996, True),
        ("fig5", "l1", "train_accuracy", 1.0, False),  # it is the test accuracy that counts
        ("fig6", "l1", "train_accuracy", 1.0, True),  # and here the training accuracy
        ("fig6", "l1", "test_accuracy", 1.0, False),
        ("fig3a", "l1", MODULARITY, 0.5544, True),  # 0.512 ± 0.042
        ("fig3a", "l1", MODULARITY, 0.5546, False),
        ("fig3a", "l1", MODULARITY, 0.4696, True),
        ("fig3a", "l1", MODULARITY, 0.4694, False),
    ],
)
def test_the_band_is_the_papers_mean_and_sd_in_the_papers_digits(
    name, method, measure, value, inside
):
    cell = the_cell(name, method, **{measure: value})
    assert cell.inside == inside
    assert inside == (cell.remark == "")


def test_a_miss_says_why():
    remarks = {"table1 bimt": "the data are others"}
    known = replace(EXPERIMENTS["fig3a"], remarks=remarks)
    columns = {"test_loss": [1.0], "train_loss": [1.0], "modularity": [0.0]}
    columns["best_test_loss"] = [1.0]
    for method, reason in (("bimt", "the data are others"), ("l1", "unexplained")):
        one, two = cells([measured(known, method=[method], **columns)])
        assert one.remark == reason
        assert two.remark == "unexplained"


def test_other_data_than_the_papers_are_never_inside():
    digits = outcome("fig8", test_accuracy=0.982, modularity=0.238)
    assert [cell.inside for cell in cells([digits])] == [True, True]
    digits.instead, digits.data = True, "small ones"
    digits.run = SimpleNamespace(suite=SimpleNamespace(name="digits"))
    both = cells([digits, outcome("fig4")])
    assert [cell.inside for cell in both if cell.experiment == "fig8"] == [False, False]
    assert both[0].column == "MNIST (digits)"
    assert both[0].remark == "not the paper's data, but: small ones"
    text = as_text(both)
    assert text.count("not the paper's data, but: small ones") == 1
    assert "MNIST (digits): not the paper's data" in text
    assert modularity_order([digits]) == []


def test_text_has_both_tables_and_the_count():
    moons = outcome("fig4", train_accuracy=1.0, modularity=0.338)
    table = cells([outcome("fig3a", test_loss=7.4e-3), moons])
    text = as_text(table)
    first, second, count = text.split("\n\n")
    assert first.startswith("Table 1")
    assert second.startswith("Table 2")
    assert count == count_inside(table)
    assert count.startswith("3 of 4 cells")
    (row,) = [line for line in first.splitlines() if "symbolic (a)" in line]
    assert row.split()[:4] == ["symbolic", "(a)", "BIMT", "test"]
    assert "(7.4 ± 1.0)e-03 (7.4 ± 0.0)e-03" in " ".join(row.split())
    assert "yes" in row
    (row,) = [line for line in second.splitlines() if "two moons" in line]
    assert "0.338 ± 0.039 0.338 ± 0.000 yes" in " ".join(row.split())
