"""Who sits where: sites and distances, populations, wiring patterns, placed networks."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
