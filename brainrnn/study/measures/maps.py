"""Is there a map? Both of the paper's measures and others, network by network and over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pydantic import Field

from brainrnn.analysis import analyse, load, map_statistics, save
from brainrnn.analysis.map_statistics import MEASURES, MORAN, STATISTICS
from brainrnn.analysis.space.lengths import MODELS
from brainrnn.plots import plot_map
from brainrnn.plots.style import FAINT, module_colours, new_figure, open_frame
from brainrnn.study.inference import Control, across, paired, tabulate
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.measures.cells import mean_sd, median_range
from brainrnn.study.measures.swept import name_settings, with_setting
from brainrnn.study.subject import Cell, Subject
from brainrnn.study.wiring import wiring_length

_LINES = 200  # in each of the maps side by side
_CONTROL = (
    "Over networks, p is controlled by Holm's procedure for the two measures, over all methods; "
    "for the other statistics, and between methods, by Benjamini and Hochberg's. What networks "
    "that differ by their places alone have in common is asked once. In the table of mean z a "
    "star says that the controlled p is below 0.05."
)


class MapMeasure(Measure):
    """The paper's question, with the analysis that the study's experiment fixes."""

    kind: Literal["map"] = "map"
    level: float = Field(
        0.001, gt=0, lt=1, description="p below which one network's map is beyond chance"
    )
    share: float = Field(
        0.8, gt=0, le=1, description="share of networks that must be for the paper's claim to hold"
    )
    graphs: int = Field(50, ge=2, description="random graphs beside the recurrent graph")
    accuracy_share: float = Field(
        0.95, gt=0, le=1, description="share of the best possible accuracy they must reach"
    )

    def rows(self, subject: Subject) -> pd.DataFrame:
        """A row for each statistic; what belongs to the network is in each of them."""
        spec = subject.cell.experiment.analysis
        brain = analyse(subject.net, subject.suite, spec, seed=subject.seed)
        save(brain, subject.folder / f"{subject.cell.name}.nc")
        tested = map_statistics(brain, graphs=self.graphs).isel(member=0)
        one = brain.isel(member=0)
        total, mean = wiring_length(subject.net)
        network = {
            "accuracy": float(one.accuracy.mean()),
            "ceiling": float(one.ceiling.mean()),
            "active": int(one.active.sum()),
            "modules": int(one.clusters),
            "absent": float(one.sparsity),
            "wiring_length": float(total[0]),
            "mean_length": float(mean[0]),
            "exponent": float(tested.length_estimate.sel(model="power_law", parameter="exponent")),
        }
        for name in ("akaike_weight", "ratio", "ratio_p"):
            values = tested[f"length_{name}"].to_series()
            network |= {f"{name}_{model}": float(value) for model, value in values.items()}
        fields = ["observed", "null_mean", "null_low", "null_high", "z", "p", "alternative"]
        table = tested[fields].to_dataframe().reset_index()[["statistic", *fields]]
        return table.assign(**network)

    def findings(self, rows: pd.DataFrame) -> Findings:
        """The paper's table, the tests over seeds, and what holds of its claims."""
        rows = name_settings(rows)
        paper = rows[rows.statistic.isin(MEASURES)]
        found = Findings()
        found.tables["Each method"] = self._methods(paper)
        single = rows.statistic.str.startswith(MORAN)  # of single tasks
        claimed = _over_networks(paper, "holm")
        others = rows[~single & ~rows.statistic.isin(MEASURES)]
        explored = _over_networks(others, "benjamini-hochberg")
        found.tables["Over networks"] = claimed
        found.tables["Mean z over networks"] = _side_by_side(pd.concat([claimed, explored]))
        found.tables["Connection lengths"] = _lengths(paper[paper.statistic == "isolated"])
        found.tables["Between methods"] = _between_methods(paper)
        found.tables["Each network"] = _networks(paper)
        found.words = [*self._words(paper), _CONTROL]
        found.figures["z"] = (
            _dots(paper),
            "Both measures of every network, as z against random arrangements of its own modules "
            "over its own active neurons: below 0 is more modular in space than chance. "
            "A dot is a network, a bar the mean of its method; the band holds 95 % of a normal "
            "null.",
        )
        return found

    def gallery(self, folder: Path, cells: Sequence[Cell]) -> dict[str, tuple[Figure, str]]:
        """The maps of the first seed, all methods side by side."""
        first = [cell for cell in cells if cell.seed == cells[0].seed]
        files = {with_setting(c.label, c.setting): folder / f"{c.name}.nc" for c in first}
        maps = _maps(files)
        return {
            "maps": (
                maps,
                f"Every method's network of seed {first[0].seed}. Discs are active neurons where "
                "they sit, coloured by functional module (numbered by size, so colours of "
                "different networks have nothing to do with each other); grey dots are silent "
                f"neurons, lines each network's {_LINES} strongest recurrent connections.",
            )
        }

    def _methods(self, rows: pd.DataFrame) -> pd.DataFrame:
        table = []
        for label, group in rows.groupby("label", sort=False):
            wide = group.pivot(index="seed", columns="statistic")
            row: dict[str, object] = {
                "method": label,
                "accuracy": mean_sd(group.groupby("seed").accuracy.first(), 3),
                "active": mean_sd(group.groupby("seed").active.first(), 0),
                "modules": f"{group.groupby('seed').modules.first().median():g}",
                "weights absent": f"{group.absent.mean():.1%}",
            }
            below = pd.DataFrame({name: wide.p[name] < self.level for name in MEASURES})
            for name, words in MEASURES.items():
                row[f"z {words}: median (range)"] = median_range(wide.z[name])
            row[f"p < {self.level:g}: isolated, size, both"] = (
                f"{below.isolated.sum()}, {below.cluster_size.sum()}, {below.all(axis=1).sum()} "
                f"of {len(below)}"
            )
            table.append(row)
        return pd.DataFrame(table)

    def _words(self, rows: pd.DataFrame) -> list[str]:
        """What is asked of each method by itself: a map beyond chance, and accuracy."""
        words = []
        for label, group in rows.groupby("label", sort=False):
            p = group.pivot(index="seed", columns="statistic", values="p")
            both = int((p[list(MEASURES)] < self.level).all(axis=1).sum())
            inside = int((p[list(MEASURES)] >= 0.05).all(axis=1).sum())
            reached = float((group.accuracy / group.ceiling).mean())
            verdict = (
                "beyond chance"
                if both >= self.share * len(p)
                else "inside chance"
                if inside >= self.share * len(p)
                else "between"
            )
            words.append(
                f"**{label}**: {verdict}. Both measures are below p = {self.level:g} in {both} of "
                f"{len(p)} networks, both at or above p = 0.05 in {inside}; mean accuracy is "
                f"{reached:.1%} of the best possible"
                + (
                    "."
                    if reached >= self.accuracy_share
                    else f", below the {self.accuracy_share:.0%} asked for."
                )
            )
        return words


