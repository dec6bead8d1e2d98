import dataclasses

import numpy as np
import pytest
import torch

from brainrnn.errors import InputError
from brainrnn.task import Examples
from paper_mlp.regression.names import stage_name, token_names
from paper_mlp.regression.sequences import first_x, weight_scalar
from tasks import formulas, in_context
from tests.paper_mlp.regression.handmade import TASK


def test_the_weight_scalar_is_that_of_the_answers():
    for pairs in (1, 3):
        task = in_context(examples=50, pairs=pairs, w_low=2.0, w_high=5.0)
        w = weight_scalar(task, task.train)
        shown, answers = task.train.inputs.numpy(), task.train.targets.numpy()
        np.testing.assert_allclose(w * shown[:, -1, 1], answers[:, -1, 0])
        assert w.min() > 2
        assert w.max() < 5
        assert len(weight_scalar(task, task.test)) == len(task.test)


def test_the_first_x_has_a_size():
    inputs = torch.tensor([[[0, -3.0], [7, 0], [0, 5]]])
    task = dataclasses.replace(TASK, test=Examples(inputs, inputs))
    assert first_x(task, task.test).tolist() == [3]
    vectors = torch.tensor([[[0, 3.0, 4], [7, 0, 0], [0, 5, 5]]])
    assert first_x(task, Examples(vectors, vectors)).tolist() == [5]


def test_what_does_not_tell_w():
    with pytest.raises(InputError, match="not one of 2 dimensions"):
        weight_scalar(in_context(examples=5, dimensions=2), TASK.test)
    nothing = TASK.test.inputs.clone()
    nothing[:3, 0, 1] = 0
    with pytest.raises(InputError, match="3 sequences have x_1 = 0"):
        weight_scalar(TASK, Examples(nothing, TASK.test.targets))
    for function in (first_x, weight_scalar):
        with pytest.raises(InputError, match="in-context regression, 'linear', got 'products'"):
            function(formulas(["products"]), TASK.test)


def test_names_are_the_papers():
    names = {"input": "input", "stream0": "Embed", "heads1": "Atn1", "stream2": "Res2"}
    names |= {"mlp2": "MLP2", "stream11": "Res11", "out": "output", "h1": "h1"}
    assert {stage: stage_name(stage) for stage in names} == names
    assert token_names(TASK) == ["x_1", "y_1", "x"]
    assert token_names(in_context(examples=5, pairs=2)) == ["x_1", "y_1", "x_2", "y_2", "x"]
