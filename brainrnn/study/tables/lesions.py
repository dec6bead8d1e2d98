"""Tables of lesions: each method, and modules and regions one by one."""

from __future__ import annotations

import pandas as pd

from brainrnn.study.specificity import KINDS, NETWORK, NULLS, STATISTICS, damage_by_task, observed


def describe(group: pd.DataFrame) -> dict[str, object]:
    """Means over a network's lesions, then over the networks of a method."""
    intact, some = group[group.kind == "intact"], observed(group)
    row: dict[str, object] = {
        "networks": len(intact),
        "accuracy": intact.filter(regex="^accuracy_").to_numpy().mean(),
        "modules": (some.kind == "module").sum() / len(intact),
    }
    for kind, words in KINDS.items():
        one = some[some.kind == kind].groupby("seed")
        mean = one[["neurons", "severity", *STATISTICS]].mean()
        row |= {f"{words}: {name}": mean[name].mean() for name in mean}
    return row


def each_lesion(rows: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """Modules and regions one by one, with the tasks that they cost most."""
    key = [*NETWORK, "kind", "lesion"]
    lost = pd.concat([damage_by_task(group) for _, group in rows.groupby(NETWORK, sort=False)])
    one = observed(rows)
    worst = lost.loc[one.index].apply(_worst, axis=1)
    table = one[[*key, "neurons", "activity", "severity", *STATISTICS]]
    table = table.assign(**{"tasks it costs most": worst}).set_index(key)
    p = tests[tests.statistic == "specificity"].set_index([*key, "null"]).p.unstack()
    p = p.rename(columns={null: f"p specificity, {words}" for null, words in NULLS.items()})
    return table.join(p).reset_index()


def _worst(lost: pd.Series) -> str:
    most = lost.dropna().nlargest(3)
    return ", ".join(f"{task} {value:.2f}" for task, value in most.items() if value > 0.05)
