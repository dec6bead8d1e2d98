"""Tests, in folders as the packages are.

``check_types`` checks types and shapes of every call: pytest --jaxtyping-packages=brainrnn,tasks,\
tests.check_types, as `make test-types` does.
"""

from beartype import BeartypeConf, beartype

check_types = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is a float, as for mypy
