"""Public names; `__init__.py` imports each when it is first used."""

from .pipeline import conduct as conduct
from .plan import Study as Study
from .plan import load_study as load_study
from .report.fill import fill as fill
from .report.page import write_report as write_report
from .results import results as results
from .sweep import make_sweep as make_sweep
