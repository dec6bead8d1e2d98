"""How the answers of a study were made: provenance.json."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field

from brainrnn.config import Count, Settings, build
from brainrnn.errors import InputError
from brainrnn.files import atomic_path

_FILE = "provenance.json"


class Provenance(Settings):
    """What a page says of how its study was made; versions are in versions.json."""

    command: str = Field("", description="what was called")
    processors: Count = Field(description="of the machine that measured")
    rows: dict[str, int] = Field({}, description="of each table of answers")
    others: tuple[str, ...] = Field(
        (), description="versions that networks were trained with, where others measured them"
    )

    def write(self, folder: Path) -> None:
        """Write provenance.json."""
        with atomic_path(folder / _FILE) as temporary:
            temporary.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Provenance:
        """What :meth:`write` left.

        Raises
        ------
        InputError
            If it is not there, or damaged.
        """
        try:
            values = json.loads((folder / _FILE).read_text(encoding="utf-8"))
            if not isinstance(values, dict):
                raise ValueError
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is damaged"
            raise InputError(
                f"cannot read {folder / _FILE}: {reason}; run the study again"
            ) from None
        return build(cls, values)
