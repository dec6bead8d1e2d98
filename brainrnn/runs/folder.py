"""A run folder: resolved configuration, versions, metrics, checkpoint, analysis, figures."""

from __future__ import annotations

import json
import platform
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import xarray as xr

from brainrnn.analysis import AnalysisSpec, analyse, assess, load, map_statistics, save
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.config import as_toml, read_toml
from brainrnn.errors import InputError
from brainrnn.files import atomic_path
from brainrnn.networks import RNN
from brainrnn.plots import draw_all, draw_graphs, draw_statistics
from brainrnn.progress import progress_bar
from brainrnn.runs.experiment import Experiment, build, build_network, load_suite, on_device
from brainrnn.task import Suite, Task, Trials
from brainrnn.training.checkpoint import fingerprint, load_checkpoint, save_checkpoint
from brainrnn.training.loop import DivergedError, Record, Trainer
from brainrnn.training.snapshots import load_snapshot, save_snapshot
from brainrnn.wiring_cost.cost import connection_cost

_PACKAGES = ("brainrnn", "torch", "numpy", "scipy", "scikit-learn", "neurogym", "xarray")


class InterruptedRun(Exception):
    """Training was asked to stop; everything is saved."""


class Run:
    """One experiment and its results in a folder.

    Create one with :meth:`create`, or :meth:`open` one that exists. The folder holds config.toml,
    versions.json, metrics.csv, checkpoint.pt, analysis.nc and figures/; trials.csv where tasks
    unfold in time; statistics.nc and snapshots/ where they were asked for.
    """

    def __init__(self, path: Path, experiment: Experiment) -> None:
        self.path, self.experiment = path, experiment

    @classmethod
    def create(cls, path: str | Path, experiment: Experiment) -> Run:
        """Start a run in a new folder.

        Raises
        ------
        InputError
            If the folder already holds something, cannot be written, or the experiment cannot be
            built; nothing is written then.
        """
        run = cls(Path(path), experiment)
        if run._config.is_file():
            raise InputError(
                f"{path} already holds a run: choose another --out, or continue it with "
                f"`brainrnn resume {path}`"
            )
        if run.path.exists() and (not run.path.is_dir() or any(run.path.iterdir())):
            raise InputError(f"{path} exists and is not an empty folder: choose another --out")
        _ = run.trainer  # an experiment that cannot be built leaves nothing behind
        with atomic_path(run._config) as temporary:
            temporary.write_text(as_toml(experiment), encoding="utf-8")
        return run

    @classmethod
    def open(cls, path: str | Path, *, device: str | None = None) -> Run:
        """Open a run that was created before, on its own device or on another.

        Raises
        ------
        InputError
            If there is no run in the folder, or its configuration is damaged.
        """
        run = Path(path)
        if not (run / "config.toml").is_file():
            raise InputError(
                f"no run in {path}: expected a folder made by `brainrnn train CONFIG --out {path}`"
            )
        experiment = build(Experiment, read_toml(run / "config.toml"))
        return cls(run, on_device(experiment, device))

    @property
    def _config(self) -> Path:
        return self.path / "config.toml"

    @property
    def checkpoint(self) -> Path:
        """The last state of training."""
        return self.path / "checkpoint.pt"

    @property
    def _snapshots(self) -> Path:
        return self.path / "snapshots"

    def evolution(self) -> Iterator[tuple[int, PlacedNetwork]]:
        """The network at every snapshot so far: (steps done, network), from the first on."""
        for path in sorted(self._snapshots.glob("[0-9]*.npz")):
            yield load_snapshot(path, self._net)

    @cached_property
    def suite(self) -> Task:
        """The tasks of the experiment."""
        return load_suite(self.experiment.task)

    @property
    def unfolds(self) -> bool:
        """Whether the tasks unfold in time, so that the network is a recurrent one."""
        return isinstance(self.suite, Suite)

    @property
    def net(self) -> PlacedNetwork:
        """The network at the last checkpoint, or untrained if there is none."""
        _ = self.trainer
        return self._net

    @cached_property
    def _net(self) -> PlacedNetwork:
        spec, seed = self.experiment.network, self.experiment.seed
        return build_network(spec, self.suite, seed=seed, device=self.experiment.device)

    @cached_property
    def trainer(self) -> Trainer:
        """The network in training, at the last checkpoint if there is one."""
        experiment = self.experiment
        trainer = Trainer(
            self._net, self.suite, experiment.method, experiment.training, seed=experiment.seed
        )
        if self._saved is not None:
            trainer.load_state_dict(self._saved["training"])
        return trainer

    @cached_property
    def _saved(self) -> dict[str, Any] | None:
        """The checkpoint as it was when the run was opened."""
        if not self.checkpoint.exists():
            return None
        saved = load_checkpoint(self.checkpoint)
        self._check_same_experiment(saved["experiment"])
        return saved

    def _check_same_experiment(self, saved: dict[str, Any]) -> None:
        """Refuse a checkpoint that another experiment has left; its analysis may differ."""
        try:
            other = build(Experiment, saved)
        except InputError as error:
            raise InputError(
                f"{self.checkpoint} was written by another version of brainrnn ({error}); train "
                "again into a new folder"
            ) from None
        for section in self._identity():
            if getattr(other, section) != getattr(self.experiment, section):
                raise InputError(
                    f"{self.checkpoint} belongs to another experiment: its {section} differs from "
                    f"that in {self._config}; train again into a new folder"
                )

    def _identity(self) -> dict[str, Any]:
        return self.experiment.model_dump(mode="json", exclude={"analysis", "device"})

    def metrics(self) -> pd.DataFrame:
        """The training metrics up to the last checkpoint, a row per logged step and member."""
        return pd.DataFrame(self._rows)

    @cached_property
    def _rows(self) -> list[dict[str, float]]:
        return list(self._saved["metrics"]) if self._saved is not None else []

    @property
    def finished(self) -> bool:
        """Whether training has reached its last step."""
        return self.trainer.step >= self.experiment.training.steps

    def train(
        self, *, progress: bool = True, watch: Callable[[Record], bool] | None = None
    ) -> None:
        """Train from the last checkpoint to the last step, saving on the way.

        ``watch`` is called after every step; training stops, as on Ctrl-C, once it returns True.

        Raises
        ------
        InterruptedRun
            On Ctrl-C or a request to terminate, after saving.
        DivergedError
            If the loss is not finite; the last checkpoint stays.
        """
        trainer, spec = self.trainer, self.experiment.training
        rows = self._rows
        if spec.snapshot_every and trainer.step == 0:
            save_snapshot(self._snapshots, self.net, 0)
        with (
            stop_requests() as stop,
            progress_bar(spec.steps, start=trainer.step, enabled=progress) as bar,
        ):
            self._describe()
            try:
                for record in trainer.records():
                    rows += record.metrics
                    bar.update(record.step, record.metrics)
                    last = record.step == spec.steps
                    stopped = bool(stop) or (watch is not None and watch(record))
                    if spec.snapshot_every and (last or record.step % spec.snapshot_every == 0):
                        save_snapshot(self._snapshots, self.net, record.step)
                    if stopped or last or record.step % spec.checkpoint_every == 0:
                        self._save()
                    if stopped and not last:
                        raise InterruptedRun(
                            f"stopped at step {record.step} of {spec.steps}, everything is saved; "
                            f"continue with `brainrnn resume {self.path}`"
                        )
            except DivergedError as error:
                kept = (
                    f"the last good checkpoint is {self.checkpoint}"
                    if self.checkpoint.exists()
                    else "there is no checkpoint yet"
                )
                raise DivergedError(f"{error}; {kept}") from None

    def _save(self) -> None:
        # The checkpoint holds the metrics too, so that a resumed run continues them exactly; it
        # comes last, so that a finished run is never left with an unfinished table.
        with atomic_path(self.path / "metrics.csv") as temporary:
            pd.DataFrame(self._rows).to_csv(temporary, index=False)
        save_checkpoint(
            self.checkpoint,
            {
                "experiment": self._identity(),
                "training": self.trainer.state_dict(),
                "metrics": self._rows,
            },
        )

    def _describe(self) -> None:
        """Note the versions in use, and what the trials are like."""
        note_versions(self.path)
        trials = self.trainer.held_out
        if isinstance(self.suite, Suite) and isinstance(trials, Trials):
            with atomic_path(self.path / "trials.csv") as temporary:
                _trial_table(self.suite, trials).to_csv(temporary, index=False)

    def analysed(self) -> xr.Dataset | None:
        """The analysis that was made of the last checkpoint, if one was."""
        with suppress(InputError):  # none yet, or damaged
            analysis = load(self.path / "analysis.nc")
            if analysis.attrs.get("network") == fingerprint(self.net):
                return analysis
        return None

    def analyse(self, spec: AnalysisSpec | None = None, *, progress: bool = True) -> xr.Dataset:
        """Analyse the network at the last checkpoint and write analysis.nc.

        Of recurrent networks the map (:func:`brainrnn.analyse`, with ``spec``), of feed-forward
        ones :func:`brainrnn.analysis.assess`.

        Raises
        ------
        InputError
            If there is no checkpoint yet, or ``spec.k`` is more than any network can form.
        """
        if self.trainer.step == 0:
            raise InputError(f"no checkpoint in {self.path}: run `brainrnn resume {self.path}`")
        with torch.no_grad():
            cost = connection_cost(self.net, self.experiment.method)
        if not self.unfolds:
            brain = assess(self.net, self.suite, connection_cost=cost, progress=progress)
        else:
            assert isinstance(self.net, RNN)
            assert isinstance(self.suite, Suite)
            brain = analyse(
                self.net,
                self.suite,
                spec or self.experiment.analysis,
                seed=self.experiment.seed,
                connection_cost=cost,
            )
        brain.attrs["training_steps"] = self.trainer.step
        brain.attrs["network"] = fingerprint(self.net)
        save(brain, self.path / "analysis.nc")
        return brain

    def statistics(self) -> xr.Dataset:
        """Every other statistic of the analysed network's map; writes statistics.nc.

        See :func:`brainrnn.analysis.map_statistics`.

        Raises
        ------
        InputError
            If the network has not been analysed since its last checkpoint.
        """
        brain = self.analysed()
        if brain is None:
            raise InputError(
                f"no analysis of the last checkpoint in {self.path}: run `brainrnn analyse "
                f"{self.path}` first"
            )
        device = self.net.get_parameter("w_rec").device
        tested = map_statistics(brain, device=device)
        tested.attrs["network"] = brain.attrs["network"]
        save(tested, self.path / "statistics.nc")
        return tested

    def plot(self) -> list[Path]:
        """Draw every figure of the run; return the files.

        Raises
        ------
        InputError
            If the run has not been analysed yet.
        """
        analysis = self.path / "analysis.nc"
        if not analysis.is_file():
            raise InputError(
                f"no analysis in {self.path}: run `brainrnn analyse {self.path}` first"
            )
        figures = self.path / "figures"
        if not self.unfolds:
            return draw_graphs(self.net, self.suite, self.metrics(), figures)
        brain, tested = load(analysis), self.path / "statistics.nc"
        written = draw_all(brain, self.metrics(), figures)
        if tested.is_file():
            statistics = load(tested)
            if statistics.attrs["network"] == brain.attrs["network"]:  # not of an earlier one
                written += draw_statistics(statistics, figures)
        return written


