import dataclasses

import numpy as np
import pytest
import torch

from brainrnn.errors import InputError
from paper_mlp.regression.predictions import (
    error_by_x1,
    plot_predictions_in_context,
    worse_for_small_x1,
)
from tasks import formulas, in_context
from tests.paper_mlp.regression.handmade import TASK, connect, empty, reader, with_answers


def points(ax):
    (scatter,) = ax.collections
    return np.asarray(scatter.get_offsets()).T


def test_predictions_of_the_last_x_stand_against_the_truth():
    net = reader(members=2)
    with torch.no_grad():
        net.get_parameter("unembed.bias")[1] -= 6
    shown = TASK.test.inputs.numpy()
    true = TASK.test.targets[:, -1, 0].numpy()
    sums = shown.sum((1, 2))  # x_1 + y_1 + x
    for member, predicted in enumerate((sums, sums - 6)):
        figure = plot_predictions_in_context(net, TASK, member)
        (ax,) = figure.axes  # no colours: the smallest |x_1| is a third of the largest
        np.testing.assert_allclose(points(ax), [true, predicted])
        low, high = ax.get_xlim()
        outside = np.sum((predicted < low) | (predicted > high))
        assert outside > 50
        rmse = np.sqrt(np.mean((predicted - true) ** 2))
        title = f"RMSE {rmse:.2g}, {outside} of {len(true)} points outside"
        assert ax.get_title(loc="left") == title
        assert (low, high) == ax.get_ylim()
        assert true.min() - 0.4 < low < true.min() < true.max() < high < true.max() + 0.4
        assert ax.lines[0].get_xydata().tolist() == [[low, low], [high, high]]


def test_where_all_lie_inside_nothing_is_said_of_it():
    (ax,) = plot_predictions_in_context(empty(), TASK).axes
    rmse = TASK.test.targets[:, -1, 0].square().mean().sqrt()
    assert ax.get_title(loc="left") == f"RMSE {rmse:.2g}"


def test_a_singularity_is_coloured():
    task = in_context(examples=200, x_low=-1.0, x_high=1.0)
    ax, bar = plot_predictions_in_context(empty(), task).axes
    size = task.test.inputs[:, 0, 1].abs().numpy()
    np.testing.assert_allclose(ax.collections[0].get_array(), size)
    assert bar.get_ylabel() == "$|x_1|$"


def test_errors_are_told_apart_by_the_first_x():
    net = reader(members=2)
    connect(net, "unembed", {(0, 2): 4}, member=1)
    table = error_by_x1(net, TASK)
    assert table.member.tolist() == [0] * 5 + [1] * 5
    size = TASK.test.inputs[:, 0, 1].abs().numpy()
    true = TASK.test.targets[:, -1, 0].numpy()
    predicted = net(TASK.test.inputs)[:, :, -1, 0].detach().numpy()
    assert table.low[0] == size.min()
    assert table.high[4] == pytest.approx(size.max())
    width = np.ptp(size) / 5
    for row in table.itertuples():
        assert row.high - row.low == pytest.approx(width)
        inside = (size > row.low) & (size <= row.high + 1e-12) | (size == size.min()) & (
            row.low == size.min()
        )
        error = predicted[row.member] - true
        assert row.sequences == inside.sum()
        assert row.rmse == pytest.approx(np.sqrt(np.mean(error[inside] ** 2)))
    assert table.sequences.sum() == 2 * len(size)


def test_an_empty_bin_has_no_error():
    inputs = TASK.test.inputs.clone()
    inputs[0, 0, 1] = 100
    test = dataclasses.replace(TASK.test, inputs=inputs)
    table = error_by_x1(empty(), dataclasses.replace(TASK, test=test))
    assert table.sequences.tolist() == [len(inputs) - 1, 0, 0, 0, 1]
    assert np.isnan(table.rmse).tolist() == [False, True, True, True, False]


@pytest.mark.parametrize(("power", "worse"), [(0, False), (-1, True), (1, False)])
def test_predictions_that_fail_at_small_x(power, worse):
    net = reader()
    error = TASK.test.inputs[:, 0, 1].abs() ** power
    assert worse_for_small_x1(net, with_answers(net, error)).tolist() == [worse]


def test_what_cannot_be_drawn():
    with pytest.raises(InputError, match="in-context regression"):
        plot_predictions_in_context(reader(), formulas(["products"]))
    with pytest.raises(InputError, match="network 1 does not exist"):
        plot_predictions_in_context(reader(), TASK, 1)
