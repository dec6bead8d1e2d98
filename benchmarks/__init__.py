"""Side-by-side measurements, each printing a ratio: ``python -m benchmarks [NAME]``."""

NAMES = (
    "tasks",
    "rnn_step",
    "sparse_step",
    "train",
    "members",
    "members_token",
    "together",
    "swap_mlp",
    "swap_rnn",
    "arrange",
    "permutation",
    "mnist_step",
    "plot",
)
