"""A run folder: resolved configuration, versions, metrics, checkpoint, analysis, figures."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import xarray as xr

from brainrnn.analysis import (
    AnalysisSpec,
    analyse,
    assess,
    check_analysis,
    map_statistics,
    storage,
)
from brainrnn.analysis.brain import TITLE as WHOLE
from brainrnn.analysis.feedforward.assessment import TITLE as FEEDFORWARD
from brainrnn.analysis.map_statistics import TITLE as MAP_STATISTICS
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.config import as_toml, read_toml
from brainrnn.errors import BusyError, DamagedError, DivergedError, InputError, InterruptedRun
from brainrnn.files import atomic_path, claim, is_ours
from brainrnn.networks import RNN
from brainrnn.plots import draw_all, draw_graphs, draw_statistics
from brainrnn.progress import progress_bar
from brainrnn.runs.changes import lasting
from brainrnn.runs.experiment import Experiment, build, build_network, load_suite, on_device
from brainrnn.runs.stopping import stop_requests
from brainrnn.runs.versions import note_versions
from brainrnn.task import Suite, Task, Trials
from brainrnn.training.checkpoint import fingerprint, load_checkpoint, previous, save_checkpoint
from brainrnn.training.loop import Record, Trainer
from brainrnn.training.snapshots import load_snapshot, save_snapshot
from brainrnn.wiring_cost.cost import connection_cost


class Run:
    """One experiment and its results in a folder.

    Create a run with :meth:`create`; open one that exists with :func:`brainrnn.load`. The folder
    holds config.toml, versions.json, metrics.csv, checkpoint.safetensors and the checkpoint before,
    analysis.nc and figures/. It holds trials.csv where tasks unfold in time, and statistics.nc and
    snapshots/ where they were asked for.

    Attributes
    ----------
    path : Path
        The folder.
    experiment : Experiment
        The whole configuration.

    Examples
    --------
    >>> import tempfile
    >>> import brainrnn as br
    >>> experiment = br.runs.Experiment(
    ...     task={"names": ["go", "dms"]},
    ...     network={"shape": [4, 4]},
    ...     training={"steps": 3, "batch": 4},
    ... )
    >>> run = br.Run.create(tempfile.mkdtemp() + "/run", experiment)
    >>> run.train(progress=False)
    >>> run.finished
    True
    >>> sorted(path.name for path in run.path.iterdir())
    ['checkpoint.safetensors', 'config.toml', 'metrics.csv', 'trials.csv', 'versions.json']
    """

    def __init__(self, path: Path, experiment: Experiment) -> None:
        self.path, self.experiment = path, experiment
        self._behind: InputError | None = None  # why training is not where it was

    @classmethod
    def create(cls, path: str | Path, experiment: Experiment) -> Run:
        """Start a run in a new folder.

        Parameters
        ----------
        path : str or Path
            The folder; it must be empty or not exist.
        experiment : Experiment
            What to train, on what, and how.

        Raises
        ------
        InputError
            If the folder already holds something or cannot be written, or if the experiment cannot
            be built or its network not be analysed. Nothing is written then.
        """
        run = cls(Path(path), experiment)
        run._require_other_or_finished()
        require_new(run.path)
        _ = run.trainer  # an experiment that cannot be built leaves nothing behind
        if isinstance(run.suite, Suite):
            check_analysis(run.net, run.suite, experiment.analysis)
        with run.claimed():
            require_new(run.path)  # of two that begin together one has it
            with atomic_path(run.config) as temporary:
                temporary.write_text(as_toml(experiment), encoding="utf-8")
        return run

    @classmethod
    def begin(cls, path: str | Path, experiment: Experiment) -> Run:
        """Open the run of an experiment in a folder, or create it if there is none.

        So a script of a cluster trains and continues with one line.

        Parameters
        ----------
        path : str or Path
        experiment : Experiment
            Only its device may differ from that of the run which is there.

        Raises
        ------
        InputError
            If the folder holds another run, or as of :meth:`create`.

        Examples
        --------
        >>> import tempfile
        >>> import brainrnn as br
        >>> folder = tempfile.mkdtemp() + "/run"
        >>> experiment = br.runs.Experiment(
        ...     task={"names": ["go"]}, network={"shape": [3, 3]}, training={"steps": 2, "batch": 4}
        ... )
        >>> br.Run.begin(folder, experiment).train(progress=False)
        >>> br.Run.begin(folder, experiment).finished
        True
        """
        if not (Path(path) / "config.toml").is_file():
            return cls.create(path, experiment)
        run = cls.open(path, device=experiment.device)
        for section in type(experiment).model_fields:
            if getattr(run.experiment, section) != getattr(experiment, section):
                raise InputError(
                    f"{path} holds another run, its {section} differs (config.toml): choose "
                    "another --out, or change what may change of a run with `brainrnn resume`"
                )
        return run

    @classmethod
    def open(cls, path: str | Path, *, device: str | None = None) -> Run:
        """Open a run that was created before, on its own device or on another.

        The same as :func:`brainrnn.load`.

        Raises
        ------
        InputError
            If there is no run in the folder, or its configuration is damaged.
        """
        run = Path(path)
        if not (run / "config.toml").is_file():
            raise InputError(
                f"no run in {path}: expected the folder of a run, with its config.toml (see the "
                "`--out` of `brainrnn train`)"
            )
        values = read_toml(run / "config.toml")
        try:
            experiment = build(Experiment, values)
        except InputError as error:
            raise InputError(f"{run / 'config.toml'}: {error}") from None
        return cls(run, on_device(experiment, device))

    def _require_other_or_finished(self) -> None:
        """Say what continues a run of the same experiment that was stopped."""
        there = None
        with suppress(InputError):  # none, another, or one of another version
            there = Run.begin(self.path, self.experiment) if self.config.is_file() else None
        steps = self.experiment.training.steps
        if there is not None and there.saved_step < steps:
            raise InputError(
                f"{self.path} holds this very run, at step {there.saved_step} of {steps}: continue "
                f"it with `brainrnn resume {self.path}`, or begin and continue with --resume"
            )

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """See that no other process writes the run."""
        with claim(self.path) as ours:
            if not ours:
                raise BusyError(
                    f"another process trains {self.path}: wait until it ends, or stop it"
                )
            yield

    def _require_folder(self) -> None:
        """Write nothing into a folder that was moved or removed while the network was trained."""
        if not self.config.is_file():
            raise InputError(
                f"{self.config} is gone: nothing more is written; put the folder back where it "
                f"was, then `brainrnn resume {self.path}` continues from its last checkpoint"
            )

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.path / "config.toml"

    @property
    def checkpoint(self) -> Path:
        """The last state of training."""
        return self.path / "checkpoint.safetensors"

    @property
    def _newest(self) -> Path | None:
        """The newest checkpoint that is there, in whatever state."""
        former = self.path / "checkpoint.pt"  # of a run from before they were safetensors
        files = (self.checkpoint, previous(self.checkpoint), former)
        return next((path for path in files if os.path.lexists(path)), None)

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
        """The network at the last checkpoint, or untrained if there is none.

        Raises
        ------
        DamagedError
            If the checkpoint is damaged, also where training can go on from the one before.
        """
        _ = self.trainer
        if self._behind is not None:
            raise self._behind
        return self._net

    @cached_property
    def _net(self) -> PlacedNetwork:
        spec, seed = self.experiment.network, self.experiment.seed
        return build_network(spec, self.suite, seed=seed, device=self.experiment.device)

    @cached_property
    def trainer(self) -> Trainer:
        """The network in training, at the last checkpoint that is whole if there is one."""
        experiment = self.experiment
        trainer = Trainer(
            self._net, self.suite, experiment.method, experiment.training, seed=experiment.seed
        )
        if self._saved is not None:
            try:
                trainer.load_state_dict(self._saved["training"])
            except InputError as error:
                raise InputError(f"{self.path}: {error}") from None
        return trainer

    @cached_property
    def _saved(self) -> dict[str, Any] | None:
        """The checkpoint as it was when the run was opened; the one before if it is damaged."""
        path, before = self._newest, previous(self.checkpoint)
        if path is None:
            return None
        try:
            if path == before:
                raise DamagedError(
                    f"{self.checkpoint} is missing: copy it again, or train again into a new folder"
                )
            saved = load_checkpoint(path)
        except DamagedError as error:
            try:
                saved, path = load_checkpoint(before), before
            except InputError:  # there is none, or it is no better
                raise error from None
            self._behind = DamagedError(
                f"{error}; or repeat its last steps from the checkpoint before: `brainrnn resume "
                f"{self.path}`"
            )
        self._check_same_experiment(saved["experiment"], path)
        return saved

    @property
    def saved_step(self) -> int:
        """Steps that were done at the checkpoint when the run was opened; 0 without one."""
        return int(self._saved["training"]["step"]) if self._saved is not None else 0

    def _check_same_experiment(self, saved: dict[str, Any], path: Path) -> None:
        """Refuse a checkpoint that another experiment has left; its analysis may differ."""
        try:
            other = build(Experiment, saved)
        except InputError as error:
            raise InputError(
                f"{path} was written by another version of brainrnn ({error}); train "
                "again into a new folder"
            ) from None
        for section, here in lasting(self.experiment).items():
            if lasting(other)[section] != here:
                raise InputError(
                    f"{path} belongs to another experiment: its {section} differs from "
                    f"that in {self.config}; train again into a new folder"
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
        self,
        *,
        progress: bool = True,
        callback: Callable[[Record], bool | None] | None = None,
        watch: Callable[[Record], bool] | None = None,
    ) -> None:
        """Train from the last checkpoint to the last step, saving on the way.

        Parameters
        ----------
        progress : bool
            Whether to draw a progress bar.
        callback : function (Record) -> bool or None, optional
            Called after every step; training stops, as on Ctrl-C, once it returns True.
        watch : function, optional
            The former name of ``callback``.

        Raises
        ------
        InterruptedRun
            On Ctrl-C, a signal to end (SIGTERM, SIGHUP, SIGUSR1), or a callback that returns True,
            after saving.
        InputError
            If another process trains the run, or its folder cannot be written any more.
        DivergedError
            If the loss is not finite; the last checkpoint stays.
        """
        if watch is not None:
            warnings.warn("watch is now callback", DeprecationWarning, stacklevel=2)
            callback = watch
        trainer, spec = self.trainer, self.experiment.training
        rows = self._rows
        self._require_folder()
        if self._behind is not None:
            warnings.warn(
                f"{self.checkpoint} is damaged or missing: going on from the checkpoint before, "
                f"of step {trainer.step}",
                stacklevel=2,
            )
        with (
            self.claimed(),
            stop_requests() as stop,
            progress_bar(spec.steps, start=trainer.step, enabled=progress) as bar,
        ):
            self._describe()
            if spec.snapshot_every and trainer.step == 0:
                save_snapshot(self._snapshots, self._net, 0)
            try:
                for record in trainer.records():
                    rows += record.metrics
                    bar.update(record.step, record.metrics)
                    last = record.step == spec.steps
                    stopped = bool(stop) or (callback is not None and bool(callback(record)))
                    if spec.snapshot_every and (last or record.step % spec.snapshot_every == 0):
                        self._require_folder()
                        save_snapshot(self._snapshots, self._net, record.step)
                    if stopped or last or record.step % spec.checkpoint_every == 0:
                        self._save()
                    if stopped and not last:
                        raise InterruptedRun(
                            f"stopped at step {record.step} of {spec.steps}, everything is saved; "
                            f"continue with `brainrnn resume {self.path}`",
                            *stop[:1],
                        )
            except DivergedError as error:
                kept = (
                    f"the last good checkpoint is {self._newest}"
                    if self._newest is not None
                    else "there is no checkpoint yet"
                )
                raise DivergedError(f"{error}; {kept}") from None

    def _save(self) -> None:
        # The checkpoint holds the metrics too, so that a resumed run continues them exactly; it
        # comes last, so that a finished run is never left with an unfinished table.
        self._require_folder()
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
        self._behind = None
        (self.path / "checkpoint.pt").unlink(missing_ok=True)

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
            analysis = storage.load(self.path / "analysis.nc", WHOLE, FEEDFORWARD)
            if analysis.attrs.get("network") == fingerprint(self.net):
                return analysis
        return None

    def analyse(
        self, spec: AnalysisSpec | None = None, *, progress: bool = True, write: bool = True
    ) -> xr.Dataset:
        """Analyse the network at the last checkpoint and write analysis.nc.

        A recurrent network is tested for a map (:func:`brainrnn.analyse`), a feed-forward one is
        assessed (:func:`brainrnn.analysis.assess`).

        Parameters
        ----------
        spec : AnalysisSpec, optional
            Settings of the test for a map; the experiment's if not given.
        progress : bool
            Whether to draw a progress bar.
        write : bool
            Whether to write analysis.nc.

        Returns
        -------
        xarray.Dataset

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
        if write:
            storage.save(brain, self.path / "analysis.nc")
        return brain

    def statistics(self, brain: xr.Dataset | None = None, *, write: bool = True) -> xr.Dataset:
        """Every other statistic of the analysed network's map; writes statistics.nc.

        See :func:`brainrnn.analysis.map_statistics`.

        Parameters
        ----------
        brain : Dataset, optional
            The analysis of the last checkpoint; that in analysis.nc if not given.
        write : bool
            Whether to write statistics.nc.

        Raises
        ------
        InputError
            If the network has not been analysed since its last checkpoint.
        """
        brain = self.analysed() if brain is None else brain
        if brain is None:
            raise InputError(
                f"no analysis of the last checkpoint in {self.path}: run `brainrnn analyse "
                f"{self.path}` first"
            )
        device = self.net.get_parameter("w_rec").device
        tested = map_statistics(brain, device=device)
        tested.attrs["network"] = brain.attrs["network"]
        if write:
            storage.save(tested, self.path / "statistics.nc")
        return tested

    def plot(self) -> list[Path]:
        """Draw every figure of the run; return the files.

        Raises
        ------
        InputError
            If the run has not been analysed since its last checkpoint.
        """
        analysis = self.path / "analysis.nc"
        if not analysis.is_file():
            raise InputError(
                f"no analysis in {self.path}: run `brainrnn analyse {self.path}` first"
            )
        figures = self.path / "figures"
        if not self.unfolds:
            return draw_graphs(self.net, self.suite, self.metrics(), figures)
        brain, tested = storage.load(analysis, WHOLE), self.path / "statistics.nc"
        if brain.attrs.get("network") != fingerprint(self.net):
            raise InputError(
                f"{analysis} is of step {brain.attrs.get('training_steps', 'unknown')} or of "
                f"another network, and the checkpoint of step {self.trainer.step}: run `brainrnn "
                f"analyse {self.path}` again"
            )
        written = draw_all(brain, self.metrics(), figures)
        if tested.is_file():
            statistics = storage.load(tested, MAP_STATISTICS)
            if statistics.attrs["network"] == brain.attrs["network"]:  # not of an earlier one
                written += draw_statistics(statistics, figures)
        return written


