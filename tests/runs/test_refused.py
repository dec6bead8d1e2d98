"""What is not of the network as it is now, or is not a number, is not shown."""

import pytest
import torch

import brainrnn as br
from brainrnn.analysis import assess
from brainrnn.errors import DivergedError, InputError
from brainrnn.training.loop import Trainer, TrainingSpec
from tasks import cog20, two_moons
from tests.commands import brainrnn, one_line

SMALL = [
    *('task.names=["go","dm1"]', "network.shape=[3,3]", "training.steps=2", "training.batch=4"),
    *("training.evaluation_trials=2", "analysis.trials=4", "analysis.accuracy_trials=2"),
    *("analysis.permutations=20", "analysis.k_range=[2,3]", "--quiet"),
]


def _trained(folder, *options):
    assert brainrnn("train", "quick", *SMALL, *options, "--out", folder)[0] == 0
    return folder


def test_no_picture_of_an_analysis_that_is_not_of_the_checkpoint(tmp_path):
    """Neither of an earlier step, nor of another network."""
    run = _trained(tmp_path / "run")
    assert brainrnn("analyse", run)[0] == 0
    earlier = (run / "analysis.nc").read_bytes()
    assert brainrnn("resume", run, "training.steps=3", "--quiet")[0] == 0
    one_line(brainrnn("plot", run), "of step 2", "checkpoint of step 3", "brainrnn analyse")
    other = _trained(tmp_path / "other", "seed=5")
    (other / "analysis.nc").write_bytes(earlier)
    one_line(brainrnn("plot", other), "another network")
    for folder in (run, other):
        assert not (folder / "figures").exists()


@pytest.mark.parametrize("size", [1e20, float("nan")])
def test_an_evaluation_looks_whether_the_loss_is_a_number(size):
    suite = cog20(names=["go", "dm1"])
    trainer = Trainer(
        br.RNN.for_suite(suite, sites=br.grid(3, 3)),
        suite,
        br.BIMT(),
        TrainingSpec(batch=4, evaluation_trials=2),
    )
    with torch.no_grad():
        trainer.net.w_rec.fill_(size)
    with pytest.raises(DivergedError, match="loss on held-out trials of member 0 is not finite"):
        trainer.evaluate()


def test_so_does_the_assessment_of_a_perceptron():
    task = two_moons()
    net = br.MLP.on_lines(2, 2, br.MLPSpec(hidden=(4,)), members=2)
    with torch.no_grad():
        net.fc0.weight[1] = 1e38
    with pytest.raises(InputError, match="train loss is not finite"):
        assess(net, task)
