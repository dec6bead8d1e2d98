"""Tasks of the user's own, by ``module:function`` and ``module:Environment-v0``."""

import subprocess
import sys

import gymnasium
import pytest

from brainrnn.config import as_toml
from brainrnn.errors import InputError
from brainrnn.runs.experiment import Experiment, TaskSpec, load_suite
from brainrnn.task import Suite
from tasks import neurogym_suite
from tests.commands import brainrnn, one_line

SUITES = """
import tasks
from types import SimpleNamespace

def mine(names=None, **options):
    return tasks.cog20(names=names or ["go"], **options)

def one():
    return tasks.cog20(names=["go"])

def nothing(names):
    return None

def timed(names):
    return SimpleNamespace(names=("a",), dt=20)

def broken(names):
    return names[0]

number = 3
"""

ENVIRONMENT = """
import gymnasium
from neurogym.core import TrialEnv
from neurogym.utils import spaces

class Side(TrialEnv):
    "Say on which of two sides the stimulus is."

    def __init__(self, dt=100):
        super().__init__(dt=dt)
        self.timing = {"stimulus": 200, "decision": 200}
        self.observation_space = spaces.Box(-1, 1, shape=(2,), dtype="float32")
        self.action_space = spaces.Discrete(2)

    def _new_trial(self, **_):
        side = int(self.rng.randint(2))
        self.add_period(["stimulus", "decision"])
        self.add_ob([1 - side, side], "stimulus")
        self.set_groundtruth(side, "decision")
        return {"side": side}

    def _step(self, action):
        return self.ob_now, 0, False, False, {}

gymnasium.register("OwnSide-v0", entry_point="own_environment:Side")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of the user's, from which the command is started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    (tmp_path / "own_suites.py").write_text(SUITES)
    (tmp_path / "own_environment.py").write_text(ENVIRONMENT)
    gymnasium.registry.pop("OwnSide-v0", None)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]


def suite(reference: str, **task: object):
    return load_suite(TaskSpec(suite=reference, **task))


def test_a_suite_of_ones_own_gets_what_the_configuration_says(folder):
    assert suite("own_suites:mine").names == ("go",)
    mine = suite("own_suites:mine", names=["anti"], dt=50, options={"decision_weight": 2.0})
    assert isinstance(mine, Suite)
    assert (mine.names, mine.dt, mine.decision_weight) == (("anti",), 50, 2)
    assert suite("own_suites:one").names == ("go",)


@pytest.mark.parametrize(
    ("reference", "task", "words"),
    [
        ("own_nothing:mine", {}, ["no module 'own_nothing'", "start from the folder"]),
        ("own_suites.mine:x", {}, ["no module 'own_suites.mine'"]),
        ("own_suites:mien", {}, ["own_suites.py has no function 'mien'"]),
        ("own_suites:number", {}, ["'number'", "is no function but 3"]),
        (
            "own_suites:nothing",
            {},
            ["returned a NoneType", "no brainrnn.Task", "lacks names"],
        ),
        ("own_suites:timed", {}, ["SimpleNamespace", "no brainrnn.Suite", "input_groups"]),
        (
            "own_suites:broken",
            {},
            ["broken failed: TypeError", "(own_suites.py, line 18"],
        ),
        ("own_suites:one", {"names": ["go"]}, ["takes no names"]),
        ("own_suites:one", {"dt": 50}, ["or set task.dt=unset"]),
        ("own_suites:one", {"options": {"a": 1}}, ["has no options: leave out 'a'"]),
        ("own_suites:mine", {"options": {"dt": 1}}, ["set task.dt"]),
        ("own_suites:mine", {"names": ["gone"]}, ["unknown task 'gone'"]),
        (
            "own_raising:mine",
            {},
            ["cannot import", "NameError", "(own_raising.py, line 1)"],
        ),
        ("own_syntax:mine", {}, ["SyntaxError", "(own_syntax.py, line 1)"]),
        ("own_needy:mine", {}, ["cannot import 'own_needy'", "No module named 'not_there'"]),
        ("cog2", {}, ["did you mean 'cog20'", "your own: module:function"]),
    ],
)
def test_what_is_wrong_is_one_line(folder, reference, task, words):
    (folder / "own_raising.py").write_text("x = y\n")
    (folder / "own_syntax.py").write_text("def mine(:\n")
    (folder / "own_needy.py").write_text("import not_there\n")
    with pytest.raises(InputError) as refused:
        suite(reference, **task)
    message = str(refused.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_an_environment_of_ones_own(folder):
    own = neurogym_suite(names=["own_environment:OwnSide-v0", "GoNogo-v0"])
    assert own.names == ("OwnSide-v0", "GoNogo-v0")
    (folder / "own_empty.py").write_text("")
    for name, word in [
        ("own_empty:OwnNone-v0", "'own_empty' registers no environment 'OwnNone-v0'"),
        ("own_absent:OwnNone-v0", "no module 'own_absent'"),
    ]:
        with pytest.raises(InputError, match=word):
            neurogym_suite(names=[name])


SMALL = ("--quiet", "training.steps=2", "network.shape=[3, 3]", "training.batch=8")


@pytest.mark.parametrize(
    "task",
    [
        ["task.suite=own_suites:mine"],
        ["task.suite=neurogym", "task.names=['own_environment:OwnSide-v0']"],
    ],
)
def test_a_run_goes_on_from_the_same_folder_only(folder, monkeypatch, task):
    (folder / "config.toml").write_text(as_toml(Experiment()))
    status, _, errors = brainrnn("train", "config.toml", *task, *SMALL, "--out", "run")
    assert status == 0, errors
    assert brainrnn("resume", "run")[0] == 0
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(folder)])
    for name in ("own_suites", "own_environment"):
        sys.modules.pop(name, None)
    one_line(brainrnn("resume", folder / "run"), "no module 'own_", "start from the folder")


def test_the_installed_command_finds_a_module_of_this_folder(folder):
    """A console script does not have the current folder on its path."""
    code = "from brainrnn.cli import main; main(['tasks', 'list', '--suite', 'own_suites:one'])"
    listed = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert listed.stdout.splitlines()[1].startswith("go ")
