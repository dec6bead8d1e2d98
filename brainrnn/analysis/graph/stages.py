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

    Examples
    --------
    >>> Stage("h1", "h1", "fc0.weight").carried is None
    True
    """

    name: str
    population: str
    parameter: str | None = None
    carried: int | None = None


def stages(net: Placed) -> tuple[Stage, ...]:
    """The stages of a feed-forward network, inputs first.

    They are read from the order of its wiring, parameter by parameter. Where no population is
    written to or read from twice, the order of the parameters makes no difference.

    Parameters
    ----------
    net : Placed

    Returns
    -------
    tuple of Stage
        Of populations only: a parameter that joins one to anything without places leads nowhere.

    Raises
    ------
    InputError
        If it is not a chain of stages: neurons are wired to their own population, two stages are
        joined that do not follow each other, or no two populations are joined at all.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(3, 2, br.MLPSpec(hidden=(4, 5)))
    >>> [stage.name for stage in stages(net)]
    ['input', 'h1', 'h2', 'out']
    """
    chain: list[Stage] = []
    last: dict[str, int] = {}
    joining = _in_order(net)
    for parameter, (out, source) in joining.items():
        if not chain:
            chain.append(Stage(source, source))
            last[source] = 0
        if out == source or chain[-1].population != source or last.get(out) == 0:
            break
        chain.append(Stage(out, out, parameter, last.get(out)))
        last[out] = len(chain) - 1
    if not chain or len(chain) <= len(joining):
        raise InputError(
            f"a {type(net).__name__} is not feed-forward, one layer after the other: it has no "
            "stages, and no paths from inputs to outputs (connection_graph and newman_modularity "
            "need none; plot_map and analyse are for recurrent networks)"
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


def _in_order(net: Placed) -> dict[str, tuple[str, str]]:
    """Populations (target, source) that each parameter joins, in the order of the computation."""
    joins: dict[str, tuple[str, str]] = {}
    for name in connections(net):
        out, source = net.anatomy.wiring[name]
        joins[name] = (str(out.population), str(source.population))
    onward = {source: name for name, (_, source) in joins.items()}
    targets = {out for out, _ in joins.values()}
    first = onward.keys() - targets
    if len(onward) < len(joins) or len(targets) < len(joins) or len(first) != 1:
        return joins  # a population comes twice: only the wiring can tell when
    (population,) = first
    ordered: dict[str, tuple[str, str]] = {}
    while population in onward:
        name = onward[population]
        ordered[name] = joins[name]
        population = joins[name][0]
    return ordered if len(ordered) == len(joins) else joins
