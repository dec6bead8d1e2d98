import pytest

from brainrnn.errors import InputError
from paper_mlp.regression.paths import asked_outputs, unrolled_paths
from tasks import formulas
from tests.paper_mlp.regression.handmade import TASK, reader


def test_the_answer_is_asked_for_at_the_last_token():
    assert asked_outputs(TASK).nonzero().tolist() == [[2, 0]]


def test_the_paths_of_a_network_that_reads_the_pair():
    paths = {name: on[0].nonzero().tolist() for name, on in unrolled_paths(reader(), TASK).items()}
    assert paths["input"] == [[0, 1], [1, 0], [2, 1]]  # x_1, y_1 and x
    # The first two tokens matter for what the last one reads of them.
    assert paths["stream0"] == [[0, 1], [1, 0], [2, 1], [2, 3]]
    assert paths["heads1"] == [[2, 0], [2, 1]]
    for name in ("stream1", "stream2", "stream3", "stream4"):
        assert paths[name] == [[2, 1], [2, 2], [2, 3]]
    assert paths["mlp1"] == paths["heads2"] == []
    assert paths["out"] == [[2, 0]]


def test_what_has_no_paths():
    with pytest.raises(InputError, match="in-context regression"):
        unrolled_paths(reader(), formulas(["products"]))
