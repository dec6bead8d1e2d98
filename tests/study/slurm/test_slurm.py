"""Studies on a real Slurm: the same numbers as in one process, whatever happens to its jobs."""

import os
import signal
import time
from pathlib import Path

import pytest

from brainrnn.study import conduct
from tests.study.slurm.conftest import said, wait_for
from tests.study.test_workers import FEW, assert_same, longer, study_process

pytestmark = pytest.mark.slow
ON = ("--on", "slurm", "--workers", "2", "--slurm", "time=10")


def states():
    """The states of Slurm jobs that have not ended, by their numbers."""
    lines = said("squeue", "--noheader", "--format=%i %T").splitlines()
    return dict(line.split() for line in lines)


def log(out):
    return "\n".join(path.read_text() for path in out.glob(".work/slurm-*/*_log.out"))


def ended_well(process, out):
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors + log(out)


def test_a_study_on_slurm_is_the_same(slurm, tmp_path):
    conduct(FEW, tmp_path / "serial", on="serial", progress=False)
    conduct(FEW, tmp_path / "slurm", on="slurm", workers=2, slurm={"mem": "500"}, progress=False)
    assert_same(tmp_path / "serial", tmp_path / "slurm")
    wait_for(lambda: not states())
    assert not list((tmp_path / "slurm").glob(".work/slurm-*"))
