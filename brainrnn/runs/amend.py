"""A run that has begun gets other values of what may change, more training steps above all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from brainrnn.config import as_toml
from brainrnn.errors import InputError
from brainrnn.files import atomic_path
from brainrnn.runs.changes import MAY_CHANGE, changed
from brainrnn.runs.folder import Run


def amend(path: str | Path, assignments: Iterable[str]) -> None:
    """Write other values of a run's configuration into its folder.

    ``training.steps`` may grow, so that :meth:`Run.train` trains the network further. Whatever
    depends on the fraction of training then follows the new length: the decay of the learning
    rate, the schedule of the strength, the step from which biases pay. The head of config.toml
    notes at which step that was.

    Parameters
    ----------
    path : str or Path
        The run folder.
    assignments : iterable of str
        ``section.key=value``; of ``training`` the steps and the intervals, and all of ``analysis``.

    Raises
    ------
    InputError
        If there is no such run, another key is assigned, or the run has done more steps already.

    Examples
    --------
    >>> import tempfile
    >>> import brainrnn as br
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> experiment = br.runs.Experiment(
    ...     task={"names": ["go"]}, network={"shape": [3, 3]}, training={"steps": 2, "batch": 4}
    ... )
    >>> br.Run.create(folder, experiment).train(progress=False)
    >>> amend(folder, ["training.steps=3"])
    >>> br.load(folder).train(progress=False)
    >>> br.load(folder).trainer.step
    3
    """
    run = Run.open(path)
    new = changed(run.experiment, assignments, MAY_CHANGE)
    done, steps = run.saved_step, new.training.steps
    if steps < done:
        raise InputError(
            f"training.steps={steps} is too few: {path} has done {done} already; give more"
        )
    text = as_toml(new)
    notes = [line for line in run.config.read_text("utf-8").splitlines() if line.startswith("#")]
    before = run.experiment.training.steps
    if steps != before:
        notes.append(f"# At step {done}, training.steps = {before} became {steps}.")
    with run.claimed(), atomic_path(run.config) as temporary:
        temporary.write_text("\n".join([*notes, text]), encoding="utf-8")
