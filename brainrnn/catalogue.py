"""Configurations that come with the package: experiments and studies, found by name.

They lie in ``configs/``: beside the package in a clone, inside it once it is installed.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Literal, get_args

from brainrnn.errors import InputError

Kind = Literal["experiment", "study"]
STUDIES = "studies"  # the folder of studies; every other file is an experiment


def shipped(kind: Kind) -> dict[str, Path]:
    """Files of that kind that come with the package, by name.

    Examples
    --------
    >>> sorted(shipped("experiment"))[:2]
    ['cog20_bimt', 'cog20_l1']
    >>> "growing_brains" in shipped("study")
    True
    """
    folder = _folder()
    studies = folder / STUDIES
    if kind == "study":
        return {path.stem: path for path in sorted(studies.glob("*.toml"))}
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in [*sorted(folder.glob("*.toml")), *sorted(folder.glob("*/*.toml"))]
        if studies not in path.parents
    }


def find(kind: Kind, given: str | Path) -> Path:
    """The file at that path or, if there is none, the one of that name that comes with the package.

    Raises
    ------
    InputError
        If there is neither; it says the nearest known names.

    Examples
    --------
    >>> find("experiment", "quick").name
    'quick.toml'
    """
    path, name = Path(given), str(given).removesuffix(".toml")
    if path.is_file():
        return path
    known = shipped(kind)
    if name in known:
        return known[name]
    for other in get_args(Kind):
        if name in shipped(other):
            command = {"experiment": "train", "study": "study"}[other]
            article = {"experiment": "an experiment", "study": "a study"}[other]
            raise InputError(f"{name!r} is {article}: use `brainrnn {command} {name}`")
    if path.suffix == ".toml":
        raise InputError(f"no configuration file {path}: check the path")
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    raise InputError(f"no {kind} {name!r}: {hint}`brainrnn configs` lists all that there are")


def title(path: Path) -> str:
    """What a configuration is for, in one line: the comment at its head.

    Examples
    --------
    >>> title(find("experiment", "quick"))
    '100 neurons on a 10 x 10 grid, the 20 cognitive tasks: a first look in about a minute.'
    """
    with path.open(encoding="utf-8") as file:
        return file.readline().lstrip("# ").rstrip()


def _folder() -> Path:
    here = Path(__file__).parent
    installed = here / "configs"
    return installed if installed.is_dir() else here.parent / "configs"
