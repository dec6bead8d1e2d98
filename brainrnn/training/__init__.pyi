"""Public names; `__init__.py` imports each when it is first used."""

from .checkpoint import load_checkpoint as load_checkpoint
from .checkpoint import save_checkpoint as save_checkpoint
from .loop import DivergedError as DivergedError
from .loop import Record as Record
from .loop import Trainer as Trainer
from .loop import TrainingSpec as TrainingSpec
from .loop import answer as answer
from .loop import train as train
from .pace import SlowTraining as SlowTraining
