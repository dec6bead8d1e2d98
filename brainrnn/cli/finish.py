"""What ``train`` and ``resume`` share: a run goes on to its last step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from brainrnn.files import remove_left_over

if TYPE_CHECKING:
    from brainrnn.runs import Run


def finish(run: Run, *, quiet: bool) -> None:
    """Train a run to its last step, and say how well it does and what to type next."""
    trainer = run.trainer
    if run.finished:
        remove_left_over(run.path)
        click.echo(
            f"{run.path} has already reached its last step, {trainer.step}. To train it further: "
            f"brainrnn resume {run.path} training.steps={2 * trainer.step}"
        )
        return
    run.train(progress=not quiet)
    loss, score = trainer.evaluate()
    accuracy = score.mean(1)
    if accuracy.isnan().all():
        result = "test loss " + ", ".join(f"{value:.3g}" for value in loss.tolist())
    else:
        result = "accuracy " + ", ".join(f"{value:.3f}" for value in accuracy.tolist())
        ceiling = float(run.suite.ceiling().mean())
        result += f" (best possible {ceiling:.3f})" if math.isfinite(ceiling) else ""
    click.echo(f"Trained {trainer.step} steps; {result}. Run folder: {run.path}")
    click.echo(f"Next: brainrnn analyse {run.path} && brainrnn plot {run.path}")
