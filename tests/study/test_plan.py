"""What a study consists of is read from one file and checked before anything is trained."""

import pytest

from brainrnn.catalogue import shipped
from brainrnn.config import as_toml, build, read_toml
from brainrnn.errors import InputError
from brainrnn.study.plan import Study, load_study
from tests.study.small import METHODS, small_study


def test_every_method_and_seed_is_a_network():
    cells = small_study().cells()
    assert [(cell.method, cell.seed) for cell in cells] == [
        (method, seed) for seed in (1, 2) for method in METHODS
    ]
    assert {cell.experiment.seed for cell in cells} == {1, 2}
    l1 = next(cell for cell in cells if cell.method == "l1")
    assert l1.experiment.method.locality == 0
    assert l1.experiment.method.swap.algorithm == "none"


def test_networks_that_train_alike_are_trained_once():
    l1, placed, bimt = small_study().cells()[:3]
    assert l1.training == placed.training != bimt.training


def test_the_analysis_does_not_make_another_network():
    cell = small_study().cells()[0]
    values = cell.experiment.model_dump(mode="json", exclude_none=True)
    values["analysis"]["permutations"] = 7
    other = build(type(cell.experiment), values)
    assert type(cell)("l1", "L1", 1, other).training == cell.training


def test_a_sweep_is_a_grid():
    sweep = {"method.strength": [1e-5, 1e-4], "method.locality": [0.0, 1.0, 2.0]}
    study = small_study(seeds=[3], methods={"all": {"label": "all", "sweep": sweep}})
    cells = study.cells()
    assert [tuple(cell.setting.values()) for cell in cells] == [
        (s, a) for s in (1e-5, 1e-4) for a in (0.0, 1.0, 2.0)
    ]
    assert len({cell.name for cell in cells}) == 6
    for cell in cells:
        method = cell.experiment.method
        assert (method.strength, method.locality) == tuple(cell.setting.values())


def test_whole_numbers_are_swept_too():
    sweep = {"training.batch": [4, 8]}
    study = small_study(seeds=[3], methods={"all": {"label": "all", "sweep": sweep}})
    assert [cell.experiment.training.batch for cell in study.cells()] == [4, 8]
    assert [cell.name for cell in study.cells()] == ["all-4-3", "all-8-3"]


def test_a_file_that_extends_itself(tmp_path):
    for name, parent in {"one": "other", "other": "one"}.items():
        (tmp_path / f"{name}.toml").write_text(f'extends = "{parent}.toml"\n')
    with pytest.raises(InputError, match=r"extends itself, by way of other\.toml"):
        load_study(tmp_path / "one.toml")


def test_only_some_methods():
    assert {cell.method for cell in small_study(only=["bimt"]).cells()} == {"bimt"}


def test_a_study_survives_its_file(tmp_path):
    study = small_study(only=["bimt"])
    (tmp_path / "study.toml").write_text(as_toml(study))
    assert build(Study, read_toml(tmp_path / "study.toml")) == study


def test_a_study_extends_another(tmp_path):
    base = small_study()
    (tmp_path / "base.toml").write_text(as_toml(base))
    (tmp_path / "other.toml").write_text(
        'extends = "base.toml"\nname = "other"\nonly = ["bimt"]\n'
        "[experiment.training]\nsteps = 9\n"
        '[measure]\nkind = "tradeoff"\n'
    )
    other = load_study(tmp_path / "other.toml")
    assert (other.name, other.seeds, other.only) == ("other", base.seeds, ("bimt",))
    assert other.experiment.training.steps == 9
    assert other.experiment.training.batch == base.experiment.training.batch
    assert other.measure.kind == "tradeoff"


@pytest.mark.parametrize("name", shipped("study"))
def test_the_studies_of_the_repository(name):
    study = load_study(name)
    assert study.name == name
    assert study.cells()
    assert study.experiment.training.steps >= 1000


def _swept(values):
    return {"methods": {"all": {"label": "all", "sweep": {"method.strength": values}}}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seeds": [1, 1]}, "seeds must differ"),
        ({"seeds": []}, "seeds: give at least 1, got none"),
        ({"methods": {}}, "methods: give at least 1, got none"),
        ({"only": ["bimpt"]}, "did you mean 'bimt'"),
        ({"only": []}, "only: give at least 1, got none"),
        ({"methods": METHODS | {"again": METHODS["bimt"]}}, "labels of their own"),
        (_swept([]), r"methods: sweep of method\.strength needs values"),
        (_swept([1e-4, 0.00010]), "values of method.strength must differ"),
        ({"measure": {"kind": "mapp"}}, "measure.kind"),
        ({"name": "a b"}, "name"),
    ],
)
def test_bad_studies(changes, words):
    with pytest.raises(InputError, match=words) as error:
        small_study(**changes)
    assert "\n" not in str(error.value)


def test_a_method_that_sets_no_key_of_the_experiment():
    study = small_study(methods={"odd": {"label": "odd", "settings": ["method.strenght=1.0"]}})
    with pytest.raises(InputError, match=r"did you mean 'method\.strength'"):
        study.cells()


def test_an_unknown_study():
    with pytest.raises(InputError, match="did you mean 'growing_brains'"):
        load_study("growing_brain")


def test_names_are_parts_of_file_names():
    for name in ("../up", "a/b", "", ".hidden"):
        with pytest.raises(InputError, match="methods"):
            small_study(methods={name: {"label": "L"}})
    with pytest.raises(InputError, match="name"):
        small_study(name="networks")
    sweep = {"label": "A", "sweep": {"method.strength": [0.001, 1.0]}}
    with pytest.raises(InputError, match="'a-1-1': give a method another name"):
        small_study(methods={"a": sweep, "a-1": {"label": "B"}}).cells()
