"""Networks that must pay for their wiring: train them, and test whether a map has grown.

>>> import brainrnn as br
>>> br.grid(20, 20).shape
torch.Size([400, 2])

Every name is imported when it is first used: `import brainrnn` alone costs next to nothing.
"""

import lazy_loader as lazy

from brainrnn._moved import install as install_former_names

_public, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
install_former_names()


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("brainrnn")
    return _public(name)
