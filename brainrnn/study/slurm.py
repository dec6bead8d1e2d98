"""Workers of a study in the jobs of a Slurm cluster: a Slurm job does many jobs of the study."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from brainrnn.errors import InputError
from brainrnn.files import claim
from brainrnn.study.crew import LostError
from brainrnn.study.slurm_jobs import SlurmJobs
from brainrnn.study.slurm_worker import CONDUCTED

_COMMANDS = ("sbatch", "srun", "squeue", "scancel")
_NUMBER = 8  # of Slurm jobs, if nobody says another
_USUAL = {"time": "60"}  # minutes: some clusters refuse jobs that do not say it
_OURS = {"array", "error", "job-name", "open-mode", "output", "signal", "wrap"}
_TO_SAVE = 60  # seconds between the signal and the end of a Slurm job's time


def open_slurm(number: int | None, options: Mapping[str, str], lamp: Path) -> Iterator[SlurmJobs]:
    """Start Slurm jobs that work for a study, and cancel them in the end.

    Parameters
    ----------
    number : int, optional
        Of Slurm jobs at once; 8 by default.
    options : mapping
        Of ``sbatch``, such as ``{"partition": "cpu", "time": "2:00:00"}``.
    lamp : path
        Of :class:`brainrnn.study.signs.Lamp`.

    Raises
    ------
    InputError
        If there is no Slurm here, or it refuses a job with these options.
    """
    options = _USUAL | checked(options)
    tasks = _tasks(options)
    try:
        from submitit import SlurmExecutor
    except ImportError:
        raise InputError(
            "--on slurm needs submitit: pip install 'brainrnn[slurm]', here and on the cluster"
        ) from None
    for command in _COMMANDS:
        if shutil.which(command) is None:
            raise InputError(
                f"--on slurm needs Slurm, but there is no {command} here: call it on a machine of "
                "the cluster, such as its login node"
            )
    name = f"slurm-{lamp.name.rpartition('-')[2]}"
    folder = lamp.parent / name
    executor = SlurmExecutor(folder)
    executor.update_parameters(
        job_name=name,
        wckey=None,  # whatever is usual there
        signal_delay_s=_TO_SAVE,
        stderr_to_stdout=True,
        setup=["export OMP_NUM_THREADS=1"],
        srun_args=["--kill-on-bad-exit"],  # of several workers in a Slurm job
        additional_parameters={key: value or True for key, value in options.items()},
    )
    with claim(folder, CONDUCTED), _cancelled(name):
        try:
            slurm_jobs = SlurmJobs(executor, name, number or _NUMBER, tasks, lamp)
        except LostError:
            shutil.rmtree(folder)
            raise
        yield slurm_jobs
    shutil.rmtree(folder, ignore_errors=True)  # after an error the logs stay


def checked(options: Mapping[str, str]) -> dict[str, str]:
    """Options of ``sbatch`` by their long names.

    Raises
    ------
    InputError
        If one of them cannot be one, or is ours to set.

    Examples
    --------
    >>> checked({"cpus_per_task": "2", "--exclusive": ""})
    {'cpus-per-task': '2', 'exclusive': ''}
    """
    found = {}
    for key, value in options.items():
        name = key.removeprefix("--").replace("_", "-")
        if not re.fullmatch(r"[a-z][a-z-]+", name) or "\n" in value:
            raise InputError(
                f"--slurm {key}={value}: expected a long option of sbatch, such as "
                "partition=cpu, time=2:00:00, mem=4G or account=NAME"
            )
        if name in _OURS:
            raise InputError(f"--slurm {key}: the study sets it; leave it out")
        found[name] = value
    return found


def _tasks(options: Mapping[str, str]) -> int:
    """Workers in a Slurm job."""
    number = options.get("ntasks", "1")
    if not number.isdecimal() or not int(number):
        raise InputError(f"--slurm ntasks={number}: expected a number of workers in a Slurm job")
    return int(number)


@contextmanager
def _cancelled(name: str) -> Iterator[None]:
    """Cancel Slurm jobs in the end; those that still work have time to save."""
    try:
        yield
    finally:
        # Slurm is where the machine has it on its path, and no shell reads the name.
        subprocess.run(  # nosec B603 B607
            ["scancel", f"--name={name}"], capture_output=True, check=False
        )
