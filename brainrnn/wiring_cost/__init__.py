"""What a network pays for its wiring, and how its neurons swap places to pay less."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
