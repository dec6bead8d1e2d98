"""Conduct a study: train its networks, measure each, and write the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from brainrnn.config import as_toml, build, read_toml
from brainrnn.errors import InputError
from brainrnn.files import atomic_path
from brainrnn.progress import FleetBar, fleet_bar
from brainrnn.runs.experiment import suites
from brainrnn.runs.folder import InterruptedRun, Run
from brainrnn.runs.stopping import stop_requests
from brainrnn.runs.versions import note_versions, versions
from brainrnn.study.answers import Answers, is_answered, write_table
from brainrnn.study.fleet import Fleet, link, processors
from brainrnn.study.plan import Study
from brainrnn.study.provenance import Provenance
from brainrnn.study.report import write_report
from brainrnn.study.subject import Cell, make_subject
from brainrnn.training.loop import Record


def conduct(
    study: Study,
    out: str | Path,
    *,
    workers: int | None = None,
    progress: bool = True,
    report: str | Path | None = None,
    command: str = "",
) -> Path:
    """Train what is not trained yet, measure what is not measured yet, and write the report.

    ``out`` holds ``networks/``, a run folder for every trained network, which all studies in
    ``out`` share; and a folder of the study's name with ``study.toml``, ``answers/`` (those of
    every network), ``networks.csv`` and ``items.csv`` (those of all), the tables, ``figures/`` and
    ``README.md``. Called again it goes on where it was stopped.

    Parameters
    ----------
    study : Study
    out : path
    workers : int, optional
        Networks at once, each on one thread; as many as there are processors by default.
    progress : bool
        Whether to show progress bars.
    report : path, optional
        A folder that gets a copy of the answers, the tables, the figures (PNG) and the report.
        :func:`rebuild` makes the report again from either folder.
    command : str
        What the report says it was made by.

    Returns
    -------
    path
        The report.

    Raises
    ------
    InputError
        If the folder holds a study of this name with other settings, or a network cannot be built,
        or cannot be asked what the study asks.
    InterruptedRun
        On Ctrl-C or a request to terminate; everything is saved.
    DivergedError
        If the loss of a network is not finite.

    Examples
    --------
    >>> from brainrnn.study import load_study
    >>> study = load_study("growing_brains", ["seeds=[1, 2]", "experiment.training.steps=500"])
    >>> page = conduct(study, "runs/studies", workers=2)  # doctest: +SKIP
    """
    folder, networks = Path(out) / study.name, Path(out) / "networks"
    cells = study.cells()
    study.measure.check(cells)
    _keep_to(study, folder)
    offered = suites().get(study.experiment.task.suite)
    fleet: Fleet[None] = Fleet(workers or processors(), preload=[offered.module] if offered else [])
    trainings = {cell.training: cell for cell in cells if cell.trained}
    with stop_requests() as stop:
        again = f"continue with the same command; everything so far is in {out}"

        def all_of(what: Callable[..., None], jobs: list[tuple[Any, ...]], bar: FleetBar) -> None:
            for _ in fleet.run(what, jobs, report=bar.update, stopping=lambda: bool(stop)):
                pass
            if stop:
                raise InterruptedRun(f"stopped, {again}")

        untrained = [cell for name, cell in trainings.items() if not _trained(networks / name)]
        total = sum(cell.experiment.training.steps for cell in untrained)
        with fleet_bar("training", total, "step", enabled=progress) as bar:
            all_of(_train, [(cell, networks) for cell in untrained], bar)
        answers = folder / "answers"
        unmeasured = [cell for cell in cells if not is_answered(answers, cell)]
        with fleet_bar("measuring", len(unmeasured), "network", enabled=progress) as bar:
            all_of(_measure, [(study, cell, networks, folder) for cell in unmeasured], bar)
    Answers.collect(answers, cells).write(folder)
    for name, table in study.measure.portraits(folder / "networks", cells).items():
        write_table(table, folder / f"{name}.csv")
    others = _other_versions(networks / name for name in trainings)
    Provenance(command=command, processors=processors(), others=others).write(folder)
    note_versions(folder)
    page = write_report(folder, folder)
    return write_report(folder, Path(report), formats=("png",)) if report else page


def _keep_to(study: Study, folder: Path) -> None:
    """Write down what the study is before it begins, and refuse to go on with another."""
    plan = folder / "study.toml"
    if plan.is_file():
        before: Study | None = None
        with suppress(InputError):  # of another version
            before = build(Study, read_toml(plan))
        if before != study:
            raise InputError(
                f"{folder} holds a study with other settings (study.toml): choose another --out, "
                "or delete that folder; networks that are the same are not trained again"
            )
        return
    with atomic_path(plan) as temporary:
        temporary.write_text(as_toml(study), encoding="utf-8")


def _other_versions(networks: Iterable[Path]) -> list[str]:
    """Versions that networks, which may be older, were trained with and that are not these."""
    found = [json.loads((path / "versions.json").read_text(encoding="utf-8")) for path in networks]
    now = versions().items()
    return sorted({f"{name} {number}" for one in found for name, number in one.items() - now})


def _trained(path: Path) -> bool:
    return (path / "finished").is_file()


def _train(cell: Cell, networks: Path) -> None:
    """Train one network to its last step, from its last checkpoint if there is one."""
    path, worker = networks / cell.training, link()
    has_begun = (path / "config.toml").is_file()
    run = Run.open(path) if has_begun else Run.create(path, cell.experiment)
    before = 0

    def watch(record: Record) -> bool:
        nonlocal before
        if record.metrics or record.step - before >= 20:
            worker.report((cell.name, record.step - before, record.metrics))
            before = record.step
        return worker.stopped

    with suppress(InterruptedRun):
        run.train(progress=False, callback=watch)
        with atomic_path(path / "finished") as temporary:
            temporary.write_text("", encoding="utf-8")


def _measure(study: Study, cell: Cell, networks: Path, folder: Path) -> None:
    """Ask one network, and keep its answer."""
    if link().stopped:
        return
    subject = make_subject(cell, networks, folder / "networks")
    study.measure.answer(subject).write(folder / "answers", cell)
    link().report((cell.name, 1, []))
