"""What the networks of a study answer: tidy tables, from which its report is made again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from brainrnn.errors import DamagedError, InputError
from brainrnn.files import atomic_path
from brainrnn.study.subject import Cell
from brainrnn.study.values import columns, fact

Fact = int | float | str | bool
_NETWORKS, _ITEMS, _DIGESTS = "networks.csv", "items.csv", "sha256sums"
_WORDS = dict.fromkeys(("network", "method", "label"), str)  # also where all are numbers


@dataclass(frozen=True)
class Answer:
    """What one network answers.

    Attributes
    ----------
    items : DataFrame
        A row for each thing that was asked: a statistic, a lesion, a level, a step.
    network : dict
        What is known of the network as a whole, by name.
    """

    items: pd.DataFrame
    network: Mapping[str, Fact] = field(default_factory=dict)

    def write(self, folder: Path, cell: Cell) -> None:
        """Keep the answer of one network; it counts as given when networks.csv is there."""
        twice = set(self.network) & set(self.items)
        assert not twice, f"told of the network and of its items: {sorted(twice)}"
        about: dict[str, Fact] = {"network": cell.name, "method": cell.method}
        about |= {"label": cell.label, "seed": cell.seed}
        setting = {key: fact(value) for key, value in cell.setting.items()}
        network = pd.DataFrame([about | setting | dict(self.network)])
        items = self.items.copy()
        items.insert(0, "network", cell.name)
        write_table(items, folder / cell.name / _ITEMS)
        write_table(network, folder / cell.name / _NETWORKS)
        with atomic_path(folder / cell.name / _DIGESTS) as temporary:
            temporary.write_text(_digests(folder / cell.name), encoding="utf-8")


def is_answered(folder: Path, cell: Cell) -> bool:
    """Whether a network's answer is kept in the folder."""
    return (folder / cell.name / _NETWORKS).is_file()


def _digests(folder: Path) -> str:
    """What the program ``sha256sum`` says of both tables."""
    return "".join(
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in (_ITEMS, _NETWORKS)
    )


def _require_as_written(folder: Path) -> None:
    """See that nothing has happened to the answer of one network."""
    try:
        whole = (folder / _DIGESTS).read_text(encoding="utf-8") == _digests(folder)
    except FileNotFoundError:  # a former version wrote no digests; of a table it is said elsewhere
        whole = True
    except (OSError, ValueError):
        whole = False
    if not whole:
        raise DamagedError(
            f"{folder} is damaged, its tables are not what was written: delete it and run the "
            "study again"
        )


def read_answer(folder: Path, cell: Cell) -> pd.Series:
    """What is known of one network, from the answer that is kept in the folder.

    Raises
    ------
    InputError
        If there is none, or it is damaged.
    """
    _require_as_written(folder / cell.name)
    return read_table(folder / cell.name / _NETWORKS).iloc[0]


@dataclass(frozen=True)
class Answers:
    """What all networks of a study answer.

    Attributes
    ----------
    networks : DataFrame
        A row for each network: ``network`` (its name), ``method``, ``label``, ``seed``, the number
        of its ``point`` if it is drawn, a column for every key that is swept or drawn, and what is
        known of the network as a whole.
    items : DataFrame
        ``network``, and a row for each thing that was asked.
    """

    networks: pd.DataFrame
    items: pd.DataFrame

    @classmethod
    def collect(cls, folder: Path, cells: Iterable[Cell]) -> Answers:
        """The answers that single networks left in a folder, in the study's order."""
        each = []
        for cell in cells:
            _require_as_written(folder / cell.name)
            each.append(_read_both(folder / cell.name))
        networks, items = zip(*each, strict=True)
        return cls(pd.concat(networks, ignore_index=True), pd.concat(items, ignore_index=True))

    @classmethod
    def read(cls, folder: Path) -> Answers:
        """What :meth:`write` left.

        Raises
        ------
        InputError
            If the files are not there, or are not what was written.
        """
        return cls(*_read_both(folder))

    def write(self, folder: Path) -> None:
        """Write networks.csv and items.csv."""
        write_table(self.items, folder / _ITEMS)
        write_table(self.networks, folder / _NETWORKS)

    @property
    def rows(self) -> pd.DataFrame:
        """Every item with what is known of its network.

        First come ``method``, ``label``, ``seed`` and the swept keys, then the item, then the
        facts about the network.
        """
        names = ["method", "label", "seed", *columns(self.networks)]
        rows = self.items.join(self.networks.set_index("network"), on="network")
        rest = rows.columns.drop(["network", *names])
        return rows[[*names, *rest]]


def read_table(file: Path) -> pd.DataFrame:
    """A table of a study; only an empty cell is NaN, for a method may be called None.

    Raises
    ------
    InputError
        If the file is not there, or is no table.
    """
    try:
        return pd.read_csv(file, keep_default_na=False, na_values=[""], dtype=_WORDS)
    except FileNotFoundError:
        raise InputError(
            f"{file} is missing: name the folder of a study that was measured, or run the study "
            "again"
        ) from None
    except (OSError, ValueError) as error:  # ParserError and UnicodeError are ValueErrors
        reason = str(error).splitlines()[0] if str(error) else "not a table"
        raise InputError(f"cannot read {file}: {reason}; run the study again") from None


def write_table(table: pd.DataFrame, file: Path) -> None:
    """Write a table as CSV, whole or not at all."""
    with atomic_path(file) as temporary:
        table.to_csv(temporary, index=False)


def _read_both(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    networks, items = read_table(folder / _NETWORKS), read_table(folder / _ITEMS)
    _require(networks, folder / _NETWORKS, ("network", "method", "label", "seed"))
    _require(items, folder / _ITEMS, ("network",))
    unknown = set(items.network) - set(networks.network)
    if unknown or networks.network.duplicated().any():
        raise InputError(
            f"{folder / _NETWORKS} and {_ITEMS} are not of the same networks: run the study again"
        )
    return networks, items


def _require(table: pd.DataFrame, file: Path, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in table]
    if missing:
        raise InputError(
            f"{file} has no column {missing[0]!r}: it is no table of a study; run the study again"
        )
