"""A network that others have trained, placed afterwards: a speaker encoder (Resemblyzer's LSTM).

`make test-pretrained` fetches the package, whose weights come with it.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import brainrnn as br

FOUND = importlib.util.find_spec("resemblyzer")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(FOUND is None, reason="needs resemblyzer: make test-pretrained"),
]
MELS = 40


class Encoder(nn.Module):
    """The published network: three LSTM layers, and a linear one onto the embedding."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(MELS, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def forward(self, mels):
        return torch.relu(self.linear(self.lstm(mels)[0][:, -1]))


@pytest.fixture(scope="module")
def encoder():
    state = torch.load(Path(FOUND.origin).parent / "pretrained.pt", "cpu", weights_only=True)
    model = Encoder()
    weights = {k: v for k, v in state["model_state"].items() if k in model.state_dict()}
    model.load_state_dict(weights)
    return model.eval()


@pytest.fixture(scope="module")
def placed(encoder):
    wiring = br.anatomy.infer_wiring(encoder.lstm).patterns
    wiring = {f"lstm.{name}": p.replace("input", "_") for name, p in wiring.items()}
    sites = {f"hidden{i}": br.grid(16, 16) for i in (1, 2, 3)}
    return br.place(encoder, sites, {**wiring, "linear.weight": "_ hidden3"})


def sounds(pitch, n, rng):
    """Mel energies of harmonic tones, (sound, time, mel), as the encoder hears them."""
    mel = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), MELS)
    frequency = 700 * (10 ** (mel / 2595) - 1)
    f0 = pitch * np.exp(0.1 * rng.standard_normal((n, 1)))
    harmonics = f0 * np.arange(1, 40)  # (sound, harmonic)
    near = np.exp(-(((frequency - harmonics[..., None]) / 60) ** 2)).sum(1)  # (sound, mel)
    tilt = np.exp(-frequency / 2000)
    energy = (near * tilt)[:, None] * (0.5 + rng.random((n, 60, 1)))
    return torch.from_numpy(1e-2 * energy).float()


def test_placement_shortens_the_wiring_and_keeps_the_function(encoder, placed):
    sound = sounds(150.0, 4, np.random.default_rng(0))
    said = encoder(sound).clone()
    before = br.connection_cost(placed, br.CostSpec(offset=0.0))
    spec = br.SwapSpec(algorithm="descent")
    for _ in range(3):  # each layer looks for places beside the others'
        moves = br.relocate(placed, br.CostSpec(), spec)
    after = br.connection_cost(placed, br.CostSpec(offset=0.0))
    assert float(after.detach()) < 0.97 * float(before.detach())
    assert int(moves) < 3 * 256
    assert torch.equal(encoder(sound), said)


def test_its_map_is_tested(encoder, placed):
    rng = np.random.default_rng(1)
    activity = {
        f"{pitch} Hz": encoder.lstm(sounds(pitch, 40, rng))[0].detach()
        for pitch in (90, 130, 180, 250)
    }
    brain = br.analyse_recorded(
        positions=placed.anatomy.positions("hidden3")[0],
        activity=activity,
        weights=placed.wired("lstm.weight_hh_l2").detach()[0, :256],
        spec=br.AnalysisSpec(k_range=(3, 8), permutations=2000),
    )
    assert int(brain.active.sum()) > 100
    assert 3 <= int(brain.clusters[0]) <= 8
    assert ((brain.p > 0) & (brain.p <= 1)).all()
    print(br.summary(brain))
    scattered = br.analyse_recorded(
        positions=br.grid(16, 16)[torch.randperm(256, generator=torch.Generator().manual_seed(0))],
        modules=brain.module[0],
        active=brain.active[0],
        spec=br.AnalysisSpec(permutations=2000),
    )
    assert (scattered.p > 0.001).all()  # places that know nothing of the modules
