import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


def test_the_python_example_runs(monkeypatch, tmp_path, capsys):
    """The README's example, smaller: fewer steps, fewer neurons."""
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    for full, small in (("steps=3000", "steps=30"), ("br.grid(20, 20)", "br.grid(8, 8)")):
        assert full in example
        example = example.replace(full, small)
    exec(compile(example, "README.md", "exec"), {})
    assert "isolated" in capsys.readouterr().out
    assert (tmp_path / "map.png").stat().st_size > 10_000


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "docs/images/map.png", "configs/quick.toml"])
def test_what_the_readme_points_at_exists(name):
    assert name in README.read_text(encoding="utf-8")
    assert (README.parent / name).is_file()


def test_every_configuration_it_names_is_valid_and_differs_in_the_method_alone():
    from brainrnn.runs.experiment import load_experiment

    configs = README.parent / "configs"
    named = set(re.findall(r"configs/(\w+\.toml)", README.read_text(encoding="utf-8")))
    assert named == {path.name for path in configs.glob("*.toml")}
    whole = {name: load_experiment(configs / name) for name in named}
    same = [e.model_copy(update={"method": None}) for n, e in whole.items() if "cog20" in n]
    assert all(other == same[0] for other in same)
    methods = [e.method for n, e in whole.items() if "cog20" in n]
    assert all(one != two for i, one in enumerate(methods) for two in methods[:i])
