"""Public names; `__init__.py` imports each when it is first used."""

from .amend import amend as amend
from .changes import changed as changed
from .experiment import Experiment as Experiment
from .experiment import TaskSpec as TaskSpec
from .experiment import build_network as build_network
from .experiment import load_experiment as load_experiment
from .experiment import load_suite as load_suite
from .experiment import on_device as on_device
from .experiment import suites as suites
from .folder import InterruptedRun as InterruptedRun
from .folder import Run as Run
from .folder import load as load
