"""Regression in context: the notebook's sequences, and what is asked of them."""

import numpy as np
import pytest
import torch

from brainrnn.errors import InputError
from brainrnn.networks import Transformer, TransformerSpec
from tasks import in_context


@pytest.fixture
def global_seed():
    """The global generators, as the notebook seeds them; afterwards as they were."""
    numpy, state = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002

    def seed(number):
        np.random.seed(number)  # noqa: NPY002
        torch.manual_seed(number)

    yield seed
    np.random.set_state(numpy)  # noqa: NPY002
    torch.set_rng_state(state)


def test_the_sequences_are_the_notebooks(global_seed):
    task = in_context()
    global_seed(1)
    w = torch.rand(10_000, 1, dtype=torch.float64) * 2 - 1
    x = torch.rand(10_000, 2, 1, dtype=torch.float64) * 2 + 1
    chosen = np.random.choice(10_000, 8_000, replace=False)  # noqa: NPY002
    assert (len(task.train), len(task.test)) == (8_000, 2_000)
    zero = torch.zeros(10_000, dtype=torch.float64)
    first, second = x[:, 0, 0], x[:, 1, 0]
    y = [w[:, 0] * first, w[:, 0] * second]
    shown = [torch.stack(pair, 1) for pair in ((zero, first), (y[0], zero), (zero, second))]
    answer = [torch.stack(pair, 1) for pair in ((y[0], zero), (zero, second), (y[1], zero))]
    train = np.sort(chosen)
    test = np.setdiff1d(np.arange(10_000), chosen)
    for part, index in ((task.train, train), (task.test, test)):
        for position in range(3):
            assert torch.equal(part.inputs[:, position], shown[position][index])
            assert torch.allclose(part.targets[:, position], answer[position][index], rtol=1e-15)


def test_training_asks_for_every_y_and_the_test_for_the_last():
    task = in_context(examples=50)
    outputs = torch.zeros(2, len(task.train), 3, 2, dtype=torch.float64)
    outputs[:, :, :, 1] = 7.0  # asked for nowhere
    outputs[:, :, 1] = 9.0  # after y, nothing is asked for
    y = task.train.targets[:, ::2, 0]
    assert task.loss(outputs, task.train).tolist() == pytest.approx([float(y.square().mean())] * 2)
    only = in_context(examples=50, every_pair=False)
    last = float(only.train.targets[:, 2, 0].square().mean())
    assert task.loss(outputs, only.train).tolist() == pytest.approx([last] * 2)
    outputs = torch.zeros(1, len(task.test), 3, 2, dtype=torch.float64)
    outputs[0, :, 2, 0] = task.test.targets[:, 2, 0] + 0.5
    assert task.loss(outputs, task.test).tolist() == pytest.approx([0.25])
    assert task.score(outputs, task.test).isnan().all()


def test_several_pairs_in_several_dimensions():
    task = in_context(
        examples=40, pairs=4, dimensions=3, x_low=-2.0, x_high=-1.0, w_low=1, w_high=3
    )
    assert task.train.inputs.shape == (32, 9, 4)
    x, y = task.train.inputs[:, ::2, 1:], task.train.inputs[:, 1::2, 0]
    assert bool(((x >= -2) & (x <= -1)).all())
    answers = torch.cat([y, task.train.targets[:, -1:, 0]], dim=1)
    # Five pairs and three unknowns: a w that fits them all exists and lies within its bounds.
    w, *_ = np.linalg.lstsq(x[0].numpy(), answers[0].numpy(), rcond=None)
    assert np.allclose(x[0].numpy() @ w, answers[0].numpy())
    assert ((w >= 1) & (w <= 3)).all()
    assert len(task.input_labels) == len(task.output_labels) == 4
    net = Transformer(task.n_inputs, task.n_outputs, TransformerSpec(width=4))
    assert task.loss(net.respond(task.train), task.train).shape == (1,)


@pytest.mark.wrong_types
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": ["quadratic"]}, "unknown task 'quadratic'"),
        ({"examples": 4}, "at least 5, got 4"),
        ({"pairs": 0}, "pairs .* at least 1"),
        ({"dimensions": 1.0}, "dimensions .* got 1.0"),
        ({"x_low": 3.0}, "x_low must be below x_high"),
        ({"w_high": float("inf")}, "w_low must be below w_high"),
        ({"w_low": "low"}, "w_low must be below w_high"),
        ({"w_low": -1e308, "w_high": 1e308}, "at most 1e.06"),
        ({"every_pair": "maybe"}, "every_pair must be true or false, got 'maybe'"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_sequences_are_refused_in_one_line(options, message):
    with pytest.raises(InputError, match=message) as raised:
        in_context(**options)
    assert "\n" not in str(raised.value)
