"""Values of swept keys: numbers, words, lists and tables, in files, tables and datasets."""

import numpy as np
import pytest

from brainrnn.config import build
from brainrnn.errors import InputError
from brainrnn.runs import load_experiment
from brainrnn.study import make_sweep
from brainrnn.study.assignments import sort_out
from brainrnn.study.values import fact, in_file_name, written

VALUES = [1, 2.5, 1e-05, True, "relu", "a/b", "..", "x" * 99, "x" * 98, "", [10, 10], [1, 0]]
VALUES += [["go", "anti"], [[1], [2]], [], {"every": 5}, {"every": 6}, {"a b": {"c": [1]}}, {}]


def test_every_value_has_a_file_name_of_its_own():
    names = [in_file_name(value) for value in VALUES]
    assert len(set(names)) == len(VALUES)
    for name in names:
        assert "/" not in name
        assert 0 < len(name) < 40


def test_numbers_are_written_as_files_of_former_studies_are_named():
    for value in (0, 3, 0.1, 1e-05, 123456.789, 1 / 3):
        assert written(value) == in_file_name(value) == fact_text(value)
        assert written(np.float64(value)) == written(value)


def fact_text(value):
    assert fact(value) == value
    return f"{value:.12g}"


def sorted_out(*assignments, config="quick"):
    base = load_experiment(config).model_dump(mode="json", exclude_none=True)
    return sort_out(assignments, base)


@pytest.mark.parametrize(
    ("assignment", "swept"),
    [
        ('network.activation=["relu", "tanh"]', True),
        ("network.shape=[10, 10]", False),
        ("network.shape=[[10, 10], [20, 20]]", True),
        ('task.names=["go", "anti"]', False),
        ('task.names=[["go"], ["go", "anti"]]', True),
        ('training.batch=[32, "all"]', True),
        ("method.strength=[0, 1e-4]", True),
        ("method.schedule=[[0, 0.1], [0.5, 1]]", False),
        ('method.swap=[{algorithm = "none"}, {every = 5}]', True),
        ("task.options.reference=[true, false]", True),
        ("method.strength=logspace(-5, -3, 3)", True),
    ],
)
def test_a_list_is_swept_if_each_of_its_values_fits_alone(assignment, swept):
    found = sorted_out(assignment)
    key = assignment.partition("=")[0]
    assert (list(found.swept), found.others) == (([key], []) if swept else ([], [assignment]))


def test_what_fits_depends_on_what_else_is_set():
    found = sorted_out("network.hidden=[[5], [6, 6]]", config="paper/fig4-notebook")
    assert found.swept == {"network.hidden": [[5], [6, 6]]}
    found = sorted_out("network.hidden=[5, 6]", config="paper/fig4-notebook")
    assert found.others == ["network.hidden=[5, 6]"]
    found = sorted_out("network.members=3", "network.starts=[0, 1, 2]", "method.strength=[0, 1]")
    assert found.others == ["network.members=3", "network.starts=[0, 1, 2]"]
    assert list(found.swept) == ["method.strength"]


def test_words_lists_and_tables_reach_the_experiment():
    study = make_sweep(
        "quick",
        [
            'network.activation=["relu", "tanh"]',
            "network.shape=[[4, 4], [3, 5]]",
            'method.swap=[{algorithm = "none"}, {every = 7}]',
        ],
    )
    cells = study.cells()
    assert len(cells) == len({cell.name for cell in cells}) == len({c.training for c in cells}) == 8
    assert {c.experiment.network.activation for c in cells} == {"relu", "tanh"}
    assert {c.experiment.network.shape for c in cells} == {(4, 4), (3, 5)}
    swaps = {(c.experiment.method.swap.algorithm, c.experiment.method.swap.every) for c in cells}
    default = load_experiment("quick").method.swap
    assert swaps == {("none", default.every), (default.algorithm, 7)}
    assert cells[0].name.startswith("sweep-relu-4x4-algorithm_none_")


def test_a_swept_number_trains_the_network_that_a_set_number_trains():
    (cell,) = make_sweep("quick", ["method.strength=[2e-4]", "seeds=[3]"]).cells()
    values = load_experiment("quick", ["method.strength=2e-4", "seed=3"])
    assert cell.experiment == build(type(values), values.model_dump(mode="json", exclude_none=True))


@pytest.mark.parametrize(
    ("assignments", "words"),
    [
        (["network.activation=['relu', 'tan']"], "network.activation: .*'tan'"),
        (["network.activation=['rel', 'tan']"], "network.activation: .*'rel'"),
        (["network.shape=[[4, 4], [4, 'x']]"], "network.shape: .*'x'"),
        (["method.strength=[-1, -2]"], "method.strength: .*-1"),
        (["task.names=['go', 3]"], "task.names: .*3"),
        (["method.strength=[0, 1]", "method.strength=[2, 3]"], "method.strength is given twice"),
        (["training.steps=5", "training.steps=6"], "training.steps is given twice"),
        (["seeds=2", "seeds=3"], "seeds is given twice"),
        (["method.swap=[{every=2}]", "method.swap.every=[1]"], "every is a part of method.swap"),
        (["method.strength=[1, 1.0]"], "must differ"),
        (["network.shape=[[4, 4], [4, 4]]"], "must differ"),
        (["method.strength=linspce(0, 1, 3)"], "did you mean 'linspace'"),
    ],
)
def test_values_that_do_not_fit_are_one_line(assignments, words):
    with pytest.raises(InputError, match=words) as caught:
        make_sweep("quick", assignments).cells()
    assert "\n" not in str(caught.value)
