"""The whole analysis of a trained recurrent network, as one labelled dataset."""

from __future__ import annotations

import numpy as np
import xarray as xr
from jaxtyping import Shaped
from torch import Tensor

from brainrnn.analysis.activity.record import Recordable, accuracy, record
from brainrnn.analysis.activity.variance import task_variance
from brainrnn.analysis.recorded import analyse_recorded, describe, sparsity, streams
from brainrnn.analysis.spec import AnalysisSpec
from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError
from brainrnn.memory import require_memory
from brainrnn.task import Suite
from brainrnn.training.trials import require_trials

TITLE = "brainrnn analysis"


def analyse(
    net: Placed,
    suite: Suite,
    spec: AnalysisSpec = AnalysisSpec(),  # noqa: B008 - frozen
    *,
    seed: int = 0,
    connection_cost: Shaped[Tensor, " member"] | None = None,
) -> xr.Dataset:
    """Find a network's functional modules and test whether they form a map in space.

    Records every task, computes task variances, groups the active neurons, and compares the
    fraction of isolated neurons and the average cluster size with random arrangements of the same
    modules over the same active neurons ("Growing Brains", arXiv:2310.07711). It is
    :func:`analyse_recorded` of what it records.

    Parameters
    ----------
    net : RNN, or any placed network that is :class:`Recordable`
        With one population that is wired to itself, or one population in all.
    suite : Suite
        The tasks it was trained on.
    spec : AnalysisSpec
    seed : int
        Of trials, k-means and permutations. A network's result does not depend on how many others
        are analysed with it.
    connection_cost : (member,), optional
        The network's connection cost, kept in the result; NaN if not given.

    Returns
    -------
    Dataset
        Over member, unit, task, space, source, statistic and permutation: ``task_variance``,
        ``active``, ``module``, ``position``, ``weight`` (post x pre; of a GRU's gates the largest
        in magnitude), ``clusters``, ``silhouette``, ``accuracy``, ``ceiling``,
        ``connection_cost``, ``sparsity`` (fraction of recurrent weights with a magnitude of at
        most 1e-3 of the largest) and the variables of :func:`permutation_test`. A network without
        recurrent weights has neither ``weight`` nor ``sparsity``.

    Raises
    ------
    InputError
        If the network has no activity in time or no single population to look at, the suite is not
        the network's, ``spec`` cannot work (:func:`check_analysis`), ``spec.k`` is more than any
        network's active neurons, or the activity overflows.

    Examples
    --------
    >>> import brainrnn as br
    >>> from tasks import cog20
    >>> suite = cog20(dt=100, names=["go", "anti"])
    >>> net = br.RNN.for_suite(suite, sites=br.grid(4, 4))
    >>> spec = br.AnalysisSpec(trials=8, accuracy_trials=8, permutations=20, k=3)
    >>> brain = br.analyse(net, suite, spec)
    >>> dict(brain.task_variance.sizes)
    {'member': 1, 'unit': 16, 'task': 2}
    """
    if not isinstance(net, Recordable):
        raise InputError(
            f"a {type(net).__name__} has no activity in time, which analyse records: use "
            "brainrnn.analysis.assess for a feed-forward network, or analyse_recorded for activity "
            "that you have recorded"
        )
    population, loop = recurrent_population(net)
    check_analysis(net, suite, spec)
    if loop is not None:
        entries = net.members * len(net.anatomy.populations[population]) ** 2
        what = f"recurrent weights as matrices, {entries:,} numbers"
        require_memory(3 * 4 * entries, what, "analyse a smaller network")
    answers, trials, _, _ = streams(seed)
    scores = accuracy(net, suite, trials=spec.accuracy_trials, rng=np.random.default_rng(answers))
    rng = np.random.default_rng(trials)
    with np.errstate(over="ignore", invalid="ignore"):  # which is looked at below
        variance = xr.concat(
            [  # one task at a time bounds the memory
                task_variance(record(net, suite, task, trials=spec.trials, rng=rng))
                for task in suite.names
            ],
            xr.DataArray(list(suite.names), dims="task", name="task"),
        )
    if not bool(np.isfinite(variance).all()):
        raise InputError(
            "the activity of the network overflows, so that it cannot be analysed: train again "
            "with a lower training.learning_rate, or from smaller weights"
        )
    position = net.anatomy.positions(population).detach()
    gates = None if loop is None else net.wired(loop).detach().cpu()
    brain = analyse_recorded(
        positions=position.cpu(),
        variance=variance,
        weights=None if gates is None else _largest(gates),
        spec=spec,
        seed=seed,
        device=position.device,
    )
    unknown = np.full(net.members, np.nan)
    cost = unknown if connection_cost is None else connection_cost.detach().cpu().numpy()
    return brain.assign(
        ({} if gates is None else {"sparsity": sparsity(gates)})
        | {
            "accuracy": scores,
            "ceiling": ("task", suite.ceiling(), describe("best possible accuracy")),
            "connection_cost": ("member", cost, describe("connection cost")),
        }
    ).assign_attrs(title=TITLE)


