"""The life of a run, in a process of its own that says what it does and can be killed."""

import os
import signal
import sys

import torch

from brainrnn.cli import main
from brainrnn.runs import Run

PHASES = ("beginning", "training", "evaluation", "analysis", "plotting")
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.chmod"}


def live(config, folder, said, die_at=None):
    """Train, analyse and draw a run, each by its command; end with the first that fails.

    Parameters
    ----------
    config, folder : str
    said : Connection
        Hears of each phase when it begins, and in the end how often files were changed.
    die_at : int, optional
        The change of a file, from 1 on, before which the process kills itself.
    """
    torch.set_num_threads(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    changes = 0

    def look(event, arguments):
        nonlocal changes
        opened = event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (opened or event in _CHANGES) and str(arguments[0]).startswith(folder):
            changes += 1
            if changes == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)
    said.send("beginning")
    train, analyse, plot = Run.train, Run.analyse, Run.plot

    def trained(run, **options):
        said.send("training")
        train(run, **options)
        said.send("evaluation")

    Run.train = trained
    Run.analyse = lambda *of, **options: (said.send("analysis"), analyse(*of, **options))[1]
    Run.plot = lambda run: (said.send("plotting"), plot(run))[1]
    for words in (
        ["train", config, "--out", folder, "--resume", "--quiet"],
        ["analyse", folder],
        ["plot", folder],
    ):
        try:
            main(words)
        except SystemExit as end:
            if end.code:
                raise
    said.send(changes)
