"""Public names; `__init__.py` imports each when it is first used."""

from .clustering import cluster_units as cluster_units
from .record import Recordable as Recordable
from .record import accuracy as accuracy
from .record import record as record
from .variance import active_units as active_units
from .variance import normalise as normalise
from .variance import task_variance as task_variance
