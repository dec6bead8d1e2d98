"""Studies: many networks trained alike but for their methods and seeds, and one question to all."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
