"""What a study consists of, as a configuration that is fixed before networks are measured."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, JsonValue, model_validator

from brainrnn.catalogue import find
from brainrnn.config import Seed, Settings, build, override, put, read_toml
from brainrnn.errors import InputError, unknown
from brainrnn.runs.experiment import Experiment
from brainrnn.study.answers import is_answered
from brainrnn.study.measures import Measurement
from brainrnn.study.sample import Sample
from brainrnn.study.subject import Arrangement, Cell, make_subject
from brainrnn.study.together import together
from brainrnn.study.values import POINT, Setting, in_file_name

_LONGEST = 200  # bytes of a file's name, to which something is added
_MOST = 100_000  # networks


class MethodSpec(Settings):
    """How the networks of one method differ from the study's experiment."""

    label: str = Field(description="the method in words")
    settings: tuple[str, ...] = Field(
        (), description="what differs from the experiment: section.key=value"
    )
    sweep: dict[str, tuple[JsonValue, ...]] = Field(
        {}, description="keys of the experiment, each with the values to try, in every combination"
    )
    sample: Sample | None = Field(
        None, description="values of keys that are drawn, instead of a sweep"
    )
    trained: bool = Field(True, description="whether the networks are trained at all")
    arrangement: Arrangement = Field(
        "kept",
        description="of the neurons after training: kept; or anew, by exchanges until none "
        "shortens the wiring (descent), or as a relaxed quadratic assignment",
    )

    @model_validator(mode="after")
    def _distinct(self) -> MethodSpec:
        for key, values in self.sweep.items():
            if not values:
                raise ValueError(f"sweep of {key} needs values")
            if len({in_file_name(value) for value in values}) < len(values):
                raise ValueError(f"values of {key} must differ from each other, got {list(values)}")
        if self.sweep and self.sample:
            raise ValueError("a method has a sweep or a sample, not both: use choice(...) in space")
        return self

    @property
    def searches(self) -> bool:
        """Whether its settings depend on what networks answer."""
        return self.sample is not None and self.sample.searches

    def settings_known(self) -> list[dict[str, Any]]:
        """Values of swept keys of each of its networks; none yet if it searches for them."""
        if self.sample is not None:
            return [] if self.searches else self.sample.settings()
        return [
            dict(zip(self.sweep, point, strict=True)) for point in product(*self.sweep.values())
        ]


class Study(Settings):
    """Networks, and one question to all of them.

    Examples
    --------
    >>> study = load_study("growing_brains")
    >>> len(study.methods), len(study.cells())  # a network for each method and seed
    (11, 55)
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,100}$")] = Field(
        description="what the study's folder is called: lower case letters, digits and _"
    )
    title: str = Field(description="the question, as a headline")
    text: str = Field("", description="what is asked and why, for the report")
    seeds: tuple[Seed, ...] = Field(
        min_length=1, description="one network of every method for each"
    )
    only: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        None, description="some of the methods; unset: all"
    )
    experiment: Experiment = Experiment()
    methods: dict[str, MethodSpec] = Field(
        min_length=1, description="by name, which is a part of file names"
    )
    measure: Measurement = Field(description="the question")
    together: int = Field(
        8,
        ge=1,
        le=1000,
        description="small networks of one seed that train as members of one, at most; 1: each "
        "trains alone",
    )

    @model_validator(mode="after")
    def _distinct(self) -> Study:
        if self.name == "networks":
            raise ValueError("name: networks is the folder of all trained networks")
        for name in self.methods:
            if not re.fullmatch(r"\w[\w .+-]{0,99}", name):
                raise ValueError(
                    f"methods: {name!r:.100} is a part of file names: use letters, digits, blanks, "
                    "and . _ + -, at most 100"
                )
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds must differ from each other")
        for name in self.only or ():
            if name not in self.methods:
                raise ValueError(unknown("method", name, self.methods))
        number = len(self.seeds) * sum(
            math.prod(map(len, method.sweep.values())) for method in self.chosen.values()
        )
        if number > _MOST:
            raise ValueError(f"a study has at most {_MOST:,} networks, and this one {number:,}")
        labels = [method.label for method in self.chosen.values()]
        if len(set(labels)) < len(labels):
            raise ValueError(f"methods must have labels of their own, got {labels}")
        grids = [name for name, method in self.chosen.items() if method.sweep]
        drawn = [name for name, method in self.chosen.items() if method.sample]
        if grids and drawn:
            raise ValueError(
                f"methods: {grids[0]} has a grid, {drawn[0]} a sample: use one of them"
            )
        goals = getattr(self.measure, "goals", ())
        if not goals and any(method.searches for method in self.chosen.values()):
            raise ValueError("a search needs a measure of kind sweep with goals, such as accuracy")
        return self

    @property
    def chosen(self) -> dict[str, MethodSpec]:
        """The methods that take part, by name."""
        return {name: self.methods[name] for name in self.only or self.methods}

    def cells(self, asked: Mapping[str, Iterable[Setting]] | None = None) -> list[Cell]:
        """Every network of the study, seed by seed, so that an early look sees all methods.

        Parameters
        ----------
        asked : mapping of str to settings, optional
            Networks of these settings of these methods instead of all. Without it, methods that
            search have no networks, for their settings are not known yet.

        Raises
        ------
        InputError
            If what a method sets is not a key of the experiment, or two networks have one name, or
            one that is too long.
        """
        if asked is None:
            asked = {name: method.settings_known() for name, method in self.chosen.items()}
        cells = [
            cell
            for seed in self.seeds
            for name, settings in asked.items()
            for cell in _cells(self.experiment, name, self.methods[name], seed, settings)
        ]
        names = Counter(cell.name for cell in cells)
        if twice := [name for name, count in names.items() if count > 1]:
            raise InputError(
                f"two networks would have files called {twice[0]!r}: give a method another name"
            )
        if long := [name for name in names if len(name.encode()) > _LONGEST]:
            raise InputError(
                f"a network would have files called {long[0]!r:.60}, which is too long: sweep "
                "fewer keys at once, or give the method a shorter name"
            )
        return together(cells, self.together)

    def folders(self, out: Path) -> tuple[Path, Path]:
        """Folders of all trained networks and of this study, in a folder of studies."""
        return out / "networks", out / self.name

    def is_answered(self, cell: Cell, folder: Path) -> bool:
        """Whether a network's answer is kept in the study's folder."""
        return is_answered(folder / "answers", cell)

    def ask(self, cell: Cell, networks: Path, folder: Path) -> None:
        """Put the study's question to a trained network, and keep the answer."""
        subject = make_subject(cell, networks, folder / "networks")
        self.measure.answer(subject).write(folder / "answers", cell)


