"""A network of a study whose keys may have words for values, or whose values are drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from brainrnn.study.subject import Cell
from brainrnn.study.values import POINT, in_file_name


@dataclass(frozen=True)
class SweptCell(Cell):
    """A network of a study; files are named after its values or, if drawn, after its point.

    Examples
    --------
    >>> from brainrnn.runs import Experiment
    >>> SweptCell("bimt", "BIMT", 3, Experiment(), setting={"network.shape": [5, 5]}).name
    'bimt-5x5-3'
    """

    setting: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What files about this network are called."""
        values = [self.setting[POINT]] if POINT in self.setting else self.setting.values()
        return "-".join([self.method, *map(in_file_name, values), str(self.seed)])
