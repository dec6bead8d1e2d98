"""Tasks of the user's own, by ``module:function`` and ``module:Environment-v0``."""

import subprocess
import sys

import gymnasium
import pytest
import tomli_w

from brainrnn.config import as_toml
from brainrnn.errors import InputError
from brainrnn.own import trust, trusted
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


@pytest.fixture
def trusting(folder):
    """The user trusts what lies in the folder."""
    names = ("suites", "environment", "nothing", "raising", "syntax", "needy", "empty", "absent")
    trust(*(f"own_{name}" for name in names))
    return folder


def test_a_suite_of_ones_own_gets_what_the_configuration_says(trusting):
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
def test_what_is_wrong_is_one_line(trusting, reference, task, words):
    (trusting / "own_raising.py").write_text("x = y\n")
    (trusting / "own_syntax.py").write_text("def mine(:\n")
    (trusting / "own_needy.py").write_text("import not_there\n")
    with pytest.raises(InputError) as refused:
        suite(reference, **task)
    message = str(refused.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_an_environment_of_ones_own(trusting):
    own = neurogym_suite(names=["own_environment:OwnSide-v0", "GoNogo-v0"])
    assert own.names == ("OwnSide-v0", "GoNogo-v0")
    (trusting / "own_empty.py").write_text("")
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
    monkeypatch.setenv("BRAINRNN_TRUST", "")  # another command, later
    named = "own_suites" if "own_suites:mine" in task[0] else "own_environment"
    for module in ("own_suites", "own_environment"):
        sys.modules.pop(module, None)
    for command in ("resume", "analyse"):
        one_line(brainrnn(command, "run"), f"names code, the module {named!r}", f"--trust {named}")
        assert named not in sys.modules
    gymnasium.registry.pop("OwnSide-v0", None)
    assert brainrnn("resume", "run", "--trust", named)[0] == 0
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(folder)])
    for name in ("own_suites", "own_environment"):
        sys.modules.pop(name, None)
    resumed = brainrnn("resume", folder / "run", "--trust", named)
    one_line(resumed, "no module 'own_", "start from the folder")


CODE = {
    "suite": {"task": {"suite": "os:system"}},
    "environment": {"task": {"suite": "neurogym", "names": ["os:system"]}},
    "geometry": {"network": {"geometry": "os:system"}},
    "distance": {"network": {"distance": "os:system"}},
    "layout": {"network": {"kind": "mlp", "layout": {"h1": "os:system"}}},
}


@pytest.mark.parametrize("experiment", CODE.values(), ids=CODE)
def test_a_file_names_no_code_that_is_not_trusted(folder, experiment):
    """Neither a configuration nor a study; also what Python has imported long ago."""
    (folder / "a.toml").write_text(tomli_w.dumps(experiment))
    one_line(brainrnn("train", "a.toml"), "names code, the module 'os'", "--trust os")
    study = {"name": "b", "title": "b", "text": "b", "seeds": [1], "measure": {"kind": "map"}}
    methods = {"a": {"label": "a"}, "b": {"label": "b"}}
    text = tomli_w.dumps(study | {"experiment": experiment, "methods": methods})
    (folder / "b.toml").write_text(text)
    one_line(brainrnn("study", "b.toml"), "names code, the module 'os'", "--trust os")
    settings = [f"{s}.{k}={v!r}" for s, rows in experiment.items() for k, v in rows.items()]
    methods["a"] |= {"settings": [one for one in settings if "{" not in one]}
    if "layout" not in experiment.get("network", {}):
        (folder / "b.toml").write_text(tomli_w.dumps(study | {"methods": methods}))
        one_line(brainrnn("study", "b.toml"), "names code, the module 'os'", "--trust os")
    assert not (folder / "runs").exists()


def test_a_package_is_trusted_with_all_that_is_in_it(folder):
    trust("own_package")
    (folder / "own_package").mkdir()
    (folder / "own_package" / "inner.py").write_text(SUITES)
    (folder / "own_packages.py").write_text(SUITES)
    assert suite("own_package.inner:one").names == ("go",)
    with pytest.raises(InputError, match="'own_packages'"):
        suite("own_packages:one")
    with pytest.raises(InputError, match="no name of a module"):
        trust("own package")
    assert trusted() == {"own_package"}


def test_workers_of_a_study_trust_what_it_trusts(folder):
    (folder / "config.toml").write_text(as_toml(Experiment()))
    small = ("training.steps=2", "network.shape=[3,3]", "training.batch=8")
    few = ("analysis.trials=8", "analysis.k_range=[2,2]", "analysis.permutations=20")
    words = ("sweep", "config.toml", *small, *few, "seeds=2", "method.strength=[0.0,1e-4]")
    status, _, errors = brainrnn(*words, "task.suite=own_suites:mine", "--quiet", "--workers", "2")
    assert status == 0, errors


def test_the_installed_command_finds_a_module_of_this_folder(folder):
    """A console script does not have the current folder on its path."""
    code = "from brainrnn.cli import main; main(['tasks', 'list', '--suite', 'own_suites:one'])"
    listed = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert listed.stdout.splitlines()[1].startswith("go ")
