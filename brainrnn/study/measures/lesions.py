"""Are lesions specific? Each module, and each region of space, silenced beside random neurons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from pydantic import Field
from scipy import stats

from brainrnn.analysis import analyse
from brainrnn.plots.style import FAINT, module_colours, new_figure, no_frame, open_frame
from brainrnn.study.damage import damage, lesioned_scores
from brainrnn.study.findings.comparisons import control
from brainrnn.study.findings.settings import name_settings
from brainrnn.study.inference import across
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.subject import Subject

KINDS = {"module": "module", "around": "module's place", "region": "region"}
NULLS = {
    "random": "of as many neurons",
    "matched": "of as many neurons, as active",
    "severe": "that do as much damage",
}
STATISTICS = {
    "specificity": "largest less median damage",
    "gini": "Gini coefficient of damage",
    "fit": "damage against share of task variance, Spearman",
}
_NETWORK = ["label", "seed"]
_SINGLE = (
    "The p values of single lesions in the last table are not controlled for how many there are, "
    "and with so few random sets each cannot be small enough to be: networks are the sample."
)
_STAKE = 0.1  # accuracy that a network must have to lose in a task
_AS_SEVERE = 0.05  # mean damages that differ by no more than this are alike


class LesionMeasure(Measure):
    """Accuracy in every task without each module, each region, and random sets of neurons.

    A lesion's *damage* in a task is the share of what the network has to lose there that it loses
    (:func:`brainrnn.study.damage.damage`); its *severity* is the mean over tasks, and its
    *specificity* the largest less the median: how much more it costs one task than the typical
    one. A lesion that harms all tasks alike has none, however severe, and neither has one that
    harms nothing. Its *fit* asks whether it hits the tasks that its neurons take part in: the rank
    correlation over tasks of the damage with the share that its neurons have in the task variance
    of all active ones.

    Modules are those of the study's analysis. *Regions* divide the active neurons into as many
    contiguous parts of equal number; a *module's place* is as many active neurons as the module
    has, those nearest to its centroid.
    """

    kind: Literal["lesions"] = "lesions"
    trials: int = Field(25, ge=1, description="trials per task, the same for every lesion")
    draws: int = Field(50, ge=2, description="random sets of neurons for each lesion and null")
    strata: int = Field(
        10,
        ge=1,
        description="groups of neurons of equal number and rising task variance, inside which the "
        "random sets that match a module's activity are drawn",
    )

    def rows(self, subject: Subject) -> pd.DataFrame:
        """A row for every lesion, random ones and those of no and of all neurons included.

        ``kind`` is module, around (a module's place), region, intact or all; ``null`` is observed,
        or how the random set was drawn; ``lesion`` says which module or region it is or stands
        for, ``draw`` which of its random sets.
        """
        spec = subject.cell.experiment.analysis
        brain = analyse(subject.net, subject.suite, spec, seed=subject.seed).isel(member=0)
        rng = np.random.default_rng([subject.seed, 21])
        about, neurons = self._lesions(brain, rng)
        batch = subject.suite.held_out(self.trials, rng)
        scores = lesioned_scores(subject.net, subject.suite, batch, neurons)
        silent = scores[about.kind == "all"][0]
        lost = damage(scores, scores[about.kind == "intact"][0], silent, _STAKE)
        variance = brain.task_variance.transpose("unit", "task").values.astype(float)
        variance[~brain.active.values] = 0
        share = neurons @ variance / np.where(variance.any(0), variance.sum(0), np.nan)
        about["neurons"] = neurons.sum(1)
        about["activity"] = (neurons @ variance).sum(1) / max(variance.sum(), np.finfo(float).tiny)
        about = about.assign(**profile(lost, share))
        columns = [f"accuracy_{task}" for task in subject.suite.names]
        return pd.concat([about, pd.DataFrame(scores, columns=columns)], axis=1)

    def _lesions(
        self, brain: xr.Dataset, rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """What each lesion is, and its neurons, (lesion, unit) bool."""
        active = np.flatnonzero(brain.active.values)
        place = brain.position.transpose("unit", "space").values[active]
        module, n = brain.module.values[active], int(brain.clusters)
        region = regions(place, n)
        total = brain.task_variance.sum("task").values[active]
        stratum = total.argsort(kind="stable").argsort() * self.strata // max(1, len(active))
        alike = np.zeros_like(stratum)
        sets = {
            ("intact", "observed"): np.zeros((1, 1, len(active)), bool),
            ("all", "observed"): np.ones((1, 1, len(active)), bool),
            ("module", "observed"): _members(module[None], n),
            ("around", "observed"): around(place, module, n)[None],
            ("region", "observed"): _members(region[None], n),
            ("module", "random"): _members(shuffled(module, alike, self.draws, rng), n),
            ("module", "matched"): _members(shuffled(module, stratum, self.draws, rng), n),
            ("region", "random"): _members(shuffled(region, alike, self.draws, rng), n),
        }
        about = [
            {"kind": kind, "null": null, "lesion": lesion, "draw": draw}
            for (kind, null), members in sets.items()
            for draw in range(members.shape[0])
            for lesion in range(members.shape[1])
        ]
        neurons = np.zeros((len(about), brain.sizes["unit"]), bool)
        neurons[:, active] = np.concatenate([m.reshape(-1, len(active)) for m in sets.values()])
        neurons[1] = True  # without any neuron, whether it counts as active or not
        return pd.DataFrame(about), neurons

    def findings(self, rows: pd.DataFrame) -> Findings:
        """Every lesion beside its random sets, methods over seeds, and pictures of both."""
        rows = name_settings(rows)
        tests = against_chance(rows)
        found = Findings()
        found.tables["Each method"] = _methods(rows)
        networks = _networks(rows, tests)
        over = _over_networks(networks, tests)
        found.tables["More than random sets"] = over
        found.tables["Each lesion"] = _each(rows, tests)
        found.words = [*_words(over, tests), *_caveats(tests, self.draws), _SINGLE]
        found.figures["damage"] = (
            _profiles(rows),
            "Damage by lesions in one network of each method: the share of what it has to lose in "
            "a task that it loses. A row is a lesion, of a module, of a region of space, or of "
            "random active neurons, as many as the module in the same row has; numbers of neurons "
            "on the left.",
        )
        found.figures["specificity"] = (
            _specificity(networks),
            "Above: how much more a lesion costs the task it costs most than the median task. "
            "Middle: how unequal its damage is over tasks. Below: whether it costs most in the "
            "tasks that its neurons take part in. A full dot is the mean over a network's lesions, "
            "the ring on its line the mean over random sets of as many active neurons.",
        )
        found.figures["severity"] = (
            _severity(rows),
            "Specificity of a lesion against how severe it is, in all networks: lesions that do "
            "little damage cannot be specific, and neither can those that destroy everything, so "
            "only lesions of the same severity compare. Grey: random sets of active neurons.",
        )
        return found


def profile(lost: np.ndarray, share: np.ndarray) -> dict[str, np.ndarray]:
    """Numbers that describe the damage that each lesion does, (lesion,).

    Parameters
    ----------
    lost : (lesion, task)
        Damage; NaN in tasks that have nothing to lose.
    share : (lesion, task)
        Share of the lesion's neurons in the task variance of all.

    Returns
    -------
    dict
        ``severity``, ``specificity``, ``gini`` and ``fit`` as :class:`LesionMeasure` says; NaN with
        fewer than two tasks at stake, and a fit also where damage or share is the same in all.
        The Gini coefficient of no damage is 0.
    """
    stake = np.isfinite(lost).all(0) & np.isfinite(share).all(0)
    lost, share = lost[:, stake], share[:, stake]
    n = int(stake.sum())
    if n < 2:
        return dict.fromkeys(("severity", *STATISTICS), np.full(len(lost), np.nan))
    rising = np.sort(lost, axis=1)
    total = rising.sum(1)
    weighted = rising @ (2 * np.arange(1, n + 1) - n - 1)
    ranks = [stats.rankdata(values.round(9), axis=1) - (n + 1) / 2 for values in (lost, share)]
    length = np.sqrt((ranks[0] ** 2).sum(1) * (ranks[1] ** 2).sum(1))
    return {
        "severity": lost.mean(1),
        "specificity": lost.max(1) - np.median(lost, axis=1),
        "gini": weighted / np.where(total > 0, n * total, 1),
        "fit": (ranks[0] * ranks[1]).sum(1) / np.where(length > 0, length, np.nan),
    }


def regions(place: np.ndarray, n: int) -> np.ndarray:
    """Divide neurons into contiguous regions of equal number, by halving along the longest side.

    Parameters
    ----------
    place : (neuron, space)
    n : int
        How many regions; their numbers of neurons differ by one at most.

    Returns
    -------
    (neuron,) int
    """
    region = np.zeros(len(place), int)
    waiting = [(np.arange(len(place)), 0, n)]
    while waiting:
        some, first, parts = waiting.pop()
        region[some] = first
        if parts > 1:
            inside = place[some]
            axis = int(np.ptp(inside, axis=0).argmax()) if len(some) else 0
            order = some[inside[:, axis].argsort(kind="stable")]
            low = parts // 2
            cut = len(some) // parts * low + min(low, len(some) % parts)
            waiting += [(order[:cut], first, low), (order[cut:], first + low, parts - low)]
    return region


def around(place: np.ndarray, module: np.ndarray, n: int) -> np.ndarray:
    """As many neurons as each module has, those nearest to its centroid: (module, neuron) bool.

    Parameters
    ----------
    place : (neuron, space)
    module : (neuron,) int
        From 0 to n - 1.
    n : int
    """
    own = _members(module[None], n)[0]
    size = own.sum(1)
    centre = own @ place / np.maximum(size, 1)[:, None]
    distance = np.linalg.norm(place - centre[:, None], axis=2)
    rank = distance.round(9).argsort(axis=1, kind="stable").argsort(axis=1)
    return rank < size[:, None]


def shuffled(
    labels: np.ndarray, stratum: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Permute labels inside strata, every order equally likely: (draw, neuron).

    Parameters
    ----------
    labels : (neuron,)
    stratum : (neuron,) int
    n : int
        Number of draws.
    rng : numpy Generator
    """
    result = np.empty((n, len(labels)), labels.dtype)
    order = (stratum + rng.random((n, len(labels)))).argsort(axis=1)
    result[:, stratum.argsort(kind="stable")] = labels[order]
    return result


def _members(labels: np.ndarray, n: int) -> np.ndarray:
    """Which neurons bear each label, (draw, label, neuron) bool."""
    return labels[:, None] == np.arange(n)[:, None]


def against_chance(rows: pd.DataFrame) -> pd.DataFrame:
    """Each observed lesion beside the random sets that it is compared with.

    Returns
    -------
    DataFrame
        A row for each lesion, null and statistic, with ``observed``, ``null_mean``, ``z``, ``p``
        (one-sided: the lesion has more than random sets), of single lesions and not controlled for
        how many there are. NaN where a network has no random sets as severe as the lesion.
    """
    table = []
    for (label, seed), group in rows.groupby(_NETWORK, sort=False):
        drawn = group[group.null != "observed"]
        for lesion in _observed(group).to_dict("records"):
            # A module's place has as many neurons as the module.
            kind = "region" if lesion["kind"] == "region" else "module"
            same = drawn[(drawn.kind == kind) & (drawn.lesion == lesion["lesion"])]
            nulls = {"random": same[same.null == "random"]}
            if lesion["kind"] == "module":
                nulls["matched"] = same[same.null == "matched"]
            away = (drawn.severity - lesion["severity"]).abs()
            nearest = away.nsmallest(len(nulls["random"])).index
            alike = away[nearest].mean() <= _AS_SEVERE
            nulls["severe"] = drawn.loc[nearest] if alike else drawn[:0]
            about = {
                "label": label,
                "seed": seed,
                "kind": lesion["kind"],
                "lesion": lesion["lesion"],
            }
            table += [
                about
                | {"null": null, "statistic": name}
                | _compare(lesion[name], others[name].to_numpy())
                for null, others in nulls.items()
                for name in STATISTICS
            ]
    return pd.DataFrame(table)


def _compare(observed: float, null: np.ndarray) -> dict[str, float]:
    null = null[np.isfinite(null)]
    if len(null) < 2 or not np.isfinite(observed):
        return {"observed": observed} | dict.fromkeys(("null_mean", "z", "p"), np.nan)
    sd = null.std(ddof=1)
    return {
        "observed": observed,
        "null_mean": null.mean(),
        "z": (observed - null.mean()) / sd if sd > 0 else np.nan,
        "p": (1 + (null >= observed - 1e-9).sum()) / (1 + len(null)),
    }


def _observed(rows: pd.DataFrame) -> pd.DataFrame:
    """Modules, their places and regions, without random sets."""
    return rows[rows.kind.isin(KINDS) & (rows.null == "observed")]


def _networks(rows: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """The mean over each network's lesions: networks, not lesions, are the sample.

    ``p`` compares it with the same mean over each draw: the modules of a draw together are one
    random arrangement of all labels.
    """
    keys = [*_NETWORK, "kind", "null", "statistic"]
    known = tests[tests.p.notna()].groupby(keys, sort=False)
    mean = known[["observed", "null_mean"]].mean()
    mean["excess"] = mean.observed - mean.null_mean
    drawn = rows[rows.null.isin(("random", "matched"))]
    each = [*_NETWORK, "kind", "null", "draw"]
    draws = drawn.groupby(each)[list(STATISTICS)].mean().reset_index()
    draws = draws.melt(each, var_name="statistic").set_index(keys)
    beyond = draws.value >= mean.observed.reindex(draws.index) - 1e-9
    count = beyond.groupby(level=keys).agg(["sum", "size"])
    p = ((1 + count["sum"]) / (1 + count["size"])).rename("p")
    return mean.join(p).reset_index()


def _over_networks(networks: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """A method's networks against chance, and how many lesions are compared in them.

    ``p_t`` and ``p_wilcoxon`` take each network's mean excess as one number; ``p_fisher`` combines
    the permutation tests of single networks, so it says whether any of them is beyond chance.
    Modules do not look at places: networks that differ by these alone are asked once.
    """
    keys = ["label", "kind", "null", "statistic"]
    lesions = tests[tests.p.notna()].groupby(keys, sort=False).size()
    table = []
    for names, group in networks.groupby(keys, sort=False):
        label, kind, null, statistic = map(str, names)
        test = across(group.excess.to_numpy(), "greater")
        p = group.p.dropna()
        table.append(
            {
                "method": label,
                "lesion": KINDS[kind],
                "random sets": NULLS[null],
                "statistic": statistic,
                "asked": (kind, null, statistic, *group.sort_values("seed").excess),
                "observed": group.observed.mean(),
                "random": group.null_mean.mean(),
                "excess": test["mean"],
                "sd": test["sd"],
                "networks": test["n"],
                "p_t": test["p_t"],
                "p_wilcoxon": test["p_wilcoxon"],
                "p_fisher": stats.combine_pvalues(p).pvalue if len(p) else np.nan,
                "lesions": int(lesions.loc[label, kind, null, statistic]),
            }
        )
    return control(pd.DataFrame(table), "p_t")


def _methods(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over a network's lesions, then over the networks of a method."""
    table = []
    for label, group in rows.groupby("label", sort=False):
        intact, observed = group[group.kind == "intact"], _observed(group)
        row: dict[str, object] = {
            "method": label,
            "networks": len(intact),
            "accuracy": intact.filter(regex="^accuracy_").to_numpy().mean(),
            "modules": (observed.kind == "module").sum() / len(intact),
        }
        for kind, words in KINDS.items():
            one = observed[observed.kind == kind].groupby("seed")
            mean = one[["neurons", "severity", *STATISTICS]].mean()
            row |= {f"{words}: {name}": mean[name].mean() for name in mean}
        table.append(row)
    return pd.DataFrame(table)


def _each(rows: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """Modules and regions one by one, with the tasks that they cost most."""
    key = [*_NETWORK, "kind", "lesion"]
    lost = pd.concat([_damage(group) for _, group in rows.groupby(_NETWORK, sort=False)])
    one = _observed(rows)
    worst = lost.loc[one.index].apply(_worst, axis=1)
    table = one[[*key, "neurons", "activity", "severity", *STATISTICS]]
    table = table.assign(**{"tasks it costs most": worst}).set_index(key)
    p = tests[tests.statistic == "specificity"].set_index([*key, "null"]).p.unstack()
    p = p.rename(columns={null: f"p specificity, {words}" for null, words in NULLS.items()})
    return table.join(p).reset_index()


def _worst(lost: pd.Series) -> str:
    most = lost.dropna().nlargest(3)
    return ", ".join(f"{task} {value:.2f}" for task, value in most.items() if value > 0.05)


def _damage(group: pd.DataFrame) -> pd.DataFrame:
    """Damage of a network's lesions by task, from the accuracies in its rows."""
    accuracy = group.filter(regex="^accuracy_")
    scores, kind = accuracy.to_numpy(), group.kind.to_numpy()
    lost = damage(scores, scores[kind == "intact"][0], scores[kind == "all"][0], _STAKE)
    tasks = [str(column).removeprefix("accuracy_") for column in accuracy]
    return pd.DataFrame(lost, index=group.index, columns=tasks)


def _words(over: pd.DataFrame, tests: pd.DataFrame) -> Iterator[str]:
    """What holds over the networks of each method, and what does not."""
    if over.empty:
        yield "No network has modules whose lesions could be compared."
        return
    short = over.assign(words=over.apply(_beside, axis=1))
    short = short[short["random sets"] != NULLS["matched"]]  # of modules alone: in the table
    for statistic in STATISTICS:
        for label, group in short[short.statistic == statistic].groupby("method", sort=False):
            parts = [
                f"{lesion} {', '.join(one.words)}"
                for lesion, one in group.groupby("lesion", sort=False)
            ]
            yield (
                f"**{label}**, {STATISTICS[statistic]}, n = {group.networks.max()}: "
                f"{'; '.join(parts)}."
            )


def _beside(row: pd.Series) -> str:
    """Lesions that compare with a kind of random sets, and whether they are beyond it."""
    return (
        f"{row.observed:.2f} against {row['random']:.2f} in random sets {row['random sets']} "
        f"(p = {row.p_controlled:.2g})"
    )


def _caveats(tests: pd.DataFrame, draws: int) -> Iterator[str]:
    severe = tests[(tests.null == "severe") & (tests.statistic == "specificity")]
    for label, group in severe.groupby("label", sort=False):
        without = int(group.p.isna().sum())
        if without:
            yield (
                f"{label}: {without} of {len(group)} lesions have no {draws} random sets that do "
                f"as much damage (within {_AS_SEVERE:g} on average), and are compared at equal "
                "size alone."
            )


def _profiles(rows: pd.DataFrame) -> Figure:
    """Heat maps of damage, methods by kinds of lesion, in each method's first network."""
    first = [group for _, group in rows.groupby("label", sort=False)]
    first = [group[group.seed == group.seed.iloc[0]] for group in first]
    kinds = {"modules": ("module", "observed"), "regions": ("region", "observed")}
    kinds["random neurons"] = ("module", "random")
    heights = [max(4, int(((g.kind == "module") & (g.null == "observed")).sum())) for g in first]
    figure = new_figure(11, 1.6 + 0.2 * sum(heights) + 0.45 * len(first))
    axes = figure.subplots(len(first), 3, squeeze=False, height_ratios=heights)
    for i, (row, group) in enumerate(zip(axes, first, strict=True)):
        lost = _damage(group)
        for ax, (words, (kind, null)) in zip(row, kinds.items(), strict=True):
            some = (group.kind == kind) & (group.null == null) & (group.draw == 0)
            image = ax.imshow(
                lost[some], aspect="auto", cmap="magma_r", vmin=0, vmax=1, interpolation="nearest"
            )
            ax.set_yticks(range(int(some.sum())), group.neurons[some], fontsize=7)
            ax.set_xticks(range(lost.shape[1]), lost.columns, rotation=90, fontsize=7)
            ax.tick_params(length=0, labelbottom=i == len(first) - 1)
            if i == 0:
                ax.set_title(words, fontsize=10)
            no_frame(ax)
        row[0].set_ylabel(f"{group.label.iloc[0]}\nseed {group.seed.iloc[0]}", fontsize=9)
    bar = figure.colorbar(image, ax=axes, pad=0.01, aspect=40, shrink=0.6)
    bar.set_label("damage")
    no_frame(bar.ax)
    return figure


def _specificity(networks: pd.DataFrame) -> Figure:
    """A line for each network, from its random sets to its lesions; statistics by kinds."""
    labels = list(networks.label.drop_duplicates())
    names = {
        "specificity": "specificity: largest less median damage",
        "gini": "Gini coefficient of damage over tasks",
        "fit": "fit: damage against share of task variance, rank correlation",
    }
    figure = new_figure(9.5, 0.8 + len(names) * (0.9 + 0.4 * max(1, len(labels))))
    axes = figure.subplots(len(names), len(KINDS), sharey=True, sharex="row")
    for row, (name, words) in zip(axes, names.items(), strict=True):
        some = networks[(networks.statistic == name) & (networks.null == "random")]
        for ax, (kind, lesion) in zip(row, KINDS.items(), strict=True):
            for i, label in enumerate(labels):
                one = some[(some.kind == kind) & (some.label == label)]
                y = i + np.linspace(-0.2, 0.2, len(one)) if len(one) > 1 else np.full(len(one), i)
                colour = module_colours(i)
                ax.hlines(y, one.null_mean, one.observed, color=colour, lw=1, alpha=0.6)
                ax.plot(one.null_mean, y, "o", ms=4, mfc="white", mew=1, color=colour)
                ax.plot(one.observed, y, "o", ms=5, mew=0, color=colour)
            ax.axvline(0, color=FAINT, lw=0.8, zorder=0)
            ax.set_title(f"lesion of a {lesion}", loc="left", fontsize=10)
            ax.set_ylim(len(labels) - 0.4, -0.6)
            ax.margins(x=0.08)
            open_frame(ax)
        row[1].set_xlabel(words)
        row[0].set_yticks(range(len(labels)), labels)
    return figure


def _severity(rows: pd.DataFrame) -> Figure:
    """Specificity against severity, a panel for each method."""
    groups = [group for _, group in rows.groupby("label", sort=False)]
    columns = min(4, len(groups))
    lines = -(-len(groups) // columns)
    figure = new_figure(1 + 2.7 * columns, 0.7 + 2.7 * lines)
    axes = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for ax in axes.flat[len(groups) :]:
        ax.set_axis_off()
    for ax, group in zip(axes.flat, groups, strict=False):
        drawn = group[group.null != "observed"]
        dots: dict[str, Any] = {"ls": "", "marker": "o", "mew": 0, "rasterized": True}
        ax.plot(drawn.severity, drawn.specificity, ms=2, alpha=0.15, color=FAINT, **dots)
        for i, (kind, words) in enumerate(KINDS.items()):
            one = group[(group.kind == kind) & (group.null == "observed")]
            ax.plot(one.severity, one.specificity, ms=4, color=module_colours(i), **dots)
            ax.plot([], [], ms=5, color=module_colours(i), label=words, **dots)
        ax.plot([], [], ms=5, color=FAINT, label="random neurons", **dots)
        ax.set_title(str(group.label.iloc[0]), loc="left", fontsize=10)
        open_frame(ax)
    figure.legend(
        *axes.flat[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize=8,
    )
    for ax in axes[-1]:
        ax.set_xlabel("severity: mean damage")
    for ax in axes[:, 0]:
        ax.set_ylabel("specificity")
    return figure
