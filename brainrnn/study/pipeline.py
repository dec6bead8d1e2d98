"""Conduct a study: train its networks, measure each, and write the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path

from brainrnn.analysis import save
from brainrnn.config import as_toml, build, read_toml
from brainrnn.errors import InputError
from brainrnn.files import atomic_path, claim
from brainrnn.runs.experiment import suites
from brainrnn.runs.folder import InterruptedRun
from brainrnn.runs.versions import circumstances, note_versions, noted_versions
from brainrnn.study.answers import Answers, write_table
from brainrnn.study.conducting import conducting
from brainrnn.study.plan import Study
from brainrnn.study.provenance import Provenance
from brainrnn.study.report.page import write_report
from brainrnn.study.results import results
from brainrnn.study.search import ends, rounds
from brainrnn.study.shift import Shift
from brainrnn.study.subject import Cell
from brainrnn.study.workers import Place, processors


def conduct(
    study: Study,
    out: str | Path,
    *,
    on: Place = "local",
    workers: int | None = None,
    scheduler: str | None = None,
    slurm: Mapping[str, str] | None = None,
    dashboard: bool = False,
    progress: bool = True,
    report: str | Path | None = None,
    command: str = "",
) -> Path:
    """Train what is not trained yet, measure what is not measured yet, and write the report.

    ``out`` holds ``networks/``, a run folder for every trained network, which all studies in
    ``out`` share; and a folder of the study's name with ``study.toml``, ``answers/`` (those of
    every network), ``networks.csv`` and ``items.csv`` (those of all), the tables, ``figures/`` and
    ``README.md``; of a sweep also ``results.nc`` (:func:`results`). Called again it goes on where
    it was stopped.

    Parameters
    ----------
    study : Study
    out : path
    on : {"local", "serial", "dask", "slurm"}
        Where networks are trained and measured: in processes of this machine; in this process, one
        after the other; on the workers of a Dask scheduler; in jobs of a Slurm cluster.
    workers : int, optional
        For ``local``: networks at once, each on one thread; as many as there are processors by
        default. For ``slurm``: Slurm jobs at once, each on one thread; 8 by default.
    scheduler : str, optional
        For ``dask``: the address of the scheduler.
    slurm : mapping, optional
        For ``slurm``: options of ``sbatch``, such as ``{"partition": "cpu", "time": "2:00:00"}``.
    dashboard : bool
        For ``dask``: whether to say where its dashboard is.
    progress : bool
        Whether to show how far the study is: which network is where, and the time that is left.
    report : path, optional
        A folder that gets a copy of the answers, the tables, the figures (PNG) and the report.
        :func:`write_report` makes the report again from either folder.
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
    out = Path(out).absolute()  # workers may have other working directories
    folder, networks, answers = out / study.name, out / "networks", out / study.name / "answers"
    each_round = rounds(study, answers)
    first = next(each_round)
    study.measure.check([*first, *ends(study)])
    if report:
        _make(Path(report))
    offered = suites().get(study.experiment.task.suite)
    with conducting(
        out,
        on=on,
        workers=workers,
        scheduler=scheduler,
        slurm=slurm,
        dashboard=dashboard,
        preload=[offered.module] if offered else [],
    ) as (crew, lamp, stop):
        with claim(lamp.path.parent, f"study-{study.name}", patience=60):
            _keep_to(study, folder)  # of two that begin together one writes it
        cells: list[Cell] = []
        for now in chain([first], each_round):
            shift = Shift(study, now, out, crew, lamp, stop)
            shift.work(progress=progress)
            cells += now
            if shift.stopped:
                break
    if shift.stopped:
        raise InterruptedRun(
            f"stopped, continue with the same command; everything is in {out}", shift.request
        )
    trainings = {cell.training for cell in cells if cell.trained}
    found = Answers.collect(answers, cells)
    portraits = study.measure.portraits(folder / "networks", cells)
    found.write(folder)
    if study.measure.dataset:
        save(results(folder), folder / "results.nc")
    for name, table in portraits.items():
        write_table(table, folder / f"{name}.csv")
    tables = {"networks": found.networks, "items": found.items} | portraits
    Provenance(
        command=command,
        processors=processors(),
        rows={name: len(table) for name, table in tables.items()},
        others=_other_versions(networks / name for name in trainings),
    ).write(folder)
    note_versions(folder)
    page = write_report(folder, folder)
    return write_report(folder, Path(report), formats=("png",)) if report else page


def _keep_to(study: Study, folder: Path) -> None:
    """Write down what the study is before it begins, and refuse to go on with another."""
    plan = folder / "study.toml"
    if plan.is_file():
        try:
            before = build(Study, read_toml(plan))
        except InputError as error:
            raise InputError(
                f"{plan} is damaged, or of another version ({error}): choose another --out, or "
                "delete that folder; networks that are the same are not trained again"
            ) from None
        if before != study:
            raise InputError(
                f"{folder} holds a study with other settings (study.toml): choose another --out, "
                "or delete that folder; networks that are the same are not trained again"
            )
        return
    with atomic_path(plan) as temporary:
        temporary.write_text(as_toml(study), encoding="utf-8")


def _make(folder: Path) -> None:
    """Make a folder now, rather than find after hours that it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot write {folder}: {error.strerror or error}; choose another --report"
        ) from None


def _other_versions(networks: Iterable[Path]) -> list[str]:
    """Versions and instructions that networks were trained with and that are not these."""
    there = [path for path in networks if (path / "versions.json").exists()]  # or were deleted
    found = map(noted_versions, there)
    now = circumstances().items()
    return sorted({f"{name} {number}" for one in found for name, number in one.items() - now})
