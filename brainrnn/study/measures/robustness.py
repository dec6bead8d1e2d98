"""What do networks withstand? Noise on inputs, units and weights, and the loss of neurons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
import xarray as xr
from matplotlib.figure import Figure
from pydantic import Field
from scipy import stats
from scipy.integrate import trapezoid
from torch import Tensor

from brainrnn.analysis import AnalysisSpec, active_units, record, task_variance
from brainrnn.networks import RNN
from brainrnn.plots.style import module_colours, new_figure, open_frame
from brainrnn.study.damage import lesioned_scores, part_of, relevant_neurons, task_scores
from brainrnn.study.findings.comparisons import control
from brainrnn.study.findings.settings import name_settings
from brainrnn.study.findings.tables import mean_sd
from brainrnn.study.inference import across, paired
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.pruning import prune
from brainrnn.study.subject import Subject
from brainrnn.task import Suite, Trials
from brainrnn.wiring_cost.strength import present

DAMAGES = {
    "inputs": "noise on inputs",
    "units": "noise on units",
    "weights": "noise on weights",
    "loss": "loss of neurons",
}
_LEVELS = {
    "inputs": "sd of noise on inputs",
    "units": "noise on units / rms state",
    "weights": "noise on weights / rms weight",
    "loss": "fraction of active neurons lost",
}
_NETWORK = ["method", "label", "seed", "variant"]

Levels = tuple[Annotated[float, Field(gt=0)], ...]


class RobustnessMeasure(Measure):
    """Accuracy of every network at rising levels of four kinds of damage, without retraining.

    *Inputs*: Gaussian noise on every input channel at every step. *Units*: private noise inside
    every unit's activation, sqrt(2 / alpha) sigma N(0, 1) (as in training with noise; Yang et al.
    2019), sigma in units of the network's own rms state, for networks may differ in how active
    they are. *Weights*: Gaussian noise on every weight that is there, of inputs, recurrence and
    readout, in units of the rms of those weights of the same matrix: what is absent stays absent.
    *Loss*: random active neurons held at 0.

    A network's *robustness* to one of them is the area under its accuracy, as a fraction of the
    undamaged one, over levels from 0 to the highest, divided by the highest level: 1 is unharmed.

    Methods differ in how sparse their networks are. So each network is tested as trained, and once
    more *at matched sparsity*: with its weakest recurrent weights taken away until ``pruned`` of
    them are absent. A network that is sparser as trained stays as it is, and is not compared there.
    """

    kind: Literal["robustness"] = "robustness"
    inputs: Levels = Field(
        (0.1, 0.2, 0.3, 0.4), min_length=1, description="sd of noise on each input"
    )
    units: Levels = Field(
        (0.02, 0.05, 0.1, 0.15, 0.2),
        min_length=1,
        description="sigma of private noise, in units of the rms state of active neurons",
    )
    weights: Levels = Field(
        (0.05, 0.1, 0.15, 0.2, 0.3),
        min_length=1,
        description="sd of noise on present weights, in units of their rms",
    )
    loss: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        (0.02, 0.05, 0.1, 0.15, 0.2),
        min_length=1,
        description="fractions of active neurons to lose",
    )
    draws: int = Field(8, ge=1, description="draws of noise, or of lost neurons, for each level")
    trials: int = Field(20, ge=1, description="trials per task, the same for every level and draw")
    pruned: float = Field(
        0.97, gt=0, lt=1, description="fraction of recurrent weights absent at matched sparsity"
    )
    least: float = Field(
        0.9,
        ge=0,
        le=1,
        description="undamaged accuracy, as a share of the best possible, below which a network "
        "has no robustness to compare",
    )

    def rows(self, subject: Subject) -> pd.DataFrame:
        """A row for every variant, damage, level and draw; one of level 0 for the undamaged."""
        suite, trained = subject.suite, subject.net
        absent = 1 - float(present(trained.w_rec).double().mean())
        rows = self._variant(subject, trained).assign(variant="as trained", absent=absent)
        matched = rows
        if absent < self.pruned:
            lean = trained.select(0)
            prune(lean, self.pruned)
            matched = self._variant(subject, lean).assign(absent=self.pruned)
        rows = pd.concat([rows, matched.assign(variant="matched")], ignore_index=True)
        rows.insert(0, "ceiling", float(np.mean(suite.ceiling())))
        first = ["variant", "absent", "damage", "level", "draw", "ceiling", "accuracy"]
        return rows[[*first, *(column for column in rows if column not in first)]]

    def _variant(self, subject: Subject, net: RNN) -> pd.DataFrame:
        """All damages to one network; the same noise for all networks of a seed."""
        suite = subject.suite
        rng = np.random.default_rng([subject.seed, 31])
        batch = suite.held_out(self.trials, rng).to(net.w_rec.device)
        spec = subject.cell.experiment.analysis
        active = _active(net, suite, spec, rng)
        lean = part_of(net, relevant_neurons(net))
        # Each has a stream of its own, so that settings of one do not change another's draws.
        seeds = rng.integers(2**63, size=3).tolist()
        none = task_scores(lean, suite, batch)
        scores = {
            "inputs": noisy_inputs(lean, suite, batch, self.inputs, self.draws, seeds[0]),
            "units": noisy_units(net, suite, batch, self.units, self.draws, seeds[1], active),
            "weights": noisy_weights(lean, suite, batch, self.weights, self.draws, seeds[2]),
            "loss": lost_neurons(net, suite, batch, self.loss, self.draws, rng, active),
        }
        columns = [f"accuracy_{task}" for task in suite.names]
        parts = [_tidy("none", (0.0,), none[None], columns)]
        parts += [_tidy(name, getattr(self, name), scores[name], columns) for name in DAMAGES]
        return pd.concat(parts, ignore_index=True)

    def findings(self, rows: pd.DataFrame) -> Findings:
        """Robustness of each method, at its own and at matched sparsity, and against sparsity."""
        words = dict(zip(rows.method, rows.label, strict=True))
        rows = name_settings(rows)
        settings = rows.set_index("label")[[c for c in rows.columns if "." in c]]
        settings = settings[~settings.index.duplicated()]
        curve = curves(rows)
        area = robustness(curve, self.least)
        sparser = (area.variant == "matched") & (area.absent > self.pruned + 1e-9)
        area.loc[sparser, "robustness"] = np.nan
        tasks = [c for c in curve.columns if str(c).startswith("accuracy_")]
        compared, sparsity = _compared(area, settings), _against_sparsity(area, settings)
        found = Findings()
        found.tables["Each method"] = _methods(area)
        found.tables["Between methods, paired by seed"] = compared
        found.tables["Robustness and sparsity"] = sparsity
        found.tables["Each task, as trained"] = _tasks(curve, tasks)
        found.tables["Each network"] = _wide(area).drop(columns="method")
        found.words = [
            *_words(area, compared),
            *_sparsity_words(sparsity),
            *_caveats(area, self.pruned),
        ]
        found.figures["curves"] = (
            _curves(curve),
            "Accuracy on all tasks under rising damage: above, networks as trained; below, with "
            f"their weakest weights taken away until {self.pruned:.0%} of the recurrent ones are "
            "absent. Lines are means over seeds, bands from the lowest to the highest seed.",
        )
        found.figures["sparsity"] = (
            _sparsity(area, words),
            "Robustness of every network as trained, the area under its accuracy as a fraction of "
            "the undamaged, against the fraction of its recurrent weights that are present; ρ is "
            "Spearman's rank correlation over all of them.",
        )
        return found


@torch.no_grad()
def noisy_inputs(
    net: RNN, suite: Suite, batch: Trials, sds: Levels, draws: int, seed: int
) -> np.ndarray:
    """Scores with noise on every input at every step of a trial, (level, draw, task).

    The draws are the same at every level but for their size, here and below.
    """
    lengths = batch.lengths.to(batch.inputs.device)
    generator = torch.Generator().manual_seed(seed)
    steps = torch.arange(len(batch.inputs), device=batch.inputs.device)
    under_way = (steps[:, None] < lengths)[..., None]
    scores = np.empty((len(sds), draws, len(suite.names)))
    for draw in range(draws):  # members share their inputs, so that each draw is a run
        noise = torch.randn(batch.inputs.shape, generator=generator).to(batch.inputs) * under_way
        for i, sd in enumerate(sds):
            noisy = replace(batch, inputs=batch.inputs + sd * noise)
            scores[i, draw] = task_scores(net, suite, noisy)[0]
    return scores


@torch.no_grad()
def noisy_units(
    net: RNN,
    suite: Suite,
    batch: Trials,
    sigmas: Levels,
    draws: int,
    seed: int,
    active: np.ndarray,
) -> np.ndarray:
    """Scores with private noise in every unit, in units of the rms state, (level, draw, task)."""
    states = net.activity(batch.inputs, batch.lengths)[1][0]
    # Padding after a trial's end is 0, and is not counted.
    total = states[..., torch.from_numpy(active).to(states.device)].double().square().sum()
    rms = float((total / (batch.lengths.sum() * active.sum())).sqrt())
    noisy, scores = net.select(0), np.empty((len(sigmas), draws, len(suite.names)))
    for i, sigma in enumerate(sigmas):
        noisy.spec = net.spec.model_copy(update={"noise": sigma * rms})
        source = torch.Generator(net.w_rec.device).manual_seed(seed)
        for draw in range(draws):  # members share their noise, so that each draw is a run
            scores[i, draw] = task_scores(noisy, suite, batch, generator=source)[0]
    return scores


@torch.no_grad()
def noisy_weights(
    net: RNN, suite: Suite, batch: Trials, sds: Levels, draws: int, seed: int
) -> np.ndarray:
    """Scores with noise on every present weight, in units of their rms, (level, draw, task)."""
    generator = torch.Generator().manual_seed(seed)
    copies = net.select(*[0] * draws)
    noise: dict[str, Tensor] = {}
    for name in ("w_in", "w_rec", "w_out"):
        weight = net.get_parameter(name)
        there = present(weight)
        rms = weight[there].square().mean().sqrt() if bool(there.any()) else weight.new_zeros(())
        draw = torch.randn((draws, *weight.shape[1:]), generator=generator).to(weight)
        noise[name] = draw * there * rms
    scores = []
    for sd in sds:
        for name, size in noise.items():
            copies.get_parameter(name).copy_(net.get_parameter(name) + sd * size)
        scores.append(task_scores(copies, suite, batch))
    return np.stack(scores)


def lost_neurons(
    net: RNN,
    suite: Suite,
    batch: Trials,
    fractions: Levels,
    draws: int,
    rng: np.random.Generator,
    active: np.ndarray,
) -> np.ndarray:
    """Scores without a random fraction of the active neurons, (level, draw, task)."""
    some = np.flatnonzero(active)
    rank = rng.random((draws, len(some))).argsort(axis=1).argsort(axis=1)
    count = np.round(np.array(fractions) * len(some))
    gone = np.zeros((len(fractions), draws, len(active)), bool)
    gone[..., some] = rank < count[:, None, None]
    scores = lesioned_scores(net, suite, batch, gone.reshape(-1, len(active)))
    return scores.reshape(len(fractions), draws, -1)


def _active(net: RNN, suite: Suite, spec: AnalysisSpec, rng: np.random.Generator) -> np.ndarray:
    """Which neurons take part in anything, as in the analysis of the map, (unit,) bool."""
    variance = [
        task_variance(record(net, suite, task, trials=spec.trials, rng=rng)) for task in suite.names
    ]
    return active_units(xr.concat(variance, "task"), spec.active_threshold).values[0]


def _tidy(damage: str, levels: Levels, scores: np.ndarray, columns: list[str]) -> pd.DataFrame:
    """Scores (level, draw, task) as a row for each level and draw."""
    level, draw = np.indices(scores.shape[:2]).reshape(2, -1)
    flat = scores.reshape(len(level), -1)
    about = {"damage": damage, "level": np.array(levels)[level], "draw": draw}
    return pd.DataFrame(
        about | {"accuracy": flat.mean(1)} | dict(zip(columns, flat.T, strict=True))
    )


def curves(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracies over draws at each level of each damage, from the undamaged on.

    Returns
    -------
    DataFrame
        ``method``, ``label``, ``seed``, ``variant``, ``absent``, ``ceiling``, ``damage``,
        ``level``, and accuracies.
    """
    scores = ["accuracy", *(str(c) for c in rows.columns if str(c).startswith("accuracy_"))]
    keys = [*_NETWORK, "absent", "ceiling", "damage", "level"]
    mean = rows.groupby(keys, sort=False)[scores].mean().reset_index()
    undamaged = mean[mean.damage == "none"]
    return pd.concat(
        [part for d in DAMAGES for part in (undamaged.assign(damage=d), mean[mean.damage == d])],
        ignore_index=True,
    )


