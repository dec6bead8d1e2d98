"""Tables of other pages come from files."""

import pandas as pd
import pytest

from brainrnn.study import fill
from tests.commands import brainrnn, one_line

PAGE = """# A page

<!-- fill
file = "data/each.csv"
rows = {{ method = ["BIMT", "L1"] }}
columns = {{ method = "method", z = "mean z" }}
-->
{}<!-- end -->

Words.
"""


@pytest.fixture
def page(tmp_path):
    (tmp_path / "data").mkdir()
    each = pd.DataFrame({"method": ["none", "L1", "BIMT"], "z": [0.1, -1.0, -4.5678], "n": 5})
    each.to_csv(tmp_path / "data" / "each.csv", index=False)
    (tmp_path / "page.md").write_text(PAGE.format("old\n"))
    return tmp_path / "page.md"


def test_rows_and_columns_stand_in_the_order_asked_for(page):
    fill(page)
    table = "| method | mean z |\n|---|---|\n| BIMT | -4.57 |\n| L1 | -1 |\n"
    assert page.read_text() == PAGE.format(table).replace("{{", "{").replace("}}", "}")
    filled = page.read_bytes()
    fill(page)
    assert page.read_bytes() == filled


def test_claims_by_their_verdict(tmp_path):
    claims = [["a", "L1", "fails", "0 of 5"], ["a", "BIMT", "holds", "4 of 5"]]
    columns = ["claim", "networks", "verdict", "numbers"]
    pd.DataFrame(claims, columns=columns).to_csv(tmp_path / "claims.csv", index=False)
    page = tmp_path / "page.md"
    page.write_text('<!-- fill\nfile = "claims.csv"\nby_verdict = true\n-->\n<!-- end -->\n')
    assert "| a | BIMT (4 of 5) |  | L1 (0 of 5) |\n" in fill(page).read_text()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("data/each.csv", "data/other.csv", ["other.csv is missing"]),
        ('"L1"', '"L2"', ["no row whose method is 'L2'", "none, L1, BIMT"]),
        ("z = ", "zz = ", ["column 'zz'"]),
        ("rows = {{ method", "rows = {{ methods", ["column 'methods'"]),
        ("columns", "colums", ["colums"]),
        ("rows = ", "rows ", ["is not TOML"]),
        ("<!-- end -->", "", ["<!-- end -->"]),
    ],
)
def test_what_cannot_be_filled_is_one_line_and_the_page_stays(page, old, new, words):
    page.write_text(PAGE.replace(old, new).format("old\n").replace("{{", "{").replace("}}", "}"))
    before = page.read_bytes()
    folder = page.parent / "study"
    one_line(brainrnn("study", "report", folder, "--fill", page), "is not the folder of a study")
    with pytest.raises(Exception, match=words[0].replace("(", r"\(")) as caught:
        fill(page)
    assert all(word in str(caught.value) for word in words)
    assert page.read_bytes() == before