def require_new(folder: Path, *, resume: str = "brainrnn resume") -> None:
    """See that a run can begin in a folder: it does not exist, or is empty.

    Parameters
    ----------
    folder : Path
    resume : str
        The command that continues a run which is there already.

    Raises
    ------
    InputError
        If it is not so.
    """
    if (folder / "config.toml").is_file():
        raise InputError(
            f"{folder} already holds a run: choose another --out, or continue it with "
            f"`{resume} {folder}`"
        )
    if folder.exists() and (not folder.is_dir() or not all(map(is_ours, folder.iterdir()))):
        raise InputError(f"{folder} exists and is not an empty folder: choose another --out")


def load(path: str | Path, *, device: str | None = None) -> Run:
    """Open a run folder: its network, its tasks, its metrics and its analysis.

    Parameters
    ----------
    path : str or Path
        A folder made by ``brainrnn train`` or :meth:`Run.create`.
    device : str, optional
        Where to compute: cpu, cuda, cuda:1, ...; where the run was trained if not given.

    Returns
    -------
    Run
        ``run.net`` holds weights and places, ``run.suite`` the tasks, ``run.metrics()`` the
        training curves, ``run.analysed()`` the analysis if there is one.

    Raises
    ------
    InputError
        If there is no run in the folder, or its configuration is damaged.

    Examples
    --------
    >>> import tempfile
    >>> import brainrnn as br
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> experiment = br.runs.Experiment(
    ...     task={"names": ["go"]}, network={"shape": [4, 4]}, training={"steps": 2, "batch": 4}
    ... )
    >>> br.Run.create(folder, experiment).train(progress=False)
    >>> run = br.load(folder)
    >>> run.net.wired("w_rec").shape  # (member, out, in)
    torch.Size([1, 16, 16])
    >>> run.net.anatomy.positions("hidden").shape  # (member, neuron, coordinate)
    torch.Size([1, 16, 2])
    >>> run.metrics()["step"].tolist()
    [2]
    """
    return Run.open(path, device=device)


def _trial_table(suite: Suite, trials: Trials) -> pd.DataFrame:
    """Length of each task's trials, and the best possible accuracy, a row per task."""
    table = pd.DataFrame({"task": trials.task.cpu().numpy(), "steps": trials.lengths.cpu().numpy()})
    steps = table.groupby("task")["steps"].agg(["count", "min", "mean", "max"])
    steps.columns = pd.Index(["trials", "steps_min", "steps_mean", "steps_max"])
    steps.insert(0, "name", list(suite.names))
    steps["ceiling"] = suite.ceiling()
    steps["description"] = [suite.descriptions[name] for name in suite.names]
    return steps
