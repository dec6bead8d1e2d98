"""The experiments of "Seeing Is Believing: Brain-Inspired Modular Training", reproduced."""

import brainrnn.waiting  # noqa: F401 - before anything that imports PyTorch
