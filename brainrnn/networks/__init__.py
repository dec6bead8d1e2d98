"""Networks whose neurons have places. None of them knows of costs or swaps."""

from brainrnn.networks.mlp import MLP, MLPSpec
from brainrnn.networks.rnn import RNN, RNNSpec

__all__ = ["MLP", "RNN", "MLPSpec", "RNNSpec"]
