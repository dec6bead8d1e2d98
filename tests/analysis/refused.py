"""Bad input in tests that may run while types are checked in every call."""

import re
from contextlib import contextmanager

import pytest
from jaxtyping import TypeCheckError

from brainrnn.errors import InputError


@contextmanager
def refused(match):
    """Expect an InputError of one line; where types are checked, theirs may come first."""
    with pytest.raises((InputError, TypeCheckError)) as raised:
        yield
    if isinstance(raised.value, InputError):
        assert re.search(match, str(raised.value))
        assert "\n" not in str(raised.value)
