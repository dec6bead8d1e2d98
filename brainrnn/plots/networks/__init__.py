"""Pictures of feed-forward networks: layers on lines, planes in space, and films."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
