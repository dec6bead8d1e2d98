"""The stages of a feed-forward network: its populations in the order in which they are computed."""

from __future__ import annotations

from dataclasses import dataclass

from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError


@dataclass(frozen=True)
class Stage:
    """A population at one moment of the computation.

    Attributes
    ----------
    name : str
        The population's name; where several layers write to it, as to the residual stream of a
        transformer, followed by how often it has been written to since the first time: ``stream0``,
        ``stream1``, ...
    population : str
    parameter : str, optional
        What leads to it from the stage before it; None for the inputs.
    carried : int, optional
        Index of the stage whose value it adds to, if there is one: the stream's last moment.
    """

    name: str
    population: str
    parameter: str | None = None
    carried: int | None = None


def stages(net: Placed) -> tuple[Stage, ...]:
    """The stages of a feed-forward network, inputs first, from the order of its wiring.

    Raises
    ------
    InputError
        If it is not a chain of stages: neurons are wired to their own population, or two stages are
        joined that do not follow each other.
    """
    chain: list[Stage] = []
    last: dict[str, int] = {}
    for parameter in connections(net):
        out, source = (str(axis.population) for axis in net.anatomy.wiring[parameter])
        if not chain:
            chain.append(Stage(source, source))
            last[source] = 0
        if out == source or chain[-1].population != source or last.get(out) == 0:
            break
        chain.append(Stage(out, out, parameter, last.get(out)))
        last[out] = len(chain) - 1
    if not chain or len(chain) <= len(connections(net)):
        raise InputError(
            f"a {type(net).__name__} is not feed-forward, one layer after the other: plot_map and "
            "analyse are for recurrent networks"
        )
    times = {name: [s.population for s in chain].count(name) for name in last}
    seen = dict.fromkeys(last, 0)
    named = []
    for stage in chain:
        number = f"{seen[stage.population]}" if times[stage.population] > 1 else ""
        seen[stage.population] += 1
        named.append(Stage(stage.name + number, stage.population, stage.parameter, stage.carried))
    return tuple(named)


def connections(net: Placed) -> list[str]:
    """Parameters that join neurons with places, in the order of the wiring."""
    wiring = net.anatomy.wiring
    return [n for n, axes in wiring.items() if len(axes) == 2 and all(a.population for a in axes)]
