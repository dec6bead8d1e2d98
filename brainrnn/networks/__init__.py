"""Networks whose neurons have places. None of them knows of costs or swaps."""

from brainrnn.networks.rnn import RNN, RNNSpec

__all__ = ["RNN", "RNNSpec"]
