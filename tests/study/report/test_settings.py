"""Networks of one method under several settings have names of their own."""

import numpy as np
import pandas as pd

from brainrnn.study.report.settings import name_settings, with_setting


def test_settings_of_a_method_are_told_apart():
    rows = pd.DataFrame(
        {"label": ["a", "a", "b"], "method.strength": [0.1, 1e-4, np.nan], "accuracy": 1.0}
    )
    assert list(name_settings(rows).label) == ["a, strength 0.1", "a, strength 0.0001", "b"]
    assert with_setting("a", {"method.strength": 0.1}) == "a, strength 0.1"
