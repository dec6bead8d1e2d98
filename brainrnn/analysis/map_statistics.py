"""Everything that can be said of a network's map, its wiring and its graph, beside chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from brainrnn.analysis.graph.agreement import adjusted_mutual_information
from brainrnn.analysis.graph.mixing import participation, within_module_weight
from brainrnn.analysis.graph.recurrent import ALTERNATIVES as GRAPH
from brainrnn.analysis.graph.recurrent import graph_test, live
from brainrnn.analysis.neurons import Neurons
from brainrnn.analysis.parts import not_given
from brainrnn.analysis.space.lengths import connection_lengths
from brainrnn.analysis.space.mantel import mantel
from brainrnn.analysis.space.moran import morans_i
from brainrnn.analysis.space.patches import component_size, join_count
from brainrnn.analysis.space.permutation import Alternative, Statistic, permutation_test
from brainrnn.errors import InputError
from brainrnn.streams import Stream, seeds

Maker = Callable[[Neurons], Statistic]


class Row(NamedTuple):
    """A statistic of a network's map, wiring or graph.

    Attributes
    ----------
    label : str
    alternative : {"less", "greater", "two-sided"}
        The side on which a map or anatomical modularity would be.
    needs : str
        Variables of an analysis that it is of, separated by spaces.
    permuted : {"modules", "neurons"}, optional
        What its null permutes; None where it comes with a null of its own.
    of : function, optional
        From the active neurons to what is permuted.
    """

    label: str
    alternative: Alternative
    needs: str
    permuted: Literal["modules", "neurons"] | None = None
    of: Maker | None = None


STATISTICS = {
    "isolated": Row("fraction of neurons isolated", "less", "module position"),
    "cluster_size": Row("average cluster size", "less", "module position"),
    "join_count": Row(
        "neighbours of the same module",
        "greater",
        "module position",
        "modules",
        lambda neurons: join_count(neurons.neighbours),
    ),
    "component_size": Row(
        "mean patch of a module",
        "greater",
        "module position",
        "modules",
        lambda neurons: component_size(neurons.neighbours),
    ),
    "largest_component": Row(
        "largest patch of a module",
        "greater",
        "module position",
        "modules",
        lambda neurons: component_size(neurons.neighbours, largest=True),
    ),
    "moran": Row(
        "Moran's I, mean over tasks",
        "greater",
        "task_variance position",
        "neurons",
        lambda neurons: _with_mean(morans_i(neurons.neighbours, neurons.share)),
    ),
    "distance_similarity": Row(
        "r(distance, functional similarity)",
        "less",
        "task_variance position",
        "neurons",
        lambda neurons: mantel(neurons.distance, neurons.similarity),
    ),
    "strength_similarity": Row(
        "r(strength, functional similarity)",
        "greater",
        "task_variance weight",
        "neurons",
        lambda neurons: mantel(neurons.strength, neurons.similarity),
    ),
    "distance_strength": Row(
        "r(distance, strength)",
        "less",
        "position weight",
        "neurons",
        lambda neurons: mantel(neurons.distance, neurons.strength),
    ),
    "within_module_weight": Row(
        "weight within modules",
        "greater",
        "module weight",
        "modules",
        lambda neurons: within_module_weight(neurons.weight),
    ),
    "participation": Row(
        "participation coefficient",
        "less",
        "module weight",
        "modules",
        lambda neurons: participation(neurons.weight),
    ),
    "community_agreement": Row(
        "communities and modules, AMI",
        "greater",
        "module weight",
        "modules",
        lambda neurons: adjusted_mutual_information(neurons.community),
    ),
    "modularity": Row("Newman modularity", GRAPH["modularity"], "weight"),
    "clustering": Row("clustering coefficient", GRAPH["clustering"], "weight"),
    "path_length": Row("path length", GRAPH["path_length"], "weight"),
    "small_world": Row("small-worldness", GRAPH["small_world"], "weight"),
    "small_world_density": Row("small-worldness, equal density", GRAPH["small_world"], "weight"),
}
MEASURES = {name: STATISTICS[name].label for name in ("isolated", "cluster_size")}  # of the paper
TITLE = "brainrnn map statistics"
MORAN = "moran_"  # before the name of a task
_FEW = 3  # active neurons that there must be
_FIELDS = ("observed", "null_mean", "null_sd", "null_low", "null_high", "z", "p")


def map_statistics(
    brain: xr.Dataset,
    *,
    statistics: Mapping[str, Maker] | None = None,
    alternative: Alternative | Mapping[str, Alternative] = "two-sided",
    permutations: int | None = None,
    graphs: int = 50,
    live_threshold: float = 0.05,
    seed: int | None = None,
    device: torch.device | str = "cpu",
) -> xr.Dataset:
    """Compare many statistics of each network with chance, and fit its connection lengths.

    Three things are drawn at random. Modules are permuted over the active neurons for what is said
    of modules: the two measures of "Growing Brains" (arXiv:2310.07711), taken over from ``brain``,
    :func:`join_count`, :func:`component_size`, :func:`within_module_weight`, :func:`participation`,
    and the agreement of modules with communities of the graph. Neurons are permuted over their
    places, or over their rows of the weight matrix, for what is said of neurons: :func:`morans_i`
    of normalised task variances and :func:`mantel` correlations between distance, connection
    strength (|weight| in both directions) and functional :func:`similarity`; the paper's anatomical
    modularity has all three. The graph of live connections is compared with graphs in which every
    neuron keeps its degree (:func:`graph_test`), and ``small_world_density`` with graphs that have
    just as many edges in all.

    Parameters
    ----------
    brain : Dataset
        As from :func:`analyse` or :func:`analyse_recorded`. Statistics of what it was not given are
        left out, and so is what they alone need.
    statistics : mapping of str to function, optional
        Statistics of your own: each from the active neurons of one network (:class:`Neurons`, with
        ``place``, ``neighbours``, ``distance``, ``share``, ``weight``, ...) to a function of
        modules (batch, unit) to (batch,), as in :func:`permutation_test`.
    alternative : {"less", "greater", "two-sided"}, or a mapping of str to these
        Of your own statistics.
    permutations : int, optional
        As many as in ``brain`` by default.
    graphs : int
        Random graphs.
    live_threshold : float
        Connections above this fraction of the strongest are in the graph, and have a length.
    seed : int, optional
        That of ``brain`` by default.
    device : torch device
        Where permutations are drawn.

    Returns
    -------
    Dataset
        Over member and statistic: ``observed``, ``null_mean``, ``null_sd``, ``null_low``,
        ``null_high`` (2.5 and 97.5 % quantiles), ``z`` and ``p`` as from :func:`permutation_test`,
        with the coordinates ``alternative`` (the side of p), ``name`` and ``draws``. Statistics
        ``moran_TASK`` are of single tasks. ``community`` (member, unit): communities of the graph,
        -1 if inactive. ``length_...``: the variables of :func:`connection_lengths`. A network of
        fewer than 3 active neurons has NaN throughout. The attribute ``left_out`` says what is left
        out, and why.

    Raises
    ------
    InputError
        If there are no permutations or random graphs, the threshold is out of range, the analysis
        has neither positions nor weights, or a statistic of your own has a name that is taken.

    Notes
    -----
    Distances are between the coordinates of places, in units of the sites' spacing; a periodic
    space is not wrapped. The p-values are of single statistics: among so many, some are small by
    chance, and many ask almost the same. Connection strength and functional similarity, weight
    within modules, participation, agreement, and all of the graph do not look at places, so that
    exchanging neurons cannot change them; distance and connection strength is what a connection
    cost is about, and says of a trained network that it was paid.

    Examples
    --------
    Areas that fill the quadrants of a grid, and a statistic of one's own:

    >>> import brainrnn as br
    >>> place = br.grid(6, 6).numpy()
    >>> area = (place > 0.5) @ [2, 1]
    >>> brain = br.analyse_recorded(
    ...     positions=place, modules=area, spec=br.AnalysisSpec(permutations=200)
    ... )
    >>> own = {"cluster_size_again": lambda neurons: br.analysis.cluster_size(neurons.place)}
    >>> found = br.map_statistics(brain, statistics=own, alternative="less")
    >>> found.statistic.values.tolist()[2:]
    ['join_count', 'component_size', 'largest_component', 'cluster_size_again']
    >>> float(found.p.sel(statistic="join_count")[0].round(3))
    0.005
    >>> print(found.attrs["left_out"].split(";")[0])
    not given: activity or variance, weights
    """
    n = int(brain.attrs["permutations"]) if permutations is None else permutations
    if n < 1:
        raise InputError(f"a permutation test needs at least 1 permutation, got n={n}")
    rows = _rows(brain, statistics or {}, alternative)
    source = int(brain.attrs["seed"]) if seed is None else seed
    lengths = {"position", "weight"} <= brain.keys() and not _coincide(brain.position)
    tested = [
        _member(brain.isel(member=i), rows, lengths, n, graphs, live_threshold, source, device)
        for i in range(brain.sizes["member"])
    ]
    result = xr.concat(tested, "member", join="outer", combine_attrs="override")
    left_out = [name for name in STATISTICS if name not in rows]
    left_out += [] if lengths else ["connection lengths"]
    return result.assign_attrs(
        {"title": TITLE, "permutations": n, "graphs": graphs}
        | {"live_threshold": live_threshold, "seed": source}
        | ({"left_out": _why(brain, left_out)} if left_out else {})
    )


def _rows(
    brain: xr.Dataset,
    own: Mapping[str, Maker],
    alternative: Alternative | Mapping[str, Alternative],
) -> dict[str, Row]:
    """Statistics that an analysis allows, by name; those of the user stand last."""
    rows = {name: row for name, row in STATISTICS.items() if brain.keys() >= {*row.needs.split()}}
    if "moran" in rows:
        tasks = [str(task) for task in brain.task.values]
        rows |= {MORAN + task: Row(f"Moran's I, {task}", "greater", "") for task in tasks}
    for name, of in own.items():
        if name in STATISTICS or name in rows:
            raise InputError(f"there is a statistic {name!r} already: name yours otherwise")
        if "module" not in brain:
            raise InputError(
                f"the statistic {name!r} is of modules, which this analysis was not given: pass "
                "modules, activity or variance to analyse_recorded"
            )
        side = alternative if isinstance(alternative, str) else alternative.get(name, "two-sided")
        rows[name] = Row(name, side, "module", "modules", of)
    if not rows:
        raise InputError(
            "there is no statistic of what this analysis was given: pass positions or weights to "
            "analyse_recorded"
        )
    return rows


def _member(
    brain: xr.Dataset,
    rows: Mapping[str, Row],
    lengths: bool,
    n: int,
    graphs: int,
    threshold: float,
    seed: int,
    device: torch.device | str,
) -> xr.Dataset:
    """All of one network (no member axis)."""
    active = brain.active.values
    enough = active.sum() >= _FEW
    some = active if enough else np.arange(len(active)) < _FEW
    neurons = Neurons(brain, some)
    by_modules, by_neurons, by_degree, by_density = seeds(seed, Stream.MAP_STATISTICS).spawn(4)
    tests = [brain[list(_FIELDS)]] if "isolated" in rows else []
    if "weight" in brain:
        weight = neurons.weight
        graph = graph_test(weight, threshold=threshold, n=graphs, seed=by_degree)
        dense = graph_test(weight, threshold=threshold, null="density", n=graphs, seed=by_density)
        dense = dense.sel(statistic=["small_world"])
        tests += [graph, dense.assign_coords(statistic=["small_world_density"])]
        neurons.community = graph.community.values
    sides = {name: row.alternative for name, row in rows.items()}
    for permuted, stream in (("modules", by_modules), ("neurons", by_neurons)):
        makers = {name: row.of for name, row in rows.items() if row.permuted == permuted and row.of}
        if makers:
            labels = neurons.module if permuted == "modules" else np.arange(some.sum())
            known = {_names(name, rows): of(neurons) for name, of in makers.items()}
            tests.append(
                permutation_test(known, labels, n=n, seed=stream, alternative=sides, device=device)
            )
    found = xr.concat([t[list(_FIELDS)] for t in tests], "statistic", combine_attrs="override")
    draws = {str(name): t.attrs["permutations"] for t in tests for name in t.statistic.values}
    result = found.drop_attrs(deep=False).sel(statistic=list(rows))
    result = result if enough else xr.full_like(result, np.nan)
    result = result.assign_coords(
        alternative=("statistic", list(sides.values())),
        name=("statistic", [row.label for row in rows.values()]),
        draws=("statistic", [int(draws[name]) for name in rows]),
    )
    if lengths:
        fits = connection_lengths(neurons.distance, live(neurons.weight, threshold))
        fits = fits if enough else xr.full_like(fits, np.nan)
        result = result.assign({f"length_{name}": fit for name, fit in fits.data_vars.items()})
    if "weight" in brain:
        community = np.full(len(active), -1)
        community[some] = neurons.community
        community[~active] = -1
        result = result.assign(community=("unit", community, graph.community.attrs))
    return result


def _names(name: str, rows: Mapping[str, Row]) -> str | tuple[str, ...]:
    """Names of all that a statistic computes at once."""
    if name != "moran":
        return name
    return name, *(other for other in rows if other.startswith(MORAN))


def _with_mean(moran: Statistic) -> Statistic:
    """Mean over features that have a value, and all of them, (batch, 1 + feature)."""

    def statistic(neurons: Tensor) -> Float[Tensor, "batch number"]:
        values = moran(neurons)
        return torch.cat([values.nanmean(1, keepdim=True), values], dim=1)

    return statistic


def _coincide(position: xr.DataArray) -> bool:
    """Whether two neurons of a network sit at one place."""
    places = position.transpose("member", "unit", "space").values
    return any(len(np.unique(one, axis=0)) < len(one) for one in places)


def _why(brain: xr.Dataset, names: list[str]) -> str:
    missing = not_given(brain)
    reasons = [f"not given: {', '.join(missing)}"] if missing else []
    if "position" in brain and _coincide(brain.position):
        reasons.append("two neurons sit at one place")
    return f"{'; '.join(reasons)}; so left out: {', '.join(names)}"
