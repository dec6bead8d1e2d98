"""Everything that can be said of a network's map, its wiring and its graph, beside chance."""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr
from scipy.spatial.distance import pdist, squareform

from brainrnn.analysis.activity.variance import normalise
from brainrnn.analysis.graph.agreement import adjusted_mutual_information
from brainrnn.analysis.graph.mixing import participation, strength, within_module_weight
from brainrnn.analysis.graph.recurrent import ALTERNATIVES as GRAPH
from brainrnn.analysis.graph.recurrent import graph_test, live
from brainrnn.analysis.space.isolated import neighbours, site_spacing
from brainrnn.analysis.space.lengths import connection_lengths
from brainrnn.analysis.space.mantel import mantel, similarity
from brainrnn.analysis.space.moran import morans_i
from brainrnn.analysis.space.patches import component_size, join_count
from brainrnn.analysis.space.permutation import Alternative, Statistic, permutation_test
from brainrnn.errors import InputError

# Name, and the side on which a map or anatomical modularity would be.
STATISTICS: dict[str, tuple[str, Alternative]] = {
    "isolated": ("fraction of neurons isolated", "less"),
    "cluster_size": ("average cluster size", "less"),
    "join_count": ("neighbours of the same module", "greater"),
    "component_size": ("mean patch of a module", "greater"),
    "largest_component": ("largest patch of a module", "greater"),
    "moran": ("Moran's I, mean over tasks", "greater"),
    "distance_similarity": ("r(distance, functional similarity)", "less"),
    "strength_similarity": ("r(strength, functional similarity)", "greater"),
    "distance_strength": ("r(distance, strength)", "less"),
    "within_module_weight": ("weight within modules", "greater"),
    "participation": ("participation coefficient", "less"),
    "community_agreement": ("communities and modules, AMI", "greater"),
    "modularity": ("Newman modularity", GRAPH["modularity"]),
    "clustering": ("clustering coefficient", GRAPH["clustering"]),
    "path_length": ("path length", GRAPH["path_length"]),
    "small_world": ("small-worldness", GRAPH["small_world"]),
    "small_world_density": ("small-worldness, equal density", GRAPH["small_world"]),
}
MEASURES = {name: STATISTICS[name][0] for name in ("isolated", "cluster_size")}  # of the paper
TITLE = "brainrnn map statistics"
MORAN = "moran_"  # before the name of a task
_FEW = 3  # active neurons that there must be
_FIELDS = ("observed", "null_mean", "null_sd", "null_low", "null_high", "z", "p")


