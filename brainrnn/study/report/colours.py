"""One colour for each method, on every page."""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.colors import to_rgb

from brainrnn.plots.style import module_colours

Colour = tuple[float, float, float]

# Methods with a penalty have the colours of Okabe and Ito's colour-blind safe set, those without
# are grey; a network that is placed afterwards has a lighter colour than its own.
_METHODS = {
    "untrained": "#a7adb5",
    "untrained, placed": "#c6cbd1",
    "no penalty": "#4d5359",
    "no penalty, placed afterwards": "#8a9099",
    "L1": "#0072b2",
    "L1, placed afterwards": "#56b4e9",
    "L1 + swap": "#009e73",
    "L1 + locality": "#9b4364",
    "L1 + locality, placed afterwards": "#cc79a7",
    "BIMT": "#d55e00",
    "BIMT, exact arrangement": "#e69f00",
    "BIMT, A = 5": "#855900",
}


def method_colours(labels: Iterable[object]) -> dict[str, Colour]:
    """A colour for each method by its label; the same label has the same one on every page.

    Parameters
    ----------
    labels : iterable of str
        A label that says more than a known one (``L1, strength 0.0001``) has the colour of the
        longest that it begins with. Others get those that are left, in their order.

    Examples
    --------
    >>> found = method_colours(["L1, strength 0.0001", "L1", "mine"])
    >>> found["L1"] == found["L1, strength 0.0001"], found["mine"] == found["L1"]
    (True, False)
    """
    names = list(dict.fromkeys(map(str, labels)))
    known = {name: _known(name) for name in names}
    taken = {to_rgb(colour) for colour in _METHODS.values()}
    left = (colour for i in range(10_000) if (colour := numbered(i)) not in taken)
    return {name: to_rgb(_METHODS[own]) if own else next(left) for name, own in known.items()}


def numbered(i: int) -> Colour:
    """The colour of number ``i``, for what is no method."""
    red, green, blue = module_colours(i).tolist()
    return red, green, blue


def colours(names: Iterable[object]) -> dict[str, Colour]:
    """A colour for each name that is no method's, in the order in which they first appear."""
    return {name: numbered(i) for i, name in enumerate(dict.fromkeys(map(str, names)))}


def _known(name: str) -> str | None:
    begun = [own for own in _METHODS if name == own or name.startswith(f"{own}, ")]
    return max(begun, key=len, default=None)
