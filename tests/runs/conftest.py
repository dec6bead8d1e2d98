"""A configuration that takes a second, and a run of it, for every file here."""

from tests.runs.test_folder import config as config
from tests.runs.test_folder import finished as finished
