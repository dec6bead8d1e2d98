"""Brain-inspired modular training in Hugging Face's Trainer; needs ``brainrnn[transformers]``."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from brainrnn.anatomy.module import PlacedModule
from brainrnn.files import atomic_path
from brainrnn.wiring_cost.method import BIMT


class PlacedTraining(TrainerCallback):
    """Lets Hugging Face's ``Trainer`` pay for the wiring of a placed network, and swap its neurons.

    The penalty's gradient is added just before the optimizer's step, after gradients are clipped;
    the Trainer's logs show the loss without it. Each of its checkpoints gets a file ``places.pt``,
    from which a resumed training goes on.

    Parameters
    ----------
    placed : PlacedModule
        The Trainer's model, or any part of it, placed by :func:`brainrnn.place`.
    method : BIMT

    Examples
    --------
    ::

        placed = br.place(model, br.line, wiring)
        trainer = Trainer(model, args, callbacks=[PlacedTraining(placed, br.BIMT(strength=1e-3))])
    """

    def __init__(self, placed: PlacedModule, method: BIMT) -> None:
        self.placed, self.method = placed, method

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Put every neuron where it was at the checkpoint that training goes on from."""
        if not state.global_step:
            return
        places = _file(args, state)
        if places.is_file():
            self.placed.load_state_dict(torch.load(places, weights_only=True))
        elif self.placed.step != state.global_step:
            warnings.warn(
                f"no file {places}, so that neurons stay where they are: load the places of the "
                "checkpoint with placed.load_state_dict before training goes on",
                stacklevel=2,
            )

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Add the penalty's gradient."""
        self.method.add_gradient(self.placed, progress=state.global_step / state.max_steps)

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Shrink weights and swap neurons."""
        progress = state.global_step / state.max_steps
        self.placed.after_step(kwargs["optimizer"], self.method, progress=progress)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Write the places beside the checkpoint's weights."""
        with atomic_path(_file(args, state)) as temporary:
            torch.save(self.placed.state_dict(), temporary)


def _file(args: TrainingArguments, state: TrainerState) -> Path:
    return Path(args.output_dir or ".") / f"checkpoint-{state.global_step}" / "places.pt"