def _trial_table(suite: Suite, trials: Trials) -> pd.DataFrame:
    """How long the trials of each task are, and how well one can do."""
    table = pd.DataFrame({"task": trials.task.cpu().numpy(), "steps": trials.lengths.cpu().numpy()})
    steps = table.groupby("task")["steps"].agg(["count", "min", "mean", "max"])
    steps.columns = pd.Index(["trials", "steps_min", "steps_mean", "steps_max"])
    steps.insert(0, "name", list(suite.names))
    steps["ceiling"] = suite.ceiling()
    steps["description"] = [suite.descriptions[name] for name in suite.names]
    return steps


def versions() -> dict[str, str]:
    """Of Python, and of the packages that results depend on, where they are installed."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):  # neurogym is not there for every Python
            found[name] = version(name)
    return found


def note_versions(folder: Path) -> None:
    """Write versions.json."""
    with atomic_path(folder / "versions.json") as temporary:
        temporary.write_text(json.dumps(versions(), indent=2) + "\n", encoding="utf-8")


@contextmanager
def stop_requests() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of dying of them; a second one acts as usual."""
    received: list[int] = []
    previous: dict[int, Any] = {}

    def note(number: int, _frame: Any) -> None:
        received.append(number)
        signal.signal(number, previous[number])

    # Only the main thread of a process may say what a signal does.
    main = threading.current_thread() is threading.main_thread()
    for request in (signal.SIGINT, signal.SIGTERM) if main else ():
        previous[request] = signal.signal(request, note)
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
