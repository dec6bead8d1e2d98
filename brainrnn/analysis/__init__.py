"""Functional modules of a trained network, and whether they form a map in space."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
