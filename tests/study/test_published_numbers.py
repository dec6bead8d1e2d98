"""What published pages print, computed once more from the answers, by other means."""

import csv
import math
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.study.test_published import WITHOUT_ANSWERS

RESULTS = Path(__file__).parents[2] / "docs" / "results"
Row = dict[str, str]


def read(file: str) -> list[Row]:
    with (RESULTS / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def rows(study: str) -> list[Row]:
    """Items, each with what is known of its network."""
    if study in WITHOUT_ANSWERS:
        pytest.skip(f"{study} was published before answers were kept")
    networks = {row["network"]: row for row in read(f"{study}/networks.csv")}
    return [networks[row["network"]] | row for row in read(f"{study}/items.csv")]


def close(value: str, expected: float) -> None:
    """Equal to what a table says; an empty cell is no number."""
    assert float(value or "nan") == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


def benjamini_hochberg(p: list[float]) -> list[float]:
    known = [i for i, one in enumerate(p) if not math.isnan(one)]
    result = [math.nan] * len(p)
    for i, one in zip(known, stats.false_discovery_control([p[i] for i in known]), strict=True):
        result[i] = float(one)
    return result


def holm(p: list[float]) -> list[float]:
    order = sorted(range(len(p)), key=p.__getitem__)
    result, least = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        least = max(least, min(1.0, (len(p) - rank) * p[i]))
        result[i] = least
    return result


def check_paired(
    table: list[Row],
    of: dict[tuple, dict[str, float]],
    key: tuple[str, ...],
    side: str = "method",
) -> None:
    """Every row of paired tests, from the numbers of each side by seed."""
    expected = []
    for row in table:
        at = tuple(row[name] for name in key)
        one, other = of[(*at, row[side])], of[(*at, row["against"])]
        seeds = [seed for seed in one if seed in other]
        x, y = ([side[seed] for seed in seeds] for side in (one, other))
        assert int(row["n"]) == len(seeds)
        close(row["difference"], np.mean(np.subtract(x, y)) if seeds else math.nan)
        if len(seeds) < 2 or not row["p"]:
            expected.append(math.nan)
            continue
        test = stats.ttest_rel(x, y)
        interval = test.confidence_interval(0.95)
        close(row["t"], test.statistic)
        close(row["p"], test.pvalue)
        close(row["low"], interval.low)
        close(row["high"], interval.high)
        expected.append(test.pvalue)
    for row, p in zip(table, benjamini_hochberg(expected), strict=True):
        close(row["p_controlled"], p)


@pytest.mark.parametrize(
    ("file", "cost", "sign"),
    [("sparsity", "absent", -1), ("wiring_length", "wiring_length", 1)],
)
def test_the_tradeoff_at_equal_cost(file, cost, sign):
    table = read(f"tradeoff/methods_at_equal_{file}_paired_by_seed.csv")
    best: dict[tuple, dict[str, float]] = {}
    for level in {row["level"] for row in table}:
        for row in rows("tradeoff"):
            if sign * float(row[cost]) <= sign * float(level) + 1e-9:
                seeds = best.setdefault((level, row["label"]), {})
                accuracy = float(row["accuracy"])
                seeds[row["seed"]] = max(accuracy, seeds.get(row["seed"], 0.0))
    check_paired(table, best, ("level",))
    for level in {row["level"] for row in table}:  # every two that differ are asked
        there = {label: tuple(v.values()) for (at, label), v in best.items() if at == level}
        asked = {frozenset((r["method"], r["against"])) for r in table if r["level"] == level}
        assert len(asked) == len(list(combinations(set(there.values()), 2)))
    wide = read(f"tradeoff/accuracy_at_equal_{file}.csv")
    shown = {"absent": "{:.1%} absent", "wiring_length": "at most {:g}"}[cost]
    for row in wide:
        for (level, label), seeds in best.items():
            if label == row["method"]:
                cell = row[shown.format(float(level))]
                assert cell.split()[0] == f"{np.mean(list(seeds.values())):.3f}"


def test_the_tradeoffs_claims_follow_from_its_tests():
    tests = [
        *read("tradeoff/methods_at_equal_sparsity_paired_by_seed.csv"),
        *read("tradeoff/methods_at_equal_wiring_length_paired_by_seed.csv"),
    ]
    claims = read("tradeoff/claims.csv")
    asked = {("BIMT", "L1"), ("BIMT", "L1, placed afterwards"), ("BIMT", "no penalty")}
    either = [
        t for t in tests if {(t["method"], t["against"]), (t["against"], t["method"])} & asked
    ]
    assert len(claims) == len(either)
    verdicts = []
    for test in either:
        sign = 1 if test["method"] == "BIMT" else -1
        better = sign * float(test["difference"]) > 0
        significant = float(test["p_controlled"] or "nan") < 0.05
        verdicts.append("holds" if better and significant else "fails" if significant else "open")
    told = [claim["verdict"].replace("undecided", "open") for claim in claims]
    assert sorted(told) == sorted(verdicts)


def test_the_tradeoffs_fronts_hold_what_no_other_network_beats():
    everything = rows("tradeoff")
    counts: dict[tuple[str, str], int] = {}
    for row in everything:
        label = row["label"]
        if row["method.strength"]:
            label += f", strength {float(row['method.strength']):g}"
        same = [r for r in everything if (r["label"], r["seed"]) == (row["label"], row["seed"])]
        beaten = any(
            float(r["absent"]) >= float(row["absent"])
            and float(r["accuracy"]) >= float(row["accuracy"])
            and (r["absent"], r["accuracy"]) != (row["absent"], row["accuracy"])
            for r in same
        )
        kept = f"pruned to {float(row['absent']):.1%} absent" if row["pruned"] == "True" else ""
        key = label, kept or "as trained"
        counts[key] = counts.get(key, 0) + (not beaten)
    for row in read("tradeoff/pareto_fronts.csv"):
        on, _, _ = row["own front, sparsity"].partition(" of ")
        assert int(on) == counts[row["method"], row["networks"]]


def by_network(study: str, value: str) -> dict[tuple[str, str], dict[str, float]]:
    """Of each statistic and method, a number for each seed."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows(study):
        seeds = found.setdefault((row["statistic"], row["label"]), {})
        seeds[row["seed"]] = float(row[value] or "nan")
    return found


MAPS = [name for name in ("growing_brains", "modcog") if (RESULTS / name / "items.csv").is_file()]


def one_sample(row: Row, z: list[float], mean: str = "mean") -> float:
    """Check a row of tests over networks; return its p."""
    known = [one for one in z if math.isfinite(one)]
    test = stats.ttest_1samp(known, 0, alternative=row.get("alternative", "greater"))
    half = stats.t.ppf(0.975, len(known) - 1) * np.std(known, ddof=1) / math.sqrt(len(known))
    for name, expected in (
        (mean, np.mean(known)),
        ("sd", np.std(known, ddof=1)),
        ("low", np.mean(known) - half),
        ("high", np.mean(known) + half),
        ("p_t", test.pvalue),
    ):
        close(row[name], float(expected))
    signs = stats.wilcoxon(known, alternative=row.get("alternative", "greater"))
    close(row["p_wilcoxon"], float(signs.pvalue))
    return float(test.pvalue)


@pytest.mark.parametrize("study", MAPS)
def test_maps_over_networks(study):
    z = by_network(study, "z")
    table = read(f"{study}/over_networks.csv")
    p = [one_sample(row, list(z[row["statistic"], row["method"]].values())) for row in table]
    for row, expected in zip(table, holm(p), strict=True):
        close(row["p_controlled"], expected)
    assert {row["statistic"] for row in table} == {"isolated", "cluster_size"}


@pytest.mark.parametrize("study", MAPS)
def test_maps_between_methods(study):
    z = by_network(study, "z")
    table = read(f"{study}/between_methods.csv")
    check_paired(table, z, ("statistic",))
    methods = {label for statistic, label in z if statistic == "isolated"}
    assert len(table) == 2 * len(list(combinations(methods, 2)))


@pytest.mark.parametrize("study", MAPS)
def test_mean_z_of_every_statistic_and_its_star(study):
    z = by_network(study, "z")
    sides = {row["statistic"]: row["alternative"] for row in rows(study)}
    asked: dict[tuple, float] = {}  # networks that differ by their places alone are asked once
    for (statistic, _), seeds in z.items():
        values = [seeds[seed] for seed in sorted(seeds) if math.isfinite(seeds[seed])]
        some = statistic.startswith("moran_") or statistic in ("isolated", "cluster_size")
        if not some and len(values) > 1 and np.ptp(values) > 1e-9 * np.abs(values).max():
            test = stats.ttest_1samp(values, 0, alternative=sides[statistic])
            asked[statistic, tuple(seeds[seed] for seed in sorted(seeds))] = test.pvalue
    controlled = dict(zip(asked, benjamini_hochberg(list(asked.values())), strict=True))
    claimed = {
        (row["statistic"], row["method"]): float(row["p_controlled"])
        for row in read(f"{study}/over_networks.csv")
    }
    table = read(f"{study}/mean_z_over_networks.csv")
    statistics = [name for name in sides if not name.startswith("moran_")]
    order = ["isolated", "cluster_size"]
    order += [name for name in statistics if name not in order]
    assert len(table) == len(order)
    for statistic, row in zip(order, table, strict=True):
        assert row["side"] == sides[statistic]
        for method in list(row)[2:]:
            seeds = z[statistic, method]
            known = [one for one in seeds.values() if math.isfinite(one)]
            at = statistic, tuple(seeds[seed] for seed in sorted(seeds))
            p = claimed.get((statistic, method), controlled.get(at, math.nan))
            shown = f"{np.mean(known):.1f}" if known else "-"
            assert row[method] == shown + ("*" if p < 0.05 else "")


@pytest.mark.parametrize("study", MAPS)
def test_each_methods_maps(study):
    p, z = by_network(study, "p"), by_network(study, "z")
    networks = read(f"{study}/networks.csv")
    claims = {(c["claim"][:40], c["networks"]): c for c in read(f"{study}/claims.csv")}
    for row in read(f"{study}/each_method.csv"):
        method = row["method"]
        own = [network for network in networks if network["label"] == method]
        accuracy = [float(network["accuracy"]) for network in own]
        assert row["accuracy"] == f"{np.mean(accuracy):.3f} ± {np.std(accuracy, ddof=1):.3f}"
        lengths = [float(network["wiring_length"]) for network in own]
        assert row["wiring length"] == f"{np.mean(lengths):.0f}"
        below = [
            [p[name, method][seed] < 0.001 for name in ("isolated", "cluster_size")]
            for seed in p["isolated", method]
        ]
        both = sum(all(one) for one in below)
        counts = f"{sum(one[0] for one in below)}, {sum(one[1] for one in below)}, {both}"
        assert row["p < 0.001: isolated, size, both"] == f"{counts} of {len(own)}"
        for name, words in (("isolated", "fraction of neurons isolated"),):
            values = sorted(z[name, method].values())
            shown = f"{np.median(values):.1f} ({values[0]:.1f} to {values[-1]:.1f})"
            assert row[f"z {words}: median (range)"] == shown
        inside = sum(
            all(p[name, method][seed] >= 0.05 for name in ("isolated", "cluster_size"))
            for seed in p["isolated", method]
        )
        claim = claims["Both measures are beyond chance (p < 0.001) in at least"[:40], method]
        verdict = "holds" if both >= 4 else "fails" if inside >= 4 else "undecided"
        assert (claim["verdict"], claim["numbers"]) == (verdict, f"{both} of {len(own)}")
        able = sum(float(n["accuracy"]) >= 0.95 * float(n["ceiling"]) for n in own)
        claim = claims["At least 80% of networks reach 95% of the best"[:40], method]
        assert claim["numbers"] == f"{able} of {len(own)}"


@pytest.mark.parametrize("study", MAPS)
def test_which_fall_off_describes_connection_lengths(study):
    networks = read(f"{study}/networks.csv")
    for row in read(f"{study}/connection_lengths.csv"):
        own = [network for network in networks if network["label"] == row["method"]]
        for model in ("exponential", "lognormal", "stretched_exponential", "truncated_power_law"):
            words = model.replace("_", " ")
            weight = np.mean([float(network[f"akaike_weight_{model}"]) for network in own])
            close(row[f"weight of {words}"], round(float(weight), 3))
            rejected = sum(
                float(network[f"ratio_{model}"]) < 0 and float(network[f"ratio_p_{model}"]) < 0.05
                for network in own
            )
            assert row[f"power law rejected for {words}"] == f"{rejected} of {len(own)}"


def damages(group: list[Row]) -> list[list[float]]:
    """Of each lesion in each task with something to lose: the share of it that is lost."""
    tasks = [name for name in group[0] if name.startswith("accuracy_")]
    (intact,) = (row for row in group if row["kind"] == "intact")
    (silent,) = (row for row in group if row["kind"] == "all")
    stake = {task: float(intact[task]) - float(silent[task]) for task in tasks}
    able = [task for task in tasks if stake[task] >= 0.1]
    return [
        [min(1, max(0, (float(intact[t]) - float(row[t])) / stake[t])) for t in able]
        for row in group
    ]


@pytest.fixture(scope="module")
def lesions() -> dict[tuple[str, str], list[Row]]:
    """Lesions of each network."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows("lesions"):
        found.setdefault((row["label"], row["seed"]), []).append(row)
    return found


def test_what_describes_the_damage_of_a_lesion(lesions):
    for group in lesions.values():
        for row, lost in list(zip(group, damages(group), strict=True))[::17]:
            close(row["severity"], np.mean(lost))
            close(row["specificity"], max(lost) - float(np.median(lost)))
            apart = sum(abs(a - b) for a in lost for b in lost)
            gini = apart / (2 * len(lost) * sum(lost)) if sum(lost) > 0 else 0.0
            close(row["gini"], gini)


def test_lesions_beside_random_sets(lesions):
    excess: dict[tuple, list[float]] = {}
    single: dict[tuple, list[float]] = {}
    kinds = {"module": "module", "around": "module's place", "region": "region"}
    for (label, _), group in lesions.items():
        for statistic in ("specificity", "gini", "fit"):
            for kind, words in kinds.items():
                drawn = "region" if kind == "region" else "module"
                observed = [r for r in group if r["kind"] == kind and r["null"] == "observed"]
                own, null, by_draw = [], [], {}
                for lesion in observed:
                    sets = [
                        r
                        for r in group
                        if r["kind"] == drawn
                        and r["null"] == "random"
                        and r["lesion"] == lesion["lesion"]
                    ]
                    values = [float(r[statistic] or "nan") for r in sets]
                    for one, value in zip(sets, values, strict=True):
                        by_draw.setdefault(one["draw"], []).append(value)
                    own.append(float(lesion[statistic] or "nan"))
                    null.append(np.nanmean(values))
                if not observed:
                    continue
                key = label, words, "of as many neurons", statistic
                use = np.isfinite(own)
                mean = float(np.mean(np.array(own)[use]))
                excess.setdefault(key, []).append(mean - float(np.mean(np.array(null)[use])))
                draws = [np.nanmean(values) for values in by_draw.values()]
                beyond = sum(value >= mean - 1e-9 for value in draws)
                single.setdefault(key, []).append((1 + beyond) / (1 + len(draws)))
    table = read("lesions/more_than_random_sets.csv")
    checked = 0
    for row in table:
        key = row["method"], row["lesion"], row["random sets"], row["statistic"]
        if key not in excess:
            continue
        one_sample(row, excess[key], "excess")
        if row["lesion"] == "module's place":  # places are not drawn, so one network has no p
            assert row["p_fisher"] == ""
        else:
            close(row["p_fisher"], float(stats.combine_pvalues(single[key]).pvalue))
        checked += 1
    assert checked == len(excess)


def test_every_lesions_p_is_controlled_over_the_table(lesions):
    table = read("lesions/more_than_random_sets.csv")
    asked = {
        (row["lesion"], row["random sets"], row["statistic"], row["excess"], row["sd"]): row["p_t"]
        for row in table
    }
    p = benjamini_hochberg([float(one or "nan") for one in asked.values()])
    known = dict(zip(asked, p, strict=True))
    for row in table:
        key = row["lesion"], row["random sets"], row["statistic"], row["excess"], row["sd"]
        close(row["p_controlled"], known[key])


def test_the_share_of_choices_under_which_there_is_a_map():
    choices = ("rule", "threshold", "clustering")
    p: dict[tuple, dict[str, float]] = {}
    for row in rows("choices"):
        at = row["label"], *(row[name] for name in choices), row["seed"]
        where = row["statistic"] + (row["neighbourhood"] if row["statistic"] == "isolated" else "")
        p.setdefault(at, {})[where] = float(row["p"] or "nan")
    both: dict[str, dict[tuple, list[bool]]] = {}
    for (label, *choice, _), values in p.items():
        for where, value in values.items():
            if where != "cluster_size":
                there = both.setdefault(label, {}).setdefault((*choice, where), [])
                there.append(value < 0.001 and values["cluster_size"] < 0.001)
    claims = {row["networks"]: row for row in read("choices/claims.csv")}
    for label, found in both.items():
        holds = sum(sum(each) >= 4 for each in found.values())
        assert claims[label]["numbers"] == f"{holds} of {len(found)}"
        share = holds / len(found)
        verdict = "holds" if share >= 0.8 else "fails" if share <= 0.2 else "undecided"
        assert claims[label]["verdict"] == verdict


def label(row: Row) -> str:
    """A network's method, with the strength that it was trained with."""
    strength = row.get("method.strength")
    return row["label"] + (f", strength {float(strength):g}" if strength else "")


@pytest.fixture(scope="module")
def withstood() -> dict[tuple[str, str, str], dict[str, float]]:
    """Of each variant, damage and method: the area under relative accuracy, for each seed."""
    levels: dict[tuple, dict[float, list[float]]] = {}
    absent, ceiling = {}, {}
    for row in rows("robustness"):
        network = row["variant"], label(row), row["seed"]
        absent[network], ceiling[network] = float(row["absent"]), float(row["ceiling"])
        known = levels.setdefault((network, row["damage"]), {})
        known.setdefault(float(row["level"]), []).append(float(row["accuracy"]))
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for (network, damage), accuracy in levels.items():
        if damage == "none":
            continue
        undamaged = float(np.mean(levels[network, "none"][0.0]))
        able = undamaged >= 0.9 * ceiling[network]
        if not able or (network[0] == "matched" and absent[network] > 0.97 + 1e-9):
            continue
        x = [0.0, *sorted(accuracy)]
        y = [1.0, *(np.mean(accuracy[level]) / undamaged for level in x[1:])]
        parts = zip(x, x[1:], y, y[1:], strict=False)
        area = sum((b - a) * (before + after) / 2 for a, b, before, after in parts) / x[-1]
        found.setdefault((network[0], damage, network[1]), {})[network[2]] = float(area)
    return found


def test_what_networks_withstand(withstood):
    for row in read("robustness/each_method.csv"):
        for damage in ("inputs", "units", "weights", "loss"):
            known = list(withstood.get((row["networks"], damage, row["method"]), {}).values())
            shown = f"{np.mean(known):.3f} ± {np.std(known, ddof=1):.3f}" if known else "-"
            assert row[damage] == shown


def test_what_methods_withstand_is_compared(withstood):
    of = defaultdict(dict, withstood)
    check_paired(read("robustness/between_methods_paired_by_seed.csv"), of, ("networks", "damage"))


def test_robustness_and_sparsity(withstood):
    absent = {
        (label(row), row["seed"]): float(row["absent"])
        for row in rows("robustness")
        if row["variant"] == "as trained"
    }
    table, p = read("robustness/robustness_and_sparsity.csv"), []
    for row in table:
        points = [
            (seed, absent[method, seed], area)
            for (variant, damage, method), seeds in withstood.items()
            for seed, area in seeds.items()
            if variant == "as trained" and damage == row["damage"]
            if row["networks"] == "all" or "strength" in method
        ]
        close(row["rho"], stats.spearmanr(*list(zip(*points, strict=True))[1:]).statistic)
        each = [
            stats.spearmanr(*zip(*[one[1:] for one in points if one[0] == seed], strict=True))[0]
            for seed in sorted({one[0] for one in points})
        ]
        test = stats.ttest_1samp(each, 0)
        assert (int(row["n"]), int(row["seeds"])) == (len(points), len(each))
        close(row["mean rho of a seed"], np.mean(each))
        close(row["p_t"], test.pvalue)
        p.append(float(test.pvalue))
    for row, expected in zip(table, benjamini_hochberg(p), strict=True):
        close(row["p_controlled"], expected)


FREE = {
    "all": "everything free",
    "rule": "rule input and readout free",
    "module": "one module free",
    "random": "random neurons free",
    "new": "new network",
}


@pytest.fixture(scope="module")
def learning() -> dict[tuple[str, str, str], dict[str, float]]:
    """Of each condition, quantity and method: the mean over new tasks, for each seed."""
    everything = rows("transfer")
    steps = {
        id(row): float(row["steps"]) if row["reached"] == "True" else math.inf for row in everything
    }
    found: dict[tuple[str, str, str], dict[str, list[float]]] = {}
    for row in everything:
        same = [steps[id(other)] for other in everything if other["task"] == row["task"]]
        own = steps[id(row)]
        slowness = sum((one < own) + (one == own) / 2 for one in same) / len(same)
        for quantity, value in (
            ("slowness", slowness),
            ("forgetting", float(row["forgetting"] or "nan")),
        ):
            seeds = found.setdefault((FREE[row["condition"]], quantity, row["label"]), {})
            seeds.setdefault(row["seed"], []).append(value)
    return {
        key: {seed: m for seed, v in seeds.items() if math.isfinite(m := float(np.mean(v)))}
        for key, seeds in found.items()
    }


def test_how_methods_learn_new_tasks(learning):
    table = read("transfer/between_methods_paired_by_seed.csv")
    check_paired(table, learning, ("condition", "quantity"))


def test_how_conditions_learn_new_tasks(learning):
    of = {(method, what, free): seeds for (free, what, method), seeds in learning.items()}
    table = read("transfer/between_conditions_paired_by_network.csv")
    check_paired(table, of, ("method", "quantity"), side="condition")


def test_changes_of_resolution_beside_the_controls():
    names = {
        "kept": "as it was",
        "scratch": "from scratch",
        "refined": "refined",
        "place": "merged by place",
        "correlation": "merged by correlation",
        "random": "merged at random",
    }
    of: dict[tuple, dict[str, float]] = {}
    for row in rows("resolution"):
        when = {"0": "right after", "1000": "trained on"}.get(row["step"])
        if when:
            key = row["label"], when, names[row["change"]]
            of.setdefault(key, {})[row["seed"]] = float(row["accuracy"])
    table = read("resolution/against_the_controls_paired_by_seed.csv")
    check_paired(table, of, ("method", "when"), side="network")
