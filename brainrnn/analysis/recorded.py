"""Modules and their map, of anything whose neurons were recorded: the analysis of arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int

from brainrnn.analysis.activity.clustering import by_size, cluster_units
from brainrnn.analysis.activity.variance import active_units
from brainrnn.analysis.parts import Activity, Array, read_parts
from brainrnn.analysis.space.cluster_size import cluster_size
from brainrnn.analysis.space.isolated import fraction_isolated, neighbours
from brainrnn.analysis.space.permutation import permutation_test
from brainrnn.analysis.spec import AnalysisSpec, provenance
from brainrnn.wiring_cost.strength import ABSENT, present

TITLE = "brainrnn analysis of recorded activity"


def analyse_recorded(
    *,
    positions: Array | None = None,
    activity: Activity | None = None,
    variance: Array | None = None,
    modules: Array | None = None,
    weights: Array | None = None,
    active: Array | None = None,
    spec: AnalysisSpec = AnalysisSpec(),  # noqa: B008 - frozen
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> xr.Dataset:
    """Find functional modules in what was recorded anywhere, and test whether they form a map.

    The neurons may be of any network, of another package's checkpoint, or real. Whatever is known
    of them is given as NumPy arrays, tensors or xarray; what would need the rest is left out of the
    result. Every part may have a leading member axis, one entry for each network or animal.

    From activity or variance follow the active neurons and, if no modules are given, the modules;
    from modules and positions both tests of "Growing Brains" (arXiv:2310.07711). The result goes
    into :func:`map_statistics`, which adds every other statistic that the parts allow.

    Parameters
    ----------
    positions : (unit, space), optional
        Where the neurons sit, in any unit of length.
    activity : dict of str to (trial, time, unit) or (trial, unit), or a list of these, optional
        Activity in the trials of each task; NaN after a trial's end, or where a neuron was not
        recorded.
    variance : (unit, task), optional
        Task variance, as from :func:`task_variance`, instead of activity.
    modules : (unit,) int or str, optional
        Module of each neuron where it is known, such as its brain area; -1 or "" if it has none.
        Found in the task variance if not given.
    weights : (unit, source), optional
        Weight of the connection onto a unit from a source.
    active : (unit,) bool, optional
        Neurons to look at; by default those that :func:`active_units` finds active and that have a
        module, where that is known.
    spec : AnalysisSpec
    seed : int
        Of k-means and permutations.
    device : torch device
        Where permutations are drawn.

    Returns
    -------
    Dataset
        As from :func:`analyse`, without accuracy, ceiling and connection cost, and without what
        needs a part that was not given. ``module`` numbers the modules from 0 by falling size;
        ``label`` (member, unit) holds the modules as they were given.

    Raises
    ------
    InputError
        If a part has a wrong shape or impossible values, two parts do not fit each other, nothing
        can be analysed, or ``spec.k`` is more than any network's active neurons.

    Examples
    --------
    Neurons on a grid, those of each quadrant most active in a task of their own:

    >>> import numpy as np
    >>> import brainrnn as br
    >>> rng = np.random.default_rng(0)
    >>> places = br.grid(6, 6).numpy()
    >>> quadrant = 2 * (places[:, 0] > 0.5) + (places[:, 1] > 0.5)
    >>> activity = {
    ...     f"task {k}": rng.normal(size=(20, 8, 36)) * np.where(quadrant == k, 1, 0.1)
    ...     for k in range(4)
    ... }
    >>> spec = br.AnalysisSpec(k=4, permutations=200)
    >>> brain = br.analyse_recorded(positions=places, activity=activity, spec=spec)
    >>> int(brain.clusters[0]), brain.p.values[0].round(3).tolist()
    (4, [0.005, 0.005])

    Named brain areas are modules too, and weights alone are enough for the graph:

    >>> area = np.array(["V1", "V2", "MT", "IT"])[quadrant.astype(int)]
    >>> brain = br.analyse_recorded(positions=places, modules=area, spec=spec)
    >>> brain.p.values[0].round(3).tolist()
    [0.005, 0.005]
    >>> weights = rng.normal(size=(36, 36)) * (rng.random((36, 36)) < 0.2)
    >>> brain = br.analyse_recorded(weights=weights, spec=spec)
    >>> br.map_statistics(brain, graphs=5).statistic.values.tolist()
    ['modularity', 'clustering', 'path_length', 'small_world', 'small_world_density']
    """
    known = read_parts(
        positions=positions,
        activity=activity,
        variance=variance,
        modules=modules,
        weights=weights,
        active=active,
    )
    _, _, clusters, null = streams(seed)
    found = _described(known, spec.active_threshold)
    if "label" in found:
        found = found.assign(_given_modules(found))
    elif "task_variance" in found:
        found = found.merge(
            cluster_units(
                found.task_variance,
                active=found.active,
                k=spec.k,
                k_range=spec.k_range,
                seed=int(clusters.generate_state(1)[0]),
                method=spec.clustering,
            )
        )
    if "position" in found and "module" in found:
        tests = [
            map_test(
                one.position.values,
                one.module.values,
                one.active.values,
                neighbourhoods={"isolated": spec.neighbourhood},
                n=spec.permutations,
                seed=null,
                device=device,
            )
            for one in (found.isel(member=i) for i in range(found.sizes["member"]))
        ]
        found = found.merge(xr.concat(tests, "member", combine_attrs="override"))
    return found.drop_attrs(deep=False).assign_attrs({"title": TITLE} | provenance(spec, seed))


def map_test(
    position: Float[np.ndarray, "unit space"],
    module: Int[np.ndarray, " unit"],
    active: Bool[np.ndarray, " unit"],
    *,
    neighbourhoods: Mapping[str, str | float],
    n: int,
    seed: np.random.SeedSequence,
    device: torch.device | str = "cpu",
) -> xr.Dataset:
    """Test one network's map by both measures of "Growing Brains".

    Parameters
    ----------
    position : (unit, space)
    module : (unit,) int
    active : (unit,) bool
    neighbourhoods : mapping of str to neighbourhood
        Names for the fraction of isolated neurons in each neighbourhood.
    n : int
        Number of permutations.
    seed : SeedSequence
    device : torch device

    Returns
    -------
    Dataset
        As from :func:`permutation_test`, the average cluster size last; NaN if no neuron is active.
    """
    someone = active if active.any() else np.arange(len(active)) == 0
    place = position[someone]
    isolated = {
        name: fraction_isolated(neighbours(place, kind, sites=position))
        for name, kind in neighbourhoods.items()
    }
    test = permutation_test(
        isolated | {"cluster_size": cluster_size(place)},
        module[someone],
        n=n,
        seed=seed,
        alternative="less",
        device=device,
    )
    return test if active.any() else xr.full_like(test, np.nan)


def streams(seed: int) -> list[np.random.SeedSequence]:
    """Seeds of accuracy, of recorded trials, of clusterings and of permutations."""
    return np.random.SeedSequence(seed).spawn(4)


def describe(long_name: str, units: str = "1") -> dict[str, str]:
    """Attributes of a variable."""
    return {"long_name": long_name, "units": units}


def sparsity(weight: torch.Tensor) -> tuple:
    """Fraction of each network's weights (member, to, from) that are absent, as a variable."""
    absent = (~present(weight)).double().mean((1, 2)).numpy()
    about = describe("fraction of recurrent weights that are absent") | {"threshold": ABSENT}
    return "member", absent, about


