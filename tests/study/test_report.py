"""The page of a study."""

import pandas as pd
import pytest

from brainrnn.study.measures import Findings
from brainrnn.study.plan import load_study
from brainrnn.study.provenance import Provenance
from brainrnn.study.report import write_page


@pytest.fixture
def page(tmp_path):
    found = Findings()
    found.tables["Few rows"] = pd.DataFrame({"name": ["a", "b"], "value": [0.12345, 2.0]})
    found.tables["Many rows"] = pd.DataFrame({"i": range(100)})
    study = load_study("growing_brains")
    made = Provenance(command="brainrnn study it", processors=2)
    return write_page(study, found, tmp_path, provenance=made).read_text()


def test_long_tables_are_folded_and_short_ones_are_not(page):
    few, many = page.split("## Many rows")
    assert "| a | 0.123 |\n| b | 2 |" in few
    assert "<details>" not in few
    folded = many.split("<details>")[1].split("</details>")[0]
    assert "<summary>100 rows</summary>\n\n| i |" in folded
    assert "| 99 |" in folded


def test_every_table_is_a_csv(page, tmp_path):
    assert len(pd.read_csv(tmp_path / "many_rows.csv")) == 100
    assert pd.read_csv(tmp_path / "few_rows.csv").value[0] == 0.12345


def test_the_page_says_how_it_was_made(page):
    assert "seeds 201, 202, 203, 204, 205, each trained for 6,000 steps" in page
    assert "| BIMT | as the experiment |" in page
    assert page.rstrip().endswith("```\nbrainrnn study it\n```")
    assert "networks also with" not in page
