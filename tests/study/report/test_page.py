"""The page of a study, in Markdown and in HTML."""

import re
import xml.dom.minidom
from html.parser import HTMLParser

import pandas as pd
import pytest

from brainrnn.config import build
from brainrnn.plots.style import new_figure
from brainrnn.study.measures import Findings
from brainrnn.study.plan import Study, load_study
from brainrnn.study.provenance import Provenance
from brainrnn.study.report.claims import Claim
from brainrnn.study.report.page import write_page


def findings() -> Findings:
    found = Findings()
    found.tables["Few rows"] = pd.DataFrame({"name": ["a|b", "<b>"], "value": [0.12345, 2.0]})
    found.tables["Many rows"] = pd.DataFrame({"i": range(100)})
    found.figures["dots"] = (new_figure(1, 1), "What is drawn.")
    found.claims = [Claim("It holds.", "BIMT", "holds", "4 of 5")]
    found.notes = ["How to read it."]
    return found


@pytest.fixture
def page(tmp_path):
    (tmp_path / "conclusions.md").write_text("Somebody's words.\n")
    made = Provenance(command="brainrnn study it", processors=2)
    study = load_study("growing_brains")
    return write_page(study, findings(), tmp_path, provenance=made).read_text()


def test_long_tables_are_folded_and_short_ones_are_not(page):
    few, many = page.split("## Many rows")
    assert "| a\\|b | 0.123 |\n| &lt;b> | 2 |" in few
    assert "<details>" not in few
    folded = many.split("<details>")[1].split("</details>")[0]
    assert "<summary>100 rows</summary>\n\n| i |" in folded
    assert "| 99 |" in folded


def test_every_table_is_a_csv(page, tmp_path):
    assert len(pd.read_csv(tmp_path / "many_rows.csv")) == 100
    assert pd.read_csv(tmp_path / "few_rows.csv").value[0] == 0.12345
    assert pd.read_csv(tmp_path / "claims.csv").verdict.tolist() == ["holds"]


def test_words_come_first_then_claims_then_pictures_then_tables(page):
    places = [
        page.index(part)
        for part in (
            "## In words\n\nSomebody's words.\n",
            "## What holds\n\n| claim | holds | undecided | fails |",
            "| It holds. | BIMT (4 of 5) |  |  |",
            "- How to read it.",
            "![dots](figures/dots.png)\n\n*What is drawn.*",
            "## Few rows",
            "## How it was made",
        )
    ]
    assert places == sorted(places)
    assert "\n\n\n" not in page


def test_the_page_says_how_it_was_made(page):
    assert "seeds 201, 202, 203, 204, 205, each trained for 6,000 steps" in page
    assert "| BIMT | as the experiment |" in page
    assert page.rstrip().endswith("```\nbrainrnn study it\n```")
    assert "networks also with" not in page


class _Tags(HTMLParser):
    """Which tags are open where a document ends, and what stands in cells."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.linked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.linked += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.cells.append(data)


def test_the_html_page_is_whole_and_escapes_what_it_shows(page, tmp_path):
    read = _Tags()
    read.feed((tmp_path / "index.html").read_text())
    read.close()
    assert read.open == []
    assert {"<b>", "a|b", "It holds.", "BIMT (4 of 5)", "99"} <= set(read.cells)
    assert {"figures/dots.png", "few_rows.csv", "claims.csv"} <= set(read.linked)
    made = {"study.toml", "versions.json", "networks.csv", "items.csv"}  # by others
    assert all((tmp_path / file).is_file() for file in set(read.linked) - made)


def test_a_page_without_claims_and_words_has_no_empty_headlines(tmp_path):
    made = Provenance(processors=2)
    page = write_page(load_study("modcog"), Findings(), tmp_path, provenance=made)
    text = page.read_text()
    assert "## What holds" not in text
    assert "## In words" not in text
    assert "```" not in text


EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](JavaScript :alert(1)) | `"


def test_text_from_files_runs_nothing(tmp_path):
    """Not in HTML, not in Markdown, which passes tags on, and not in an SVG."""
    base = load_study("growing_brains").model_dump(mode="json", exclude_none=True)
    methods = {"bimt": {"label": EVIL, "settings": [f"name={EVIL}"]}}
    study = build(Study, base | {"title": EVIL, "text": EVIL, "methods": methods, "only": ["bimt"]})
    found = findings()
    found.tables[EVIL] = pd.DataFrame({EVIL: [EVIL]})
    found.claims = [Claim(EVIL, EVIL, "holds", EVIL)]
    found.notes = [EVIL]
    figure = new_figure(3, 1)
    figure.text(0, 0, EVIL.replace("$", ""))
    found.figures = {"dots": (figure, EVIL)}
    (tmp_path / "conclusions.md").write_text(EVIL)
    made = Provenance(command=f"x\n```\n{EVIL}", processors=2, others=(EVIL,))
    write_page(study, found, tmp_path, provenance=made)
    markdown = (tmp_path / "README.md").read_text()
    told, command = markdown.rsplit("\n```\n", 2)[0], markdown.rsplit("\n```\n", 2)[1]
    assert "\n" not in command
    for text in (told, (tmp_path / "index.html").read_text()):
        assert not re.search(r"<(script|img src=x)", text, re.IGNORECASE)
    assert not re.search(r"javascript\s*:", told, re.IGNORECASE)
    drawn = (tmp_path / "figures" / "dots.svg").read_text()
    assert "<script" not in drawn
    xml.dom.minidom.parseString(drawn)