def _described(known: xr.Dataset, threshold: float) -> xr.Dataset:
    """What is known, with names and units, which neurons are active, and the sparsity."""
    found = known.assign(active=_active(known, threshold))
    if "position" in known:
        unit = known.position.attrs.get("units", "1")
        found = found.assign_coords(space=_axes(known.sizes["space"]))
        found["position"] = known.position.assign_attrs(describe("place of each neuron", str(unit)))
    if "weight" in known:
        found["weight"] = known.weight.assign_attrs(
            describe("recurrent weight onto unit from source")
        )
        found["sparsity"] = sparsity(torch.from_numpy(known.weight.values))
    return found


def _axes(dimensions: int) -> list[str]:
    return [*"xyz", *map(str, range(4, 1 + dimensions))][:dimensions]


def _active(known: xr.Dataset, threshold: float) -> xr.DataArray:
    """Neurons to look at, (member, unit): as given, or with activity; and with a module."""
    if "active" in known:
        active = known.active
    elif "task_variance" in known:
        active = active_units(known.task_variance, threshold)
    else:
        shape = known.sizes["member"], known.sizes["unit"]
        active = xr.DataArray(np.ones(shape, bool), dims=("member", "unit"))
    if "label" in known:
        active = active & _labelled(known.label)
    return active.assign_attrs(describe("neuron is active") | active.attrs)


def _labelled(label: xr.DataArray) -> xr.DataArray:
    return label >= 0 if label.dtype.kind in "iu" else label != ""


def _given_modules(known: xr.Dataset) -> dict[str, tuple]:
    """Number modules that have names, the largest of each network first."""
    names = known.label.values
    names = names if names.dtype.kind in "iu" else names.astype(str)
    module = np.full(names.shape, -1)
    for member, on in enumerate(known.active.values):
        module[member, on] = by_size(names[member, on])
    about = describe("functional module, -1 if inactive")
    return {
        "module": (("member", "unit"), module, about),
        "clusters": ("member", module.max(1) + 1, describe("number of functional modules")),
        "label": (("member", "unit"), names.astype(str), describe("module as it was given")),
    }