def _cells(
    base: Experiment, name: str, method: MethodSpec, seed: int, settings: Iterable[Setting]
) -> Iterable[Cell]:
    values = base.model_dump(mode="json", exclude_none=True)
    values = override(values, [*method.settings, f"seed={seed}"])
    for setting in settings:
        pairs = [(key, value) for key, value in setting.items() if key != POINT]
        experiment = build(Experiment, put(values, pairs))
        yield Cell(
            name, method.label, seed, experiment, method.trained, method.arrangement, dict(setting)
        )


def load_study(study: str | Path, overrides: Iterable[str] = ()) -> Study:
    """Read a study from a TOML file, or by the name of one that comes with the package.

    A file that says ``extends = "other.toml"`` has everything of the other but what it says
    itself. The other lies beside it, or comes with the package. In the same way its section
    ``experiment`` may extend an experiment: ``extends = "paper/fig3a-notebook"``.

    Parameters
    ----------
    study : str or Path
        The file, or a name such as "growing_brains".
    overrides : iterable of str
        Each sets one key, ``section.key=value``; the value is read as TOML.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        One line for whatever is wrong with the file, a key or a value.

    Examples
    --------
    >>> load_study("growing_brains", ["seeds=[1, 2]"]).seeds
    (1, 2)
    """
    return build(Study, override(_read(find("study", study)), overrides))


def _read(path: Path, below: tuple[Path, ...] = ()) -> dict[str, Any]:
    if path.resolve() in below:
        raise InputError(f"{path} extends itself, by way of {below[-1].name}: take that line out")
    values = read_toml(path)
    experiment = values.get("experiment")
    if isinstance(experiment, dict) and "extends" in experiment:
        named = str(experiment.pop("extends"))
        like = path.parent / named
        like = like if like.is_file() else find("experiment", named)
        values["experiment"] = _merged(read_toml(like), experiment)
    parent = values.pop("extends", None)
    if parent is None:
        return values
    beside = path.parent / str(parent)
    base = beside if beside.is_file() else find("study", str(parent))
    return _merged(_read(base, (*below, path.resolve())), values)


def _merged(base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values over others; a measure of another kind replaces the whole."""
    result = dict(base)
    for key, value in values.items():
        old = result.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            same_kind = value.get("kind", old.get("kind")) == old.get("kind")
            result[key] = _merged(old, value) if same_kind else value
        else:
            result[key] = value
    return result
