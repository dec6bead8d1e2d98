"""The study of robustness: what was planted is found, and what cannot be compared is not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from brainrnn.anatomy import geometry
from brainrnn.errors import InputError
from brainrnn.networks import RNN
from brainrnn.runs.experiment import load_suite
from brainrnn.study import conduct
from brainrnn.study.drawings.robustness import against_presence
from brainrnn.study.measures.robustness import RobustnessMeasure
from brainrnn.study.report.settings import name_settings
from brainrnn.study.subject import Cell, Subject
from brainrnn.study.tolerance import DAMAGES, curves, robustness
from tests.study.small import METHODS, small_study

SUITE = load_suite(small_study().experiment.task)
FEW = {"draws": 3, "trials": 5, "pruned": 0.5}
PLANTED = RobustnessMeasure(pruned=0.9, pairs=(("bimt", "l1"),))


def untrained(n=4, **options):
    return RNN.for_suite(SUITE, sites=geometry.grid(n, n), tau=100, seed=1, **options)


def planted(seeds=4, settings=3):
    """Rows in which robustness to everything falls with sparsity, and is 0.1 less for BIMT."""
    rows = []
    for seed in range(seeds):
        for i, method in enumerate(("l1", "bimt")):
            for s in range(settings):
                share = 1 - 0.1 * s - 0.1 * i + 0.001 * seed * (i + 1)
                about = {"method": method, "label": method.upper(), "seed": seed}
                about |= {"method.strength": 10.0**s, "absent": 0.5 + 0.1 * s, "ceiling": 1.0}
                for damage in ("none", *DAMAGES):
                    levels = (0.0,) if damage == "none" else (1.0,)
                    for level in levels:
                        value = 0.9 if damage == "none" else 0.9 * (2 * share - 1)
                        row = about | {"damage": damage, "level": level, "draw": 0}
                        rows.append(row | {"accuracy": value, "accuracy_go": value})
    rows = pd.DataFrame(rows)
    return pd.concat([rows.assign(variant="as trained"), rows.assign(variant="matched")])


def test_planted_robustness_is_found_over_seeds():
    found = PLANTED.findings(planted())
    compared = found.tables["Between methods, paired by seed"]
    assert len(compared) == 2 * len(DAMAGES) * 3  # at each of the three strengths
    assert (compared.method.str[-1] == compared.against.str[-1]).all()
    np.testing.assert_allclose(compared.difference, 0.1 - 0.001 * 1.5)
    assert (compared.p_controlled < 0.001).all()
    sparsity = found.tables["Robustness and sparsity"]
    assert (sparsity.rho < -0.5).all()
    assert set(sparsity.networks) == {"all"}  # every method has a sweep
    assert (sparsity.seeds == 4).all()
    assert (sparsity.p_controlled < 0.01).all()
    claims = pd.DataFrame(found.claims)
    sparser = claims[claims.claim.str.contains("sparser networks withstand less")]
    assert list(sparser.verdict) == ["holds"] * len(DAMAGES)
    pairs = claims[claims.claim.str.startswith("The first withstands less")]
    assert list(pairs.verdict) == ["holds"] * 2 * len(DAMAGES) * 3
    assert pairs.networks.iloc[0] == "BIMT, strength 1 against L1, strength 1"
    assert list(found.tables["Each method"].networks) == ["as trained"] * 6 + ["matched"] * 6


def test_networks_that_do_not_perform_are_not_compared():
    rows = planted()
    weak = (rows.method == "bimt") & (rows.variant == "matched")
    rows.loc[weak, "accuracy"] *= 0.3
    result = robustness(curves(name_settings(rows)), 0.5)
    bad = (result.method == "bimt") & (result.variant == "matched")
    assert result.robustness.isna().equals(bad)
    claims = pd.DataFrame(PLANTED.findings(rows).claims)
    compared = claims.claim[claims.claim.str.startswith("The first withstands less")]
    assert len(compared) == 3 * len(DAMAGES)  # of three strengths, as trained alone
    assert compared.str.endswith("as trained.").all()


def test_networks_without_a_sweep_are_correlated_with_and_without():
    rows = planted()
    plain = rows[(rows.method == "l1") & (rows["method.strength"] == 1)]
    plain = plain.assign(method="none", label="NONE", absent=0.1, **{"method.strength": np.nan})
    plain.loc[plain.level > 0, "accuracy"] *= 0.3  # dense and frail, against what others are
    found = PLANTED.findings(pd.concat([rows, plain], ignore_index=True))
    rho = found.tables["Robustness and sparsity"].groupby("networks")["mean rho of a seed"].mean()
    assert rho["of a sweep"] < rho["all"] < 0
    compared = found.tables["Between methods, paired by seed"]
    assert (compared.against == "NONE").sum() == 2 * len(DAMAGES) * 6


def test_networks_that_are_sparser_are_not_compared_at_matched_sparsity():
    rows = planted()
    sparse = (rows.method == "bimt") & (rows["method.strength"] == 100)
    rows.loc[sparse, "absent"] = 0.99
    found = PLANTED.findings(rows)
    table = found.tables["Between methods, paired by seed"]
    one = table[table.against == "BIMT, strength 100"].set_index("networks").n
    assert (one["as trained"] == 4).all()
    assert (one["matched"] == 0).all()


def test_networks_of_a_seed_see_the_same_noise_and_a_sparse_one_stays_as_it_is():
    experiment = small_study().experiment
    measure = RobustnessMeasure(**FEW)
    subject = Subject(Cell("m", "M", 3, experiment), untrained(), SUITE, Path())
    rows = measure.answer(subject).items
    pd.testing.assert_frame_equal(rows, measure.answer(subject).items)
    assert set(rows.variant) == {"as trained", "matched"}
    assert rows[rows.variant == "matched"].absent.unique().tolist() == [0.5]
    draws = rows[rows.damage != "none"].groupby(["variant", "damage", "level"]).size()
    assert (draws == 3).all()
    tasks = rows.filter(like="accuracy_")
    np.testing.assert_allclose(tasks.mean(axis=1), rows.accuracy)
    with torch.no_grad():
        subject.net.w_rec[0, :, 4:] = 0
    rows = measure.answer(subject).items
    trained, matched = (rows[rows.variant == v] for v in ("as trained", "matched"))
    assert trained.absent.iloc[0] >= 0.75
    np.testing.assert_array_equal(trained.accuracy, matched.accuracy)


@pytest.mark.parametrize("values", [{"inputs": (0.0,)}, {"loss": (1.5,)}, {"units": ()}])
def test_bad_levels(values):
    with pytest.raises(InputError, match=next(iter(values))):
        RobustnessMeasure(**values)


def test_a_study_of_robustness_with_a_sweep_from_training_to_the_page(tmp_path):
    sweep = {"sweep": {"method.strength": [1e-4, 1e-2]}}
    study = small_study(
        methods={"bimt": METHODS["bimt"] | sweep},
        measure={"kind": "robustness", **FEW, "least": 0.0},
        seeds=[1],
    )
    page = conduct(study, tmp_path, workers=1, progress=False)
    text = page.read_text(encoding="utf-8")
    assert "BIMT, strength 0.01" in text
    assert "Robustness and sparsity" in text
    assert (tmp_path / "small" / "figures" / "curves.png").is_file()


@pytest.mark.parametrize("value", [0.5, np.nan])
def test_networks_at_chance_have_no_robustness_and_are_drawn_without_dots(value):
    rows = [
        {"method": "l1", "damage": damage, "absent": absent, "robustness": value}
        for damage in DAMAGES
        for absent in (0.1, 0.5)
    ]
    figure, _ = against_presence(pd.DataFrame(rows), {"l1": "L1"})
    drawn = [bool(ax.collections) for ax in figure.axes]
    assert drawn == [bool(np.isfinite(value))] * len(DAMAGES)
