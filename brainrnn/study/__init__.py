"""Studies: many networks trained alike but for their methods and seeds, and one question to all."""

from brainrnn.study.pipeline import conduct
from brainrnn.study.plan import Study, load_study

__all__ = ["Study", "conduct", "load_study"]
