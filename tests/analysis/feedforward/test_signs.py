import pytest

from brainrnn.analysis.feedforward.signs import sign_table
from tests.analysis.feedforward.handmade import connect, drawn, empty


def test_live_weights_are_counted_and_summed():
    net = drawn(empty(3, 9, 4, 2, members=2))
    connect(net, 1, {(0, 0): 1000.0, (1, 0): -60.0, (2, 0): -40.0}, member=1)
    table = sign_table(net)
    assert list(table.member) == [0, 0, 0, 1, 1, 1]
    assert list(table.layer) == [1, 2, 3] * 2
    for row in table.itertuples():
        weights = net.get_parameter(f"fc{row.layer - 1}.weight")[row.member].flatten().tolist()
        least = 0.05 * max(map(abs, weights))
        positive = [w for w in weights if w > least]
        negative = [-w for w in weights if w < -least]
        assert (row.positive, row.negative) == (len(positive), len(negative))
        assert row.positive_sum == pytest.approx(sum(positive))
        assert row.negative_sum == pytest.approx(sum(negative))
    assert tuple(table.iloc[4][["positive", "negative", "negative_sum"]]) == (1, 1, 60)