def robustness(curve: pd.DataFrame, least: float) -> pd.DataFrame:
    """Area under each network's relative accuracy for each damage.

    Parameters
    ----------
    curve : DataFrame
        As from :func:`curves`.
    least : float
        Undamaged accuracy, as a share of the best possible, below which it is NaN.

    Returns
    -------
    DataFrame
        A row for each network, variant and damage: ``undamaged`` and ``robustness``.
    """
    table = []
    for names, group in curve.groupby([*_NETWORK, "damage"], sort=False):
        first, able = group.iloc[0], group.accuracy.iloc[0] >= least * group.ceiling.iloc[0]
        table.append(
            dict(zip([*_NETWORK, "damage"], names, strict=True))
            | {"absent": first.absent, "undamaged": first.accuracy}
            | {"robustness": area(group.level, group.accuracy) if able else np.nan}
        )
    return pd.DataFrame(table)


def area(level: pd.Series, accuracy: pd.Series) -> float:
    """Area under accuracy relative to that of the first level, 0, over the highest level."""
    order = level.to_numpy().argsort(kind="stable")
    x, y = (values.to_numpy(float)[order] for values in (level, accuracy))
    return float(trapezoid(y / y[0], x) / x[-1]) if y[0] > 0 else float("nan")


def _methods(area: pd.DataFrame) -> pd.DataFrame:
    table = []
    for (label, variant), group in area.groupby(["label", "variant"], sort=False):
        network = group.groupby("seed").first()
        row: dict[str, object] = {
            "method": label,
            "networks": variant,
            "weights absent": f"{network.absent.mean():.1%}",
            "undamaged": mean_sd(network.undamaged),
        }
        for damage, one in group.groupby("damage", sort=False):
            row[str(damage)] = mean_sd(one.robustness)
        table.append(row)
    return pd.DataFrame(table).sort_values("networks", kind="stable")


