"""Pictures. Those that plot return a matplotlib Figure; nothing is saved or shown unasked."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