def check_analysis(net: Placed, suite: Suite, spec: AnalysisSpec) -> None:
    """Find settings that cannot work, before anything is trained or recorded.

    Parameters
    ----------
    net : Placed
        As for :func:`analyse`, trained or not.
    suite : Suite
    spec : AnalysisSpec

    Raises
    ------
    InputError
        If there are fewer neurons than modules to form, or one task, in which neurons do not
        differ; or if trials or permutations would not fit into memory.

    Examples
    --------
    >>> import brainrnn as br
    >>> from tasks import cog20
    >>> net = br.RNN.for_suite(cog20(), sites=br.grid(6, 6))
    >>> check_analysis(net, cog20(), br.AnalysisSpec(k=50))
    Traceback (most recent call last):
        ...
    brainrnn.errors.InputError: analysis.k is 50, and there are 36 neurons: lower it, or unset it
    """
    population, _ = recurrent_population(net)
    n = len(net.anatomy.populations[population])
    if spec.k is not None and spec.k > n:
        raise InputError(
            f"analysis.k is {spec.k}, and there are {n} neurons: lower it, or unset it"
        )
    if spec.k is not None and len(suite.names) == 1:
        raise InputError(
            f"analysis.k is {spec.k}, but neurons do not differ in the tasks they take part in, "
            "for there is one: unset it, or train several tasks"
        )
    if spec.k is None and 1 < n < spec.k_range[0] and len(suite.names) > 1:
        raise InputError(
            f"analysis.k_range begins at {spec.k_range[0]} modules, and there are {n} neurons: "
            f"lower it, such as analysis.k_range=[2,{n}]"
        )
    for key in ("trials", "accuracy_trials"):
        require_trials(suite, getattr(spec, key), 2 * 4 * n * net.members, f"analysis.{key}")
    require_memory(
        2 * 80 * spec.permutations,
        f"{spec.permutations:,} permutations of two statistics",
        "lower analysis.permutations",
    )


def recurrent_population(net: Placed) -> tuple[str, str | None]:
    """Population that an analysis looks at, and the parameter that joins it to itself, if any.

    Raises
    ------
    InputError
        If there is no telling which it is.
    """
    loops = [
        (axes[0].population, name)
        for name, axes in net.anatomy.wiring.items()
        if len(axes) == 2 and axes[0].population and axes[0].population == axes[1].population
    ]
    match loops, list(net.anatomy.populations):
        case [[(population, name)], _]:
            return population, name
        case [[], [population]]:
            return population, None
    names = ", ".join(net.anatomy.populations)
    raise InputError(
        f"analyse looks at the one population that is wired to itself, and of {names} there are "
        f"{len(loops)} such: record the one that you mean, and use analyse_recorded"
    )


def _largest(stacked: Tensor) -> Tensor:
    """Of stacked gates (member, gate * unit, source) the weight largest in magnitude."""
    gates = stacked.unflatten(1, (-1, stacked.shape[2]))  # (member, gate, unit, source)
    return gates.gather(1, gates.abs().argmax(1, keepdim=True))[:, 0]
