"""Random streams by name."""

import numpy as np
import pytest

from brainrnn.streams import Stream, generator, seeds


def test_numbers_never_change_for_results_depend_on_them():
    assert {name: int(stream) for name, stream in Stream.__members__.items()} == {
        "TRIALS": 1,
        "HELD_OUT_TRIALS": 2,
        "PERTURBATION": 3,
        "NOISE_ON_ANOTHER_DEVICE": 4,
        "MAP_STATISTICS": 1,
        "PRUNED_TRIALS": 11,
        "LESIONS": 21,
        "DISTURBANCE": 31,
        "RESIZING": 31,
        "TRANSFER": 41,
        "OUTCOME_TRIALS": 51,
        "POINTS": 61,
        "GROWTH": 71,
    }


@pytest.mark.parametrize("stream", Stream)
def test_a_stream_is_numpys_of_seed_and_number(stream):
    expected = np.random.default_rng([5, int(stream)]).random(4)
    np.testing.assert_array_equal(generator(5, stream).random(4), expected)
    expected = np.random.default_rng([5, int(stream), 7]).random(4)
    np.testing.assert_array_equal(generator(5, stream, 7).random(4), expected)
    assert seeds(5, stream, 7).entropy == [5, int(stream), 7]
