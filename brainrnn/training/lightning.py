"""Brain-inspired modular training in PyTorch Lightning; needs ``brainrnn[lightning]``."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from torch.optim import Optimizer

from brainrnn.anatomy.module import PlacedModule
from brainrnn.wiring_cost.method import BIMT


class PlacedTraining(Callback):
    """Lets a Lightning ``Trainer`` pay for the wiring of a placed network, and swap its neurons.

    The penalty's gradient is added just before the optimizer's step; Lightning's logs show the
    loss without it. Places are saved in Lightning's checkpoints, and come back with them.

    Parameters
    ----------
    placed : PlacedModule
        The Lightning module, or any part of it, placed by :func:`brainrnn.place`.
    method : BIMT

    Examples
    --------
    ::

        placed = br.place(module.net, br.grid(8, 8))
        trainer = lightning.Trainer(callbacks=[PlacedTraining(placed, br.BIMT(strength=1e-3))])
    """

    def __init__(self, placed: PlacedModule, method: BIMT) -> None:
        self.placed, self.method = placed, method
        self._seen = 0  # steps of the trainer, which may not be those of the places

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count from where this training starts."""
        self._seen = trainer.global_step

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        """Add the penalty's gradient."""
        self.method.add_gradient(self.placed, progress=_progress(trainer, trainer.global_step))

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Shrink weights and swap neurons, if the optimizer has taken a step."""
        if trainer.global_step > self._seen:
            self._seen = trainer.global_step
            progress = _progress(trainer, trainer.global_step - 1)
            self.placed.after_step(trainer.optimizers[0], self.method, progress=progress)

    def state_dict(self) -> dict[str, Tensor]:
        """Who sits where."""
        return self.placed.state_dict()

    def load_state_dict(self, state_dict: dict[str, Tensor]) -> None:
        """Put every neuron where it was."""
        self.placed.load_state_dict(state_dict)


def _progress(trainer: Trainer, step: int) -> float:
    return min(1.0, step / trainer.estimated_stepping_batches)
