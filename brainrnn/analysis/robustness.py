"""Does the finding depend on how one looks? The two tests of a map under other choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
import torch
import xarray as xr
from threadpoolctl import threadpool_limits

from brainrnn.analysis.activity.clustering import Clustering, by_size, most_distinct, partitions
from brainrnn.analysis.activity.variance import active_units, normalise
from brainrnn.analysis.parts import require
from brainrnn.analysis.recorded import map_test, streams
from brainrnn.errors import InputError, unknown

Rule: TypeAlias = int | Literal["silhouette"]


def robustness(
    brain: xr.Dataset,
    *,
    ks: Sequence[Rule] = ("silhouette", *range(6, 21)),
    thresholds: Sequence[float] = (0.003, 0.01, 0.03),
    clusterings: Sequence[Clustering] = get_args(Clustering),
    neighbourhoods: Sequence[str | float] = (1.0, 1.5, 2.0),
    permutations: int | None = None,
    device: torch.device | str = "cpu",
) -> pd.DataFrame:
    """Test each network's map again under every combination of choices of the analysis.

    A specification curve, or multiverse analysis (Simonsohn, Simmons and Nelson 2020, Nature Human
    Behaviour 4:1208; Steegen et al. 2016, Perspectives on Psychological Science 11:702). Seeds are
    those of ``brain``, so that the combination it was analysed with gives its numbers again.

    Parameters
    ----------
    brain : Dataset
        As from :func:`analyse`.
    ks : sequence of int or "silhouette"
        Numbers of modules; "silhouette" is the rule of :func:`analyse`, over the range that it
        tried.
    thresholds : sequence of float
        Of activity (:func:`active_units`).
    clusterings : sequence of {"kmeans", "agglomerative", "mixture"}
    neighbourhoods : sequence of {"4", "8"} or float
        As in :func:`neighbours`; radii of 1, 1.5 and 2 are 4, 8 and 12 neighbours on a plane grid.
    permutations : int, optional
        As many as in ``brain`` by default.
    device : torch device

    Returns
    -------
    DataFrame
        A row for every network, choice and statistic: ``member``, ``threshold``, ``clustering``,
        ``rule`` (how many modules were asked for), ``neighbourhood`` (missing for the cluster size,
        which has none), ``statistic`` (isolated or cluster_size), ``active``, ``clusters``,
        ``observed``, ``z`` and ``p``; the last three are NaN where a network has too few distinct
        active neurons for as many modules.

    Raises
    ------
    InputError
        If a choice is unknown or impossible, none is given, or the analysis has no task variance or
        no positions.

    Examples
    --------
    >>> import brainrnn as br
    >>> rng = np.random.default_rng(0)
    >>> place = br.grid(6, 6).numpy()
    >>> variance = 0.1 + 0.1 * rng.random((36, 4))
    >>> variance[np.arange(36), (place > 0.5) @ [2, 1]] = 1
    >>> spec = br.AnalysisSpec(k=4, permutations=100)
    >>> brain = br.analyse_recorded(positions=place, variance=variance, spec=spec)
    >>> table = robustness(brain, ks=(3, 4), thresholds=(0.01,), clusterings=("kmeans",))
    >>> len(table)  # two numbers of modules; three neighbourhoods and the cluster size
    8
    >>> bool((table[table.rule == 4].p < 0.05).all())
    True
    """
    require(brain, "robustness", "task_variance", "position")
    for name, choices in {
        "ks": ks,
        "thresholds": thresholds,
        "clusterings": clusterings,
        "neighbourhoods": neighbourhoods,
    }.items():
        if not len(choices):
            raise InputError(f"robustness needs at least one choice of {name}")
    for method in clusterings:
        if method not in get_args(Clustering):
            raise InputError(unknown("clustering", method, get_args(Clustering)))
    for rule in ks:
        if rule != "silhouette" and not (isinstance(rule, int) and rule > 1):
            raise InputError(f"unknown number of modules {rule!r}: use 'silhouette' or 2 and more")
    n = int(brain.attrs["permutations"]) if permutations is None else permutations
    *_, clusters, null = streams(int(brain.attrs["seed"]))
    seed = int(clusters.generate_state(1)[0])
    share = normalise(brain.task_variance).transpose("member", "unit", "task").values
    position = brain.position.transpose("member", "unit", "space").values
    isolated = {f"isolated {kind!r}": kind for kind in neighbourhoods}
    tried: list[int] = []
    if "silhouette" in ks:
        if "k" not in brain.coords:
            raise InputError(
                "this analysis was given its modules and tried no numbers of them: robustness "
                "needs ks without 'silhouette', for example ks=(4, 8)"
            )
        tried = brain.k.values.tolist()
    rows: list[dict[str, object]] = []
    for threshold in thresholds:
        active = active_units(brain.task_variance, threshold).transpose("member", "unit").values
        for method, (member, live) in product(clusterings, enumerate(active)):

            def test(
                module: np.ndarray, member: int = member, live: np.ndarray = live
            ) -> xr.Dataset:
                everyone = np.full(len(live), -1)
                everyone[live] = module
                return map_test(
                    position[member],
                    everyone,
                    live,
                    neighbourhoods=isolated,
                    n=n,
                    seed=null,
                    device=device,
                )

            choice = {"member": member, "threshold": threshold, "clustering": method}
            about = {"active": int(live.sum())}
            for rule, found in _by_rule(share[member, live], ks, tried, method, seed, test):
                rows += [
                    choice
                    | {"rule": rule, "neighbourhood": isolated.get(name)}
                    | {"statistic": name.split()[0]}
                    | about
                    | _values(found, name)
                    for name in (*isolated, "cluster_size")
                ]
    return pd.DataFrame(rows)


def _by_rule(
    x: np.ndarray,
    ks: Sequence[Rule],
    tried: list[int],
    method: Clustering,
    seed: int,
    test: Callable[[np.ndarray], xr.Dataset],
) -> Iterator[tuple[Rule, xr.Dataset | None]]:
    """Test the modules (unit,) of each rule once, also where two rules agree; None without any."""
    every = np.union1d(tried, [k for k in ks if k != "silhouette"]).astype(int)
    with threadpool_limits(1):  # the arrays are small, as in cluster_units
        labels, silhouette = partitions(x, every, seed, method)
    found: dict[int, xr.Dataset] = {}
    for rule in ks:
        if rule == "silhouette":
            of_rule = np.flatnonzero(np.isin(every, tried))
            index = int(of_rule[most_distinct(silhouette[of_rule])])
        else:
            index = int(np.searchsorted(every, rule))
        if index >= len(labels):
            yield rule, None
            continue
        if index not in found:
            module = by_size(labels[index])
            found[index] = test(module).assign(clusters=module.max(initial=-1) + 1)
        yield rule, found[index]


def _values(test: xr.Dataset | None, name: str) -> dict[str, float]:
    if test is None:
        return dict.fromkeys(("clusters", "observed", "z", "p"), np.nan)
    one = test.sel(statistic=name)
    return {field: float(one[field]) for field in ("clusters", "observed", "z", "p")}