def _over_networks(rows: pd.DataFrame, control: Control) -> pd.DataFrame:
    """The z of a method's networks, tested against 0; p controlled over all that is asked here.

    Statistics that do not look at places are the same in networks that differ by their places
    alone: that is one question, not several.
    """
    tests = (
        {"method": label, "statistic": statistic, "alternative": side}
        | {"asked": (statistic, *group.sort_values("seed").z)}
        | across(group.z.to_numpy(), str(side))
        for (label, statistic, side), group in rows.groupby(
            ["label", "statistic", "alternative"], sort=False
        )
    )
    return tabulate(tests, "p_t", control)


def _side_by_side(over: pd.DataFrame) -> pd.DataFrame:
    """Mean z of every statistic and method, with a star where its p, controlled, is below 0.05."""
    over = over.reset_index(drop=True)
    cell = over["mean"].map(lambda z: f"{z:.1f}" if np.isfinite(z) else "-")
    cell += np.where(over.p_controlled < 0.05, "*", "")
    wide = over.assign(cell=cell).pivot(index="statistic", columns="method", values="cell")
    order, methods = over.statistic.drop_duplicates(), over.method.drop_duplicates()
    wide = wide.loc[order, methods].reset_index()
    wide.insert(1, "side", wide.statistic.map(over.set_index("statistic").alternative.to_dict()))
    return wide.assign(statistic=wide.statistic.map(lambda name: STATISTICS[name][0]))


