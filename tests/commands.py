"""The command lines in this process, as a user drives them, and what all their runs must fulfil."""

import contextlib
import io

import pytest
import torch

from brainrnn.cli import main as brainrnn_main
from brainrnn.training.checkpoint import load_checkpoint
from paper_mlp.cli import main as paper_mlp_main


def _command_line(main):
    def run(*arguments):
        """(exit status, standard output, standard error)."""
        with (
            contextlib.redirect_stdout(io.StringIO()) as output,
            contextlib.redirect_stderr(io.StringIO()) as errors,
            pytest.raises(SystemExit) as stopped,
        ):
            main([str(a) for a in arguments])
        return stopped.value.code, output.getvalue(), errors.getvalue()

    return run


brainrnn = _command_line(brainrnn_main)
paper_mlp = _command_line(paper_mlp_main)


def one_line(result, *words):
    """Bad input: exit status 2, nothing but one line on standard error, with all these words."""
    status, output, errors = result
    assert status == 2, errors
    assert output == ""
    assert errors.startswith(("brainrnn: ", "paper-mlp: "))
    assert errors.count("\n") == 1
    for word in words:
        assert word in errors, errors


def assert_same_training(one, two):
    """Two run folders hold the same training, bit for bit."""
    a, b = (load_checkpoint(path / "checkpoint.safetensors")["training"] for path in (one, two))
    assert a["step"] == b["step"]
    assert a["trials"] == b["trials"]
    for name, value in a["network"].items():
        assert torch.equal(value, b["network"][name]), name
    for name, value in a["optimizer"].items():
        assert torch.equal(value, b["optimizer"][name]), name
    tables = [path / "metrics.csv" for path in (one, two)]
    assert tables[0].read_bytes() == tables[1].read_bytes()
    films = [sorted((path / "snapshots").glob("*")) for path in (one, two)]
    assert [p.name for p in films[0]] == [p.name for p in films[1]]
    for p, q in zip(*films, strict=True):
        assert p.read_bytes() == q.read_bytes(), p.name
