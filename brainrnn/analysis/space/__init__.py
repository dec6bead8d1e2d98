"""Where neurons sit: statistics of a map, and the permutation test."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
