import json
import sys
import time
from types import ModuleType

import pytest
from click.testing import CliRunner

from benchmarks import NAMES, gpu
from benchmarks.__main__ import main
from benchmarks.report import write_report
from benchmarks.timing import Comparison, Setting, compare, duration


def test_the_ratio_is_the_median_over_rounds_of_theirs_over_ours():
    result = Comparison("c", ours=[1.0, 2.0, 1.0], theirs=[10.0, 10.0, 30.0])
    assert result.ratios == [10, 5, 30]
    assert result.ratio == 10
    row = result.as_dict()
    assert (row["ratio_min"], row["ratio_max"]) == (5, 30)
    assert (row["ours_s"], row["theirs_s"]) == (1, 10)


@pytest.mark.parametrize(
    ("aim", "reached"),
    [
        ({}, True),
        ({"least": 10.0}, True),
        ({"least": 10.1}, False),
        ({"within": 1.0}, True),
        ({"within": 0.9}, False),
        ({"figures": {"exponent": 2.3}, "limits": {"exponent": 2.4}}, True),
        ({"figures": {"exponent": 2.3}, "limits": {"exponent": 2.2}}, False),
    ],
)
def test_every_aim_can_be_missed(aim, reached):
    result = Comparison("c", ours=[1.0], theirs=[10.0], **aim)
    assert result.reached == reached
    assert ("MISSES" in str(result)) == (not reached)


def test_both_sides_take_turns_and_parts_and_units_are_counted():
    turns = []

    def side(name, seconds):
        def work():
            turns.append(name)
            time.sleep(seconds)

        return work

    result = compare(
        "c",
        side("ours", 0.01),
        side("theirs", 0.02),
        rounds=2,
        part=0.1,
        units=2,
        before=turns.clear,
    )
    assert turns == ["theirs"]  # before is called ahead of every turn
    assert result.ours == pytest.approx([0.005] * 2, rel=0.5)
    assert result.theirs == pytest.approx([0.1] * 2, rel=0.5)


def fake(*ratios):
    """A benchmark with a ratio for each time that it is measured, the last for all others."""
    module, ratios = ModuleType("benchmarks.plot"), list(ratios)
    module.__doc__ = "Nothing against nothing."

    def comparisons(setting):
        ratio = ratios.pop(0) if len(ratios) > 1 else ratios[0]
        yield Comparison("case", [1.0], [ratio], least=5.0 if setting.small else 50.0)

    module.comparisons = comparisons
    return module


@pytest.mark.parametrize(
    ("ratios", "status", "times"), [([6.0], 0, 1), ([4.0, 6.0], 0, 2), ([4.0, 4.5], 1, 2)]
)
def test_the_small_form_fails_below_a_floor_twice(monkeypatch, ratios, status, times):
    monkeypatch.setitem(sys.modules, "benchmarks.plot", fake(*ratios))
    result = CliRunner().invoke(main, ["plot", "--small"])
    assert result.exit_code == status
    assert result.stdout.count("plot: case") == times
    assert ("Slower than their floors, twice: plot (case)" in result.stderr) == bool(status)
    # Otherwise a goal that is missed is a result.
    result = CliRunner().invoke(main, ["plot"])
    assert result.exit_code == 0
    assert result.stdout.count("plot: case") == 1


def test_json_is_an_object_a_line_with_everything_in_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "benchmarks.plot", fake(6.0))
    lines = CliRunner().invoke(main, ["plot", "--json"]).stdout.splitlines()
    (row,) = map(json.loads, lines)
    keys = {"name", "case", "ratio", "ratio_min", "ratio_max", "ours_s", "theirs_s", "machine"}
    assert keys <= row.keys()
    assert row["name"] == "plot"
    assert {"torch", "threads", "cores"} <= row["machine"].keys()


def test_an_unknown_benchmark_is_one_line():
    result = CliRunner().invoke(main, ["rnn_stop"])
    assert result.exit_code == 2
    assert "did you mean 'rnn_step'" in result.stderr


def test_the_page_says_what_was_missed(tmp_path):
    row = Comparison("case", [1.0], [4.0], least=5.0).as_dict()
    row |= {"name": "plot", "machine": {"device": "a processor", "cores": "2"}}
    cells = {100: 0.1, 400: 0.4}
    scale = [{"part": "step", "seconds": cells, "memory": cells, "weights": cells, "exponent": 1.0}]
    write_report(tmp_path / "page.md", [row], scale)
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "| `plot` | case | 4 (4 to 4) | 1 s | 4 s | 5 x: **missed** |" in page
    assert "a processor" in page
    assert "| step | 100 ms, 0 MiB | 400 ms, 0 MiB | 1.00 |" in page


def test_every_benchmark_says_what_the_other_side_is():
    for name in NAMES:
        module = __import__(f"benchmarks.{name}", fromlist=["comparisons"])
        assert len(module.__doc__) > 40
        assert callable(module.comparisons)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(7200, "2 h"), (90, "1.5 min"), (1.5, "1.5 s"), (0.02, "20 ms"), (3e-6, "3 µs")],
)
def test_durations_are_readable(seconds, text):
    assert duration(seconds) == text


def test_a_setting_chooses_a_size():
    assert (Setting().either(7, 2), Setting(small=True).either(7, 2)) == (7, 2)


def test_the_check_of_a_gpu_can_be_rehearsed_on_the_processor(tmp_path):
    words = ["--device", "cpu", "--small", "--out", str(tmp_path / "gpu.json")]
    result = CliRunner().invoke(gpu.main, words)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert "torch" in found["machine"]
    assert len({row["what"] for row in found["rows"]}) == 7
    assert all(row["device_s"] > 0 and row["cpu_s"] > 0 for row in found["rows"])


def test_without_a_gpu_its_check_is_one_line(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    result = CliRunner().invoke(gpu.main, [])
    assert result.exit_code == 2
    assert "no device 'cuda' here" in result.stderr