def _compared(area: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Every two methods under each damage, paired by seed; p controlled over all of these.

    Methods that are trained with several strengths are compared at the same one.
    """
    method = dict(zip(area.label, area.method, strict=True))
    pairs = [
        (one, other)
        for one, other in combinations(method, 2)
        if method[one] != method[other] and _agree(settings.loc[[one, other]])
    ]
    table = []
    for (variant, damage), group in area.groupby(["variant", "damage"], sort=False):
        by = group.set_index(["label", "seed"]).robustness
        table += [
            {"networks": variant, "damage": damage, "method": one, "against": other}
            | paired(by[one], by[other])
            for one, other in pairs
        ]
    return control(pd.DataFrame(table))


def _agree(settings: pd.DataFrame) -> bool:
    """Whether two methods have the same value of every key that both sweep."""
    return bool((settings.dropna(axis=1).nunique() <= 1).all())


def _against_sparsity(area: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Rank correlation of robustness with the fraction of weights absent, as trained.

    Networks of one seed saw the same trials and noise, so each seed gives one correlation over its
    networks, and these, one for each seed, are tested against 0: of all networks, and of those of
    methods with a sweep, for others may differ in more than sparsity.
    """
    table = []
    trained = area[(area.variant == "as trained") & area.robustness.notna()]
    swept = trained.label.map(settings.notna().any(axis=1))
    some = {"all": trained, "of a sweep": trained[swept]}
    for which, those in {k: v for k, v in some.items() if k == "all" or not swept.all()}.items():
        for damage, group in those.groupby("damage", sort=False):
            each = [_spearman(one) for _, one in group.groupby("seed")]
            test = across(np.array(each), "two-sided")
            table.append(
                {"damage": damage, "networks": which, "n": len(group), "rho": _spearman(group)}
                | {"seeds": test["n"], "mean rho of a seed": test["mean"], "sd": test["sd"]}
                | {"p_t": test["p_t"]}
            )
    return control(pd.DataFrame(table), "p_t")


def _spearman(group: pd.DataFrame) -> float:
    if len(group) < 3 or group.absent.nunique() < 2 or group.robustness.nunique() < 2:
        return float("nan")
    return float(stats.spearmanr(group.absent, group.robustness).statistic)


def _tasks(curve: pd.DataFrame, tasks: list[str]) -> pd.DataFrame:
    """Robustness in each task: means over networks of those it can be told of."""
    table = []
    for names, group in curve[curve.variant == "as trained"].groupby(
        ["label", "damage"], sort=False
    ):
        networks = [one for _, one in group.groupby("seed")]
        row: dict[str, object] = dict(zip(("method", "damage"), names, strict=True))
        for task in tasks:
            known = pd.Series([area(one.level, one[task]) for one in networks]).dropna()
            row[task.removeprefix("accuracy_")] = known.mean()
        table.append(row)
    return pd.DataFrame(table)


def _wide(area: pd.DataFrame) -> pd.DataFrame:
    network = [*_NETWORK, "absent", "undamaged"]
    wide = area.pivot(index=network, columns="damage", values="robustness")[list(DAMAGES)]
    order = area[network].drop_duplicates().set_index(network).index
    return wide.reindex(order).reset_index().rename_axis(columns=None)


def _words(area: pd.DataFrame, compared: pd.DataFrame) -> Iterator[str]:
    """Methods by how robust they are, and which of those that compare differ."""
    for (variant, damage), group in area.groupby(["variant", "damage"], sort=False):
        mean = group.groupby("label").robustness.mean().dropna().sort_values(ascending=False)
        ranking = ", ".join(f"{label} {v:.3f}" for label, v in mean.items()) or "none to tell"
        line = f"Robustness to {DAMAGES[str(damage)]}, {_of(str(variant))}: {ranking}"
        if len(compared):
            here = compared[(compared.networks == variant) & (compared.damage == damage)]
            here = here[here.p_controlled.notna()]
            beyond = [
                f"{row.method} and {row.against}"
                for row in here[here.p_controlled < 0.05].itertuples()
            ]
            line += f". Of {len(here)} pairs of methods at the same setting, {len(beyond)} differ "
            line += f"(controlled p < 0.05{': ' if beyond else ''}{'; '.join(beyond)})"
        yield f"{line}."


def _of(variant: str) -> str:
    return "as trained" if variant == "as trained" else "at matched sparsity"


def _sparsity_words(table: pd.DataFrame) -> Iterator[str]:
    for row in table.to_dict("records"):
        rho, p, seeds = row["mean rho of a seed"], row["p_controlled"], row["seeds"]
        side = f"are {'more' if rho > 0 else 'less'} robust"
        test = f"p = {p:.2g} over {seeds} seeds, controlled"
        if np.isnan(p):  # rank correlations of few networks are easily all alike
            test = f"alike in {seeds} seeds" if seeds > 1 else "one seed, no test"
        elif p >= 0.05:
            side = "are neither more nor less robust beyond chance"
        among = "" if row["networks"] == "all" else " of methods with a sweep"
        yield (
            f"Under {DAMAGES[row['damage']]}, sparser networks{among} {side}: Spearman {rho:.2f} "
            f"within a seed ({test}), {row['rho']:.2f} over all {row['n']} of them."
        )


def _caveats(area: pd.DataFrame, pruned: float) -> Iterator[str]:
    matched = area[(area.variant == "matched") & (area.damage == "loss")]
    for label, group in matched.groupby("label", sort=False):
        above = group.absent > pruned + 1e-9
        unable, sparser = int((group.robustness.isna() & ~above).sum()), int(above.sum())
        if unable:
            yield (
                f"{label}: with {pruned:.0%} of the recurrent weights absent, {unable} of "
                f"{len(group)} networks no longer perform (accuracy "
                f"{group.undamaged.mean():.3f}) and are not compared at matched sparsity."
            )
        if sparser:
            yield (
                f"{label}: {sparser} of {len(group)} networks are sparser than {pruned:.0%} as "
                f"trained (mean {group.absent.mean():.1%} absent) and are not compared at matched "
                "sparsity."
            )


def _colours(rows: pd.DataFrame) -> dict[str, tuple[np.ndarray, str]]:
    """A colour for each method and a line for each of its settings, by label."""
    methods = list(rows.method.drop_duplicates())
    settings = {m: list(rows[rows.method == m].label.drop_duplicates()) for m in methods}
    lines = ("-", "--", ":", "-.")
    return {
        label: (module_colours(i), lines[j % len(lines)])
        for i, method in enumerate(methods)
        for j, label in enumerate(settings[method])
    }


def _curves(curve: pd.DataFrame) -> Figure:
    variants = list(curve.variant.drop_duplicates())
    figure = new_figure(12, 0.7 + 2.7 * len(variants))
    axes = figure.subplots(len(variants), len(DAMAGES), sharex="col", sharey=True, squeeze=False)
    looks = _colours(curve)
    for row, variant in zip(axes, variants, strict=True):
        for ax, damage in zip(row, DAMAGES, strict=True):
            some = curve[(curve.variant == variant) & (curve.damage == damage)]
            for label, (colour, line) in looks.items():
                one = some[some.label == label].groupby("level").accuracy
                mean, low, high = one.mean(), one.min(), one.max()
                ax.fill_between(mean.index, low, high, color=colour, alpha=0.12, lw=0)
                ax.plot(mean.index, mean, line, color=colour, lw=1.4, label=label)
            ax.set_xlim(left=0)
            ax.set_ylim(0, 1.02)
            ax.grid(axis="y", color="0.92")
            ax.set_axisbelow(True)
            open_frame(ax)
        row[0].set_ylabel(f"accuracy, {_of(str(variant))}")
    for ax, words in zip(axes[-1], _LEVELS.values(), strict=True):
        ax.set_xlabel(words)
    handles = axes[0][0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return figure


def _sparsity(area: pd.DataFrame, names: dict[str, str]) -> Figure:
    trained = area[area.variant == "as trained"]
    figure = new_figure(12, 3.6)
    axes = figure.subplots(1, len(DAMAGES), sharey=True)
    for ax, (damage, words) in zip(axes, DAMAGES.items(), strict=True):
        for i, (method, group) in enumerate(trained.groupby("method", sort=False)):
            one = group[group.damage == damage]
            dots: dict[str, Any] = {"ms": 5, "mew": 0, "alpha": 0.85, "label": names[str(method)]}
            ax.plot(1 - one.absent, one.robustness, "o", color=module_colours(i), **dots)
        rho = _spearman(trained[(trained.damage == damage) & trained.robustness.notna()])
        title = words if np.isnan(rho) else f"{words}, ρ = {-rho:.2f}"
        ax.set_title(title, loc="left", fontsize=10)
        ax.set_xscale("log")
        ax.set_xlabel("recurrent weights present")
        open_frame(ax)
    axes[0].set_ylabel("robustness")
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return figure
