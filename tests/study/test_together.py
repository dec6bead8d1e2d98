"""Small networks of a study train as members of one, and each as it would alone."""

import numpy as np
import pytest
import torch

from brainrnn.runs.folder import Run
from brainrnn.study import conduct
from brainrnn.study.answers import Answers
from tests.study.small import EXPERIMENT, small_study

SWEEP = {"method.strength": [0.0, 1e-4, 1e-3], "method.locality": [0.0, 1.0]}
METHODS = {"bimt": {"label": "BIMT", "sweep": SWEEP}}


def swept(**changes):
    return small_study(methods=METHODS, measure={"kind": "outcome"}, **changes)


def companies(study):
    """Names of the networks that train as members of one."""
    found = {}
    for cell in study.cells():
        if cell.joint:
            found.setdefault(cell.training, []).append((cell.member, cell.name))
    return [[name for _, name in sorted(company)] for company in found.values()]


def test_networks_of_one_seed_are_members_of_one_in_the_order_of_the_study():
    cells = swept().cells()
    by_seed = [[cell.name for cell in cells if cell.seed == seed] for seed in (1, 2)]
    assert companies(swept()) == by_seed
    assert not companies(swept(together=1))


@pytest.mark.parametrize(("at_most", "sizes"), [(2, [2, 2, 2]), (4, [3, 3]), (5, [3, 3]), (6, [6])])
def test_companies_are_of_about_equal_size(at_most, sizes):
    study = swept(seeds=[1], together=at_most)
    found = companies(study)
    assert [len(company) for company in found] == sizes
    everybody = [name for company in found for name in company]
    assert sorted(everybody) == sorted(cell.name for cell in study.cells())


def test_a_member_has_the_settings_of_its_network():
    for cell in swept().cells():
        method, joint = cell.experiment.method, cell.joint
        assert joint.method.strength[cell.member] == method.strength
        assert joint.method.locality[cell.member] == method.locality
        assert joint.seed == cell.seed
        assert joint.network.members == len(joint.network.starts) == 6


def test_who_differs_in_anything_else_trains_alone():
    for settings in (["training.batch=9"], ["network.shape=[4, 5]"], ["method.swap.every=3"]):
        methods = {"one": {"label": "a"}, "two": {"label": "b", "settings": settings}}
        assert not companies(small_study(methods=methods))
    strength = {"label": "b", "settings": ["method.strength=0.5"]}
    methods = {"one": {"label": "a"}, "two": strength}
    assert companies(small_study(methods=methods, seeds=[1])) == [["one-1", "two-1"]]


def test_who_trains_alike_is_one_member():
    placed = {"label": "placed", "arrangement": "descent"}
    other = {"label": "other", "settings": ["method.strength=0.5"]}
    methods = {"one": {"label": "a"}, "placed": placed, "other": other}
    cells = small_study(methods=methods, seeds=[1]).cells()
    assert [cell.member for cell in cells] == [0, 0, 1]
    assert len({cell.training for cell in cells}) == 1


def test_untrained_networks_and_large_ones_have_no_company():
    methods = {"one": {"label": "a", "trained": False, "sweep": SWEEP}}
    assert not companies(small_study(methods=methods))
    large = EXPERIMENT | {"network": {"shape": [30, 30]}, "training": {"batch": 128}}
    assert not companies(swept(experiment=large))
    assert companies(swept(experiment=large | {"device": "cuda"}))


@pytest.mark.parametrize("start", [None, (7,)])
def test_members_train_as_they_would_alone(tmp_path, start):
    network = {"shape": [4, 4], "precision": "float64"}
    network |= {"starts": start} if start else {}
    method = {"swap": {"every": 2, "locality": 1.0}}
    study = swept(seeds=[3], experiment=EXPERIMENT | {"network": network, "method": method})
    cells = study.cells()
    joint = Run.create(tmp_path / "joint", cells[0].trains)
    joint.train(progress=False)
    for cell in cells:
        alone = Run.create(tmp_path / cell.name, cell.experiment)
        alone.train(progress=False)
        member = joint.net.select(cell.member)
        for name, value in alone.net.state_dict().items():
            torch.testing.assert_close(member.state_dict()[name], value, rtol=1e-9, atol=1e-12)
        rows = joint.metrics()
        rows = rows[rows.member == cell.member].drop(columns="member")
        np.testing.assert_allclose(rows, alone.metrics().drop(columns="member"), rtol=1e-9)


def test_a_study_of_small_networks_measures_members(tmp_path):
    assert conduct(swept(), tmp_path / "a", on="serial", progress=False)
    assert len(list((tmp_path / "a" / "networks").iterdir())) == 2
    conduct(swept(together=1), tmp_path / "b", on="serial", progress=False)
    assert len(list((tmp_path / "b" / "networks").iterdir())) == 12
    rows, alone = (Answers.read(tmp_path / x / "small").rows for x in "ab")
    assert rows[["label", "seed"]].equals(alone[["label", "seed"]])
    for name in ("accuracy", "loss", "absent", "wiring_length", "method.strength"):
        np.testing.assert_allclose(rows[name], alone[name], rtol=1e-4, atol=1e-6)
    assert rows.loss.nunique() > 2
