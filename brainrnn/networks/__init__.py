"""Networks whose neurons have places. None of them knows of costs or swaps."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
