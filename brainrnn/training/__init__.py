"""The training loop, the flat parameters beneath it, and what is saved of it."""

from brainrnn.training.checkpoint import load_checkpoint, save_checkpoint
from brainrnn.training.loop import DivergedError, Record, Trainer, TrainingSpec, answer, train

__all__ = [
    "DivergedError",
    "Record",
    "Trainer",
    "TrainingSpec",
    "answer",
    "load_checkpoint",
    "save_checkpoint",
    "train",
]
