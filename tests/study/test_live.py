"""What a study shows while it runs: in a terminal, in a file, and of what fails."""

import io
import math
import os
import sys

import pytest
from rich.console import Console

from brainrnn.errors import DivergedError, InputError
from brainrnn.study import conduct, live
from brainrnn.study.live import in_words, live_view, picture, summary
from brainrnn.study.overview import AtWork, Overview
from tests.study.small import small_study

CELLS = small_study().cells()
TOLD = {"host": "node7", "process": 41, "step": 3, "begun": 0, "seconds": 1.0}
TRAINS = AtWork("train", CELLS[0], TOLD | {"loss": 0.51234, "accuracy": 0.75})
ASKED = AtWork("measure", CELLS[1], TOLD | {"step": 0})


def overview(at_work=(TRAINS, ASKED), **changes):
    values = {"networks": 30, "done": 12, "share": 0.345, "elapsed": 1263.0, "left": 2412.0}
    return Overview(at_work=list(at_work), **(values | changes))


def test_one_line_says_everything_but_the_networks():
    line = summary(overview())
    assert line == (
        "34%: 12 of 30 networks done, 2 at work, 16 waiting; 21 min so far, 40 min left"
    )
    assert "time left unknown" in summary(overview(left=math.inf))
    assert summary(overview([], done=30, share=1.0, left=0.0)) == (
        "100%: 30 of 30 networks done; took 21 min"
    )


def test_a_network_says_where_it_is():
    assert in_words(TRAINS) == "l1-1 on node7, process 41: step 3 of 6, loss 0.512, accuracy 0.750"
    assert in_words(ASKED) == "l1_placed-1 on node7, process 41: measuring"


def test_networks_that_train_as_members_of_one_are_counted():
    sweep = {"method.strength": [1e-4, 1e-3, 1e-2]}
    cells = small_study(methods={"bimt": {"label": "BIMT", "sweep": sweep}}).cells()
    joint, asked = AtWork("train", cells[0], TOLD), AtWork("measure", cells[1], TOLD)
    assert in_words(joint).startswith("bimt-0.0001-1 and 2 more on node7")
    assert in_words(asked).startswith("bimt-0.001-1 on node7")
    assert "4 at work, 14 waiting" in summary(overview([joint, asked]))


def drawn(one, room, width=90):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(picture(one, room))
    return console.file.getvalue().splitlines()


def test_a_terminal_has_a_row_for_each_network_as_far_as_there_is_room():
    lines = drawn(overview(), room=5)
    assert lines[0].startswith(" 34% ━")
    assert lines[0].rstrip().endswith("21 min so far, 40 min left")
    assert lines[1].strip() == "12 of 30 networks done, 2 at work, 16 waiting"
    assert " ".join(lines[3].split()) == "l1-1 node7, process 41 step 3 of 6 0.512 0.750"
    assert " ".join(lines[4].split()) == "l1_placed-1 node7, process 41 measuring"
    lines = drawn(overview([TRAINS] * 16), room=5)
    assert len(lines) == 8
    assert lines[-1].strip() == "... and 12 more"
    assert all(len(line) <= 40 for line in drawn(overview(), room=5, width=40))


def test_a_file_gets_a_line_now_and_then(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    with live_view(overview) as view:
        for second in range(300):
            now[0] = second
            view.look()
        view.failed(InputError("the disk is full"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 7  # after 10 s, then once a minute; the failure; the end
    assert lines[0] == f"{summary(overview())}; {in_words(TRAINS)}"
    assert lines[5:] == ["failed: the disk is full", summary(overview())]


def test_a_file_gets_a_line_when_other_workers_are_there(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    with live_view(lambda: overview(crew=f"2 {'pending' if now[0] < 7 else 'running'}")) as view:
        for second in range(12):
            now[0] = second
            view.look()
    lines = capsys.readouterr().err.splitlines()
    assert ["jobs: 2 pending" in line for line in lines] == [True, False, False]
    assert all("jobs: 2 running" in line for line in lines[1:])


def test_a_quiet_study_shows_nothing(capsys):
    with live_view(overview, enabled=False) as view:
        view.look()
        view.failed(InputError("the disk is full"))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("place", ["serial", "local"])
def test_what_failed_is_said_with_its_network(place, tmp_path, capsys):
    """Also if its job ran in another process."""
    methods = {
        "tame": {"label": "tame"},
        "wild": {
            "label": "wild",
            "settings": ["training.learning_rate=1e30", "training.clip=0.0"],
        },
    }
    with pytest.raises(DivergedError):
        conduct(small_study(methods=methods, seeds=[3]), tmp_path, on=place)
    lines = capsys.readouterr().err.splitlines()
    (failed,) = [line for line in lines if line.startswith("failed: ")]
    assert failed.startswith("failed: network wild-3, the loss of member 0 is not finite")
    assert " of 2 networks done" in lines[-1]
    assert not list((tmp_path / ".work").glob("*.json"))


def test_warnings_come_above_the_bar(monkeypatch):
    """In a terminal, what is written to standard error does not break the bar."""
    reader, writer = os.openpty()
    with os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setenv("TERM", "xterm")
        with live_view(overview) as view:
            view.look()
            sys.stderr.write("beware\n")
            view.look()
        terminal.flush()
        shown = os.read(reader, 100_000).decode()
    os.close(reader)
    assert "beware" in shown
    assert shown.count("12 of 30 networks done") >= 2
    assert shown.index("beware") < shown.rindex("12 of 30 networks done")
