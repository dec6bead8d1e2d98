"""The area under accuracy, by hand."""

import numpy as np
import pandas as pd
import pytest

from brainrnn.study.tolerance import area


def test_robustness_is_the_area_under_relative_accuracy():
    level = pd.Series([0.0, 0.1, 0.4])
    assert area(level, pd.Series([0.8, 0.8, 0.8])) == 1
    by_hand = (0.1 * (1 + 0.5) / 2 + 0.3 * (0.5 + 0.25) / 2) / 0.4
    assert area(level, pd.Series([0.8, 0.4, 0.2])) == pytest.approx(by_hand)
    assert area(level[::-1], pd.Series([0.8, 0.4, 0.2], [0, 1, 2])[::-1]) == pytest.approx(by_hand)
    assert np.isnan(area(level, pd.Series([0.0, 0.0, 0.0])))