def _lengths(rows: pd.DataFrame) -> pd.DataFrame:
    """How the probability of a connection falls with its length: mean over each method's networks.

    The Akaike weight of a model is its share of the evidence among those that were fitted; a
    network's power law is rejected for a model that is better at p < 0.05.
    """
    table = []
    for label, group in rows.groupby("label", sort=False):
        row = {"method": label, "mean length": round(group.mean_length.mean(), 3)}
        row["exponent"] = round(group.exponent.mean(), 3)
        for model in MODELS:
            weight = round(group[f"akaike_weight_{model}"].mean(), 3)
            row[f"weight of {model.replace('_', ' ')}"] = weight
        for model in (model for model in MODELS if model != "power_law"):
            worse = (group[f"ratio_{model}"] < 0) & (group[f"ratio_p_{model}"] < 0.05)
            row[f"power law rejected for {model.replace('_', ' ')}"] = (
                f"{worse.sum()} of {group[f'ratio_p_{model}'].notna().sum()}"
            )
        table.append(row)
    return pd.DataFrame(table)


def _between_methods(rows: pd.DataFrame) -> pd.DataFrame:
    """Every two methods on every measure, paired by seed."""
    table = []
    for statistic, group in rows.groupby("statistic", sort=False):
        z = {label: one.set_index("seed").z for label, one in group.groupby("label", sort=False)}
        for one, other in combinations(z, 2):
            table.append(
                {"statistic": statistic, "method": one, "against": other} | paired(z[one], z[other])
            )
    return tabulate(table)


def _networks(rows: pd.DataFrame) -> pd.DataFrame:
    network = ["label", "seed", "accuracy", "active", "modules", "absent", "wiring_length"]
    wide = rows.pivot(index=network, columns="statistic", values=["observed", "z", "p"])
    wide.columns = wide.columns.map(" ".join)
    order = rows[network].drop_duplicates().itertuples(index=False, name=None)
    return wide.loc[list(order)].reset_index()


def _dots(rows: pd.DataFrame) -> Figure:
    labels = list(rows.label.drop_duplicates())
    figure = new_figure(9.5, 1.4 + 0.36 * len(labels))
    axes = figure.subplots(1, 2, sharey=True)
    for ax, (name, words) in zip(axes, MEASURES.items(), strict=True):
        ax.axvspan(-1.96, 1.96, color="#eef0f2", zorder=0)
        ax.axvline(0, color=FAINT, lw=0.8, zorder=1)
        for i, label in enumerate(labels):
            z = rows[(rows.label == label) & (rows.statistic == name)].z.to_numpy()
            spread = np.linspace(-0.16, 0.16, len(z)) if len(z) > 1 else np.zeros(1)
            colour = module_colours(i)
            ax.plot(z, i + spread, "o", ms=5, mew=0, alpha=0.85, color=colour)
            ax.plot([np.nanmean(z)] * 2, [i - 0.3, i + 0.3], color=colour, lw=2)
        ax.set_xlabel(f"z of {words}")
        ax.set_ylim(len(labels) - 0.4, -0.6)
        open_frame(ax)
    axes[0].set_yticks(range(len(labels)), labels)
    return figure


def _maps(paths: dict[str, Path]) -> Figure:
    """The maps of several networks, the analysis file of each by its label, in rows of four."""
    columns = min(4, len(paths))
    rows = -(-len(paths) // columns)
    figure = new_figure(3.2 * columns, 3.35 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    figure.draw_without_rendering()  # discs are as large as the axes are
    for ax in axes[len(paths) :]:
        ax.set_axis_off()
    for ax, (label, path) in zip(axes, paths.items(), strict=False):
        brain = load(path)
        plot_map(brain, ax=ax, max_lines=_LINES)
        ax.get_legend().remove()
        z = [float(brain.z.isel(member=0).sel(statistic=name)) for name in MEASURES]
        title = f"{label}\nz {z[0]:.1f} isolated, {z[1]:.1f} size"
        ax.set_title(title, fontsize=8.5, loc="left", linespacing=1.2)
    return figure
