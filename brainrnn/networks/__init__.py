"""Networks whose neurons have places. None of them knows of costs or swaps."""

from brainrnn.networks.rnn import RNN

__all__ = ["RNN"]