def map_statistics(
    brain: xr.Dataset,
    *,
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
        As from :func:`analyse`.
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
        fewer than 3 active neurons has NaN throughout.

    Raises
    ------
    InputError
        If there are no permutations or random graphs, or the threshold is out of range.

    Notes
    -----
    Distances are between the coordinates of places, in units of the sites' spacing; a periodic
    space is not wrapped. The p-values are of single statistics: among so many, some are small by
    chance, and many ask almost the same. Connection strength and functional similarity, weight
    within modules, participation, agreement, and all of the graph do not look at places, so that
    exchanging neurons cannot change them; distance and connection strength is what a connection
    cost is about, and says of a trained network that it was paid.
    """
    n = int(brain.attrs["permutations"]) if permutations is None else permutations
    if n < 1:
        raise InputError(f"a permutation test needs at least 1 permutation, got n={n}")
    source = int(brain.attrs["seed"]) if seed is None else seed
    tested = [
        _member(brain.isel(member=i), n, graphs, live_threshold, source, device)
        for i in range(brain.sizes["member"])
    ]
    result = xr.concat(tested, "member", join="outer", combine_attrs="override")
    return result.assign_attrs(
        title=TITLE,
        permutations=n,
        graphs=graphs,
        live_threshold=live_threshold,
        seed=source,
    )


def statistics_table(statistics: xr.Dataset) -> str:
    """Plain-text table of every statistic beside chance, and of the fits to connection lengths.

    Parameters
    ----------
    statistics : Dataset
        As from :func:`map_statistics`.

    Returns
    -------
    str
        A block for each network.
    """
    blocks = []
    for member in range(statistics.sizes["member"]):
        title = f"network {member}" if statistics.sizes["member"] > 1 else ""
        blocks.append(_table(statistics.isel(member=member), title))
    return "\n\n".join(blocks)


def _member(
    brain: xr.Dataset,
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
    sites = brain.position.transpose("unit", "space").values
    place = sites[some] / site_spacing(sites)
    weight = brain.weight.transpose("unit", "source").values[np.ix_(some, some)].astype(float)
    share = normalise(brain.task_variance).transpose("unit", "task").values[some]
    tasks = [str(task) for task in brain.task.values]
    known = STATISTICS | {MORAN + task: (f"Moran's I, {task}", "greater") for task in tasks}
    sides = {name: side for name, (_, side) in known.items()}
    by_modules, by_neurons, by_degree, by_density = np.random.SeedSequence([seed, 1]).spawn(4)

    graph = graph_test(weight, threshold=threshold, n=graphs, seed=by_degree)
    as_dense = graph_test(weight, threshold=threshold, null="density", n=graphs, seed=by_density)
    as_dense = as_dense.sel(statistic=["small_world"]).assign_coords(
        statistic=["small_world_density"]
    )
    table = neighbours(sites[some], brain.attrs["neighbourhood"], sites=sites)
    distance, connected = squareform(pdist(place)), strength(weight)
    alike, moran = similarity(share), morans_i(table, share)
    of_modules: dict[str, Statistic] = {
        "join_count": join_count(table),
        "component_size": component_size(table),
        "largest_component": component_size(table, largest=True),
        "within_module_weight": within_module_weight(weight),
        "participation": participation(weight),
        "community_agreement": adjusted_mutual_information(graph.community.values),
    }
    of_neurons: dict[str | tuple[str, ...], Statistic] = {
        "distance_similarity": mantel(distance, alike),
        "strength_similarity": mantel(connected, alike),
        "distance_strength": mantel(distance, connected),
        ("moran", *(MORAN + task for task in tasks)): lambda neurons: _with_mean(moran(neurons)),
    }
    tests = [
        brain[list(_FIELDS)],
        permutation_test(
            of_modules,
            brain.module.values[some],
            n=n,
            seed=by_modules,
            alternative=sides,
            device=device,
        ),
        permutation_test(
            of_neurons,
            np.arange(some.sum()),
            n=n,
            seed=by_neurons,
            alternative=sides,
            device=device,
        ),
        graph,
        as_dense,
    ]
    rows = xr.concat([t[list(_FIELDS)] for t in tests], "statistic", combine_attrs="override")
    fits = connection_lengths(distance, live(weight, threshold))
    result = rows.drop_attrs(deep=False).sel(statistic=list(known))
    if not enough:
        result, fits = xr.full_like(result, np.nan), xr.full_like(fits, np.nan)
    community = np.full(len(active), -1)
    community[some] = graph.community.values
    community[~active] = -1
    draws = {str(name): t.attrs["permutations"] for t in tests for name in t.statistic.values}
    result = result.assign_coords(
        alternative=("statistic", list(sides.values())),
        name=("statistic", [name for name, _ in known.values()]),
        draws=("statistic", [int(draws[name]) for name in known]),
    )
    return result.assign(
        {f"length_{name}": values for name, values in fits.data_vars.items()}
        | {"community": ("unit", community, graph.community.attrs)}
    )


def _with_mean(values: torch.Tensor) -> torch.Tensor:
    """Mean over features that have a value, and all of them, (batch, 1 + feature)."""
    return torch.cat([values.nanmean(1, keepdim=True), values], dim=1)


def _table(one: xr.Dataset, title: str) -> str:
    width = max(len(str(name)) for name in one["name"].values)
    lines = [f"{title:<{width}}  observed  null mean  95 % of the null          z        p"]
    for s in one.statistic.values:
        row = one.sel(statistic=s)
        low, high = float(row.null_low), float(row.null_high)
        lines.append(
            f"{row['name'].item():<{width}}  {_number(float(row.observed), 8)}  "
            f"{_number(float(row.null_mean), 9)}  {_number(low, 7)} - {_number(high, 7)}  "
            f"{_number(float(row.z), 8, 2)}  {_number(float(row.p), 7, None)}  "
            f"{row.alternative.item()}"
        )
    lines += ["", f"{'connection probability':<22}    weight  power law is better by        p"]
    for model in one.model.values:
        fit = one.sel(model=model)
        values = fit.length_estimate
        known = ", ".join(
            f"{p} {float(v):.3g}"
            for p, v in zip(one.parameter.values, values, strict=True)
            if np.isfinite(v)
        )
        weight, ratio, p = (
            float(fit[f"length_{name}"]) for name in ("akaike_weight", "ratio", "ratio_p")
        )
        lines.append(
            f"{str(model).replace('_', ' '):<22}  {_number(weight, 8)}  "
            f"{_number(ratio, 22, 1)}  {_number(p, 7, None)}  {known}"
        )
    return "\n".join(line.rstrip() for line in lines)


def _number(value: float, width: int, digits: int | None = 4) -> str:
    if not np.isfinite(value):
        return f"{'-':>{width}}"
    return f"{value:{width}.2g}" if digits is None else f"{value:{width}.{digits}f}"
