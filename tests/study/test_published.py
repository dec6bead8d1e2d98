"""Published tables and sentences come out again, to the last digit, from published networks."""

from pathlib import Path

import pandas as pd
import pytest

from brainrnn.study import load_study
from brainrnn.study.measures.lesions import tell
from brainrnn.study.measures.maps import over_networks
from brainrnn.study.plasticity import CONDITIONS
from brainrnn.study.report.comparisons import compare
from brainrnn.study.slowness import between_conditions
from brainrnn.study.slowness import between_methods as transfer_between_methods
from brainrnn.study.tolerance import against_sparsity, between_methods

RESULTS = Path(__file__).parents[2] / "docs" / "results"


def published(file: str) -> pd.DataFrame:
    return pd.read_csv(RESULTS / file, keep_default_na=False, na_values=[""])


def same(table: pd.DataFrame, file: str) -> None:
    assert table.to_csv(index=False) == (RESULTS / file).read_text(encoding="utf-8")


def sentences(study: str) -> list[str]:
    page = (RESULTS / study / "README.md").read_text(encoding="utf-8")
    found = page.split("## What was found\n\n")[1].split("\n\n")[0]
    return found.removeprefix("- ").split("\n- ")


def measure(study: str):
    return load_study(RESULTS / study / "study.toml").measure


def test_the_whole_study_of_the_tradeoff():
    networks = published("tradeoff/every_network.csv")
    found = measure("tradeoff").findings(networks.assign(method=networks.label))
    for headline, table in found.tables.items():
        file = headline.lower().replace(",", "").replace(" ", "_")
        same(table, f"tradeoff/{file}.csv")
    assert found.words == sentences("tradeoff")


def test_the_whole_study_of_resolution():
    networks = published("resolution/each_network.csv")
    of = ["label", "seed", "change", "neurons", "ceiling"]
    parts = [
        networks[of + [c for c in networks if c.endswith(f"_{stage}")]]
        .rename(columns=lambda column, stage=stage: column.removesuffix(f"_{stage}"))
        .assign(step=step, method=networks.label)
        for step, stage in ((0, "after"), (1000, "trained"))
    ]
    found = measure("resolution").findings(pd.concat(parts, ignore_index=True))
    same(found.tables["Accuracy"], "resolution/accuracy.csv")
    file = "against_the_controls_paired_by_seed"
    same(found.tables["Against the controls, paired by seed"], f"resolution/{file}.csv")
    same(found.tables["Map"], "resolution/map.csv")
    same(found.tables["Each network"], "resolution/each_network.csv")
    assert found.words == sentences("resolution")


@pytest.mark.parametrize("study", ["growing_brains", "modcog"])
def test_tests_of_the_map(study):
    wide = published(f"{study}/each_network.csv")
    rows = pd.concat(
        [wide.assign(statistic=name, z=wide[f"z {name}"]) for name in ("isolated", "cluster_size")]
    )
    rows = rows.sort_index(kind="stable")  # network by network
    same(compare(rows, "z", within={"statistic": "statistic"}), f"{study}/between_methods.csv")
    over = over_networks(rows.assign(alternative="less"), "holm")
    known = published(f"{study}/over_networks.csv")
    pd.testing.assert_frame_equal(over, known, check_exact=True)


def test_tests_of_robustness():
    wide = published("robustness/each_network.csv")
    label = wide.label.str.split(", strength ", expand=True)
    wide = wide.assign(method=label[0])
    settings = label.set_index(wide.label)[[1]].astype(float)
    settings = settings[~settings.index.duplicated()]
    of = ["method", "label", "seed", "variant", "absent", "undamaged"]
    rows = wide.melt(of, var_name="damage", value_name="robustness")
    file = "between_methods_paired_by_seed"
    same(between_methods(rows, settings), f"robustness/{file}.csv")
    same(against_sparsity(rows, settings), "robustness/robustness_and_sparsity.csv")


def test_tests_of_transfer():
    networks = published("transfer/each_network.csv")
    networks = networks.assign(condition=networks.condition.map(CONDITIONS))
    methods = transfer_between_methods(networks)
    same(methods, "transfer/between_methods_paired_by_seed.csv")
    conditions = between_conditions(networks)
    same(conditions, "transfer/between_conditions_paired_by_network.csv")


def test_sentences_of_lesions():
    told = list(tell(published("lesions/more_than_random_sets.csv")))
    assert len(told) == 12
    assert told == sentences("lesions")[:12]
