"""Feed-forward networks: how good they are, what they need, and what their neurons hold."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
