"""What may still change in a run: how long it trains, how often it is looked at, its analysis."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from brainrnn.config import as_toml, build, override
from brainrnn.errors import InputError
from brainrnn.files import atomic_path
from brainrnn.runs.experiment import Experiment
from brainrnn.runs.folder import MAY_CHANGE, Run


def changed(
    experiment: Experiment, assignments: Iterable[str], keys: tuple[str, ...]
) -> Experiment:
    """The experiment with other values of some keys.

    Parameters
    ----------
    experiment : Experiment
    assignments : iterable of str
        ``section.key=value``, the value as in TOML.
    keys : tuple of str
        The keys, or whole sections, that may change.

    Raises
    ------
    InputError
        If another key is assigned, or a value is wrong.

    Examples
    --------
    >>> changed(Experiment(), ["analysis.k=10"], ("analysis",)).analysis.k
    10
    """
    assignments = list(assignments)
    for assignment in assignments:
        key = assignment.partition("=")[0].strip()
        if not any(key == known or key.startswith(f"{known}.") for known in keys):
            raise InputError(
                f"cannot change {key!r} of a run: only {', '.join(keys)} may change, for example "
                "analysis.k=10; to change anything else, train again into a new folder"
            )
    return build(Experiment, override(experiment.model_dump(exclude_none=True), assignments))


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
    done, steps = run.trainer.step, new.training.steps
    if steps < done:
        raise InputError(
            f"training.steps={steps} is too few: {path} has done {done} already; give more"
        )
    notes = [line for line in _head(run.config) if line.startswith("#")]
    if steps != run.experiment.training.steps:
        before = run.experiment.training.steps
        notes.append(f"# At step {done}, training.steps = {before} became {steps}.")
    with atomic_path(run.config) as temporary:
        temporary.write_text("\n".join([*notes, as_toml(new)]), encoding="utf-8")


def _head(config: Path) -> list[str]:
    return config.read_text(encoding="utf-8").splitlines()
