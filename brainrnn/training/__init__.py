"""The training loop, the flat parameters beneath it, and what is saved of it."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
