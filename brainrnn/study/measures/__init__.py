"""The measures: what a study can ask of its networks, each kind in a file of its own."""

from typing import Annotated

from pydantic import Field

from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.measures.choices import ChoiceMeasure
from brainrnn.study.measures.lesions import LesionMeasure
from brainrnn.study.measures.maps import MapMeasure
from brainrnn.study.measures.outcome import OutcomeMeasure
from brainrnn.study.measures.resolution import ResolutionMeasure
from brainrnn.study.measures.robustness import RobustnessMeasure
from brainrnn.study.measures.sweeps import SweepMeasure
from brainrnn.study.measures.tradeoff import TradeOffMeasure
from brainrnn.study.measures.transfer import TransferMeasure

Measurement = Annotated[
    MapMeasure
    | ChoiceMeasure
    | TradeOffMeasure
    | LesionMeasure
    | RobustnessMeasure
    | ResolutionMeasure
    | TransferMeasure
    | SweepMeasure
    | OutcomeMeasure,
    Field(discriminator="kind"),
]

__all__ = [
    "ChoiceMeasure",
    "Findings",
    "LesionMeasure",
    "MapMeasure",
    "Measure",
    "Measurement",
    "OutcomeMeasure",
    "ResolutionMeasure",
    "RobustnessMeasure",
    "SweepMeasure",
    "TradeOffMeasure",
    "TransferMeasure",
]
