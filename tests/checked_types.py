"""Types and shapes checked while the tests run: `make test-types`.

The checker of every function that jaxtyping's import hook decorates.
"""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is a float, as for mypy
