"""Settings of property tests: no deadlines on busy machines, the same examples on CI."""

import os

from hypothesis import settings

settings.register_profile("brainrnn", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("brainrnn")
