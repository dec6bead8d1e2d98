"""Side-by-side measurements, each printing a ratio: ``python -m benchmarks [NAME]``."""

import brainrnn.waiting  # noqa: F401 - before anything that imports PyTorch

NAMES = (
    "tasks",
    "rnn_step",
    "train",
    "members",
    "members_token",
    "swap_mlp",
    "swap_rnn",
    "arrange",
    "permutation",
    "mnist_step",
    "plot",
)
