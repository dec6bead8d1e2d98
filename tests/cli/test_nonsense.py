"""Whatever is typed: it works, or one line says why not, and nothing else happens.

The examples of the generator are 200. More of them:
``BRAINRNN_NONSENSE=5000 python -m pytest -m slow tests/cli/test_nonsense.py``.
"""

import contextlib
import os
import resource
import shutil
import warnings

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings

from tests.cli.nonsense import TINY, command_lines, configurations
from tests.commands import brainrnn, one_line

EXAMPLES = int(os.environ.get("BRAINRNN_NONSENSE", 5000))


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    file = tmp_path_factory.mktemp("tiny") / "tiny.toml"
    file.write_text(tomli_w.dumps(TINY), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def run(config):
    folder = config.parent / "run"
    assert brainrnn("train", config, "--out", folder, "--quiet")[0] == 0
    assert brainrnn("analyse", folder)[0] == 0
    return folder


DEEP = "[" * 500 + "1" + "]" * 500


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed = 9223372036854775808", ["seed", "less than", "9223372036854775808"]),
        ("seed = -9223372036854775809", ["seed", "greater than or equal to 0"]),
        ("seed = " + "9" * 5000, ["not valid TOML", "digits"]),
        ("training.steps = 100000000000000000000", ["training.steps", "1000000000"]),
        ("training.batch = 100000000000000000000", ["training.batch"]),
        ("network.starts = [18446744073709551616]", ["network.starts"]),
        ("task.options = {decision_weight = 18446744073709551616}", ["decision_weight"]),
        ("task.options = {decision_weight = 1e300}", ["task.options"]),
        ("method.offset = 1e308", ["method.offset", "1000000000"]),
        ("analysis.permutations = 1000000000", ["analysis.permutations", "100000000"]),
        (f"seed = {DEEP}", ["too deep"]),
        ("[" + ".".join("a" * 250) + "]\nb = 1", ["too deep"]),
        ("[" + ".".join("a" * 5000) + "]\nb = 1", ["too deep"]),
        ('name = "a\\u0000b"', ["control character"]),
        ('task.suite = "a\\u001bb"', ["control character"]),
        (f'task.suite = "{"x" * 100_000}"', ["unknown suite of tasks 'xxx"]),
        (f"{'x' * 100_000} = 1", ["unknown configuration key 'xxx"]),
        (f'network.geometry = "{"x" * 100_000}"', ["unknown geometry"]),
        (f'network.geometry = "{"x" * 100_000}.csv"', ["network.geometry", "too long"]),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_configuration_that_cannot_be_meant_is_one_line(text, words, config, tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text(text, encoding="utf-8")
    result = brainrnn("train", file, "--out", tmp_path / "run")
    one_line(result, *words)
    assert len(result[2]) < 1000
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "override",
    [
        "seed=9223372036854775808",
        "seed=" + "9" * 5000,
        f"seed={DEEP}",
        ".".join("a" * 500) + "=1",
        ".".join("a" * 5000) + "=1",
        "name=\udc80",
        "name=a\0b",
        'name="a\\u0000b"',
        "x" * 100_000 + "=1",
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_so_is_an_override(override, config, tmp_path):
    result = brainrnn("train", config, override, "--out", tmp_path / "run")
    one_line(result)
    assert len(result[2]) < 1000
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["a\0b", "\udcff", "a/\0/b.toml"], ids=ascii)
@pytest.mark.parametrize(
    "command",
    [
        ["train"],
        ["train", "quick", "--out"],
        ["train", "quick", "--data-dir"],
        ["train", "quick", "--device"],
        ["resume"],
        ["analyse"],
        ["plot"],
        ["configs"],
        ["configs", "quick", "--out"],
        ["tasks", "show"],
        ["tasks", "show", "go", "--out"],
        ["tasks", "list", "--suite"],
        ["study"],
        ["study", "report"],
        ["sweep", "quick", "method.strength=[0,1]", "--name"],
    ],
    ids=" ".join,
)
def test_names_that_cannot_be_written(command, name):
    one_line(brainrnn(*command, name), "not Unicode, or NUL")


def test_a_message_does_not_steer_the_terminal():
    one_line(brainrnn("analyse", "\x1b[31mred\x07"), r"\x1b[31mred\x07")


@pytest.mark.parametrize("command", [["train"], ["study"], ["sweep"]])
def test_what_is_no_file_is_no_configuration(command, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder.toml").mkdir()
    more = ["method.strength=[0,1]"] if command == ["sweep"] else []
    for path in (tmp_path / "pipe", tmp_path / "folder.toml", "/dev/zero", tmp_path):
        one_line(brainrnn(*command, path, *more))


def test_a_pipe_where_a_run_should_have_its_configuration(tmp_path):
    for name in ("config.toml", "study.toml"):
        os.mkfifo(tmp_path / name)
    one_line(brainrnn("analyse", tmp_path), "no run")
    one_line(brainrnn("study", "report", tmp_path), "no study.toml")


@pytest.mark.parametrize("name", ["sites.csv", "sites.npy"])
def test_a_pipe_of_places(name, config, tmp_path):
    os.mkfifo(tmp_path / name)
    result = brainrnn(
        "train", config, f"network.geometry={tmp_path / name}", "--out", tmp_path / "x"
    )
    one_line(result, "network.geometry", "not a file")


def test_pictures_that_need_latex(tmp_path):
    one_line(brainrnn("tasks", "show", "go", "--out", tmp_path / "p.pgf"), "format 'pgf'")
    assert not list(tmp_path.iterdir())


def _tree(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _answered(words, written, folder, run):
    """Run a command line beside an experiment and a finished run; what was there stays."""
    (folder / "generated.toml").write_text(written, encoding="utf-8")
    before = _tree(folder)
    with warnings.catch_warnings(), contextlib.chdir(folder):
        warnings.simplefilter("ignore")
        status, output, errors = brainrnn(*words)
    after = _tree(folder)
    if status == 2:
        if not errors.startswith("Usage:"):  # what a command without arguments says
            one_line((status, output, errors))
        assert len(errors) < 2000
        assert after == before
    elif status == 1:
        assert "is not finite at step" in errors
        assert errors.count("\n") == 1
    else:
        assert status == 0, errors
    changed = {path for path in before if after.get(path) != before[path]}
    assert not changed or words[0] in ("analyse", "plot", "resume")
    for path in folder.iterdir():
        if path.name not in ("tiny.toml", "generated.toml", "run"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _settings(examples):
    # No example may hang. Files are as before after each.
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=30_000, suppress_health_check=checks)


@_settings(200)
@given(words=command_lines(), written=configurations())
def test_whatever_is_typed(words, written, config, run):
    _answered(words, written, config.parent, run)


@pytest.mark.slow
@_settings(EXAMPLES)
@given(words=command_lines(), written=configurations())
def test_whatever_is_typed_many_times(words, written, config, run):
    _answered(words, written, config.parent, run)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 * 2**20  # KiB
