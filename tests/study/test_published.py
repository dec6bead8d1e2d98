"""Published pages come out again from their answers, and other pages' tables from those pages."""

import shutil
from pathlib import Path

import pytest

from brainrnn.study import fill, write_report

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
STUDIES = sorted(path.parent.name for path in RESULTS.glob("*/study.toml"))
# Published before answers were kept.
WITHOUT_ANSWERS = {"modcog"}


def test_every_published_study_has_its_answers():
    without = {name for name in STUDIES if not (RESULTS / name / "networks.csv").is_file()}
    assert without == WITHOUT_ANSWERS


@pytest.mark.parametrize("study", sorted({*STUDIES} - WITHOUT_ANSWERS))
def test_a_page_is_made_again_from_its_answers_to_the_last_digit(study, tmp_path):
    folder = RESULTS / study
    if (folder / "conclusions.md").is_file():
        shutil.copy(folder / "conclusions.md", tmp_path)
    write_report(folder, tmp_path, formats=["png"])
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    made.remove(Path("index.html"))  # the same as README.md, and not published
    known = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    assert made == known - {Path("index.html")}
    for path in sorted(made):
        if path.suffix != ".png":  # whose bytes depend on the version of a font
            assert (tmp_path / path).read_bytes() == (folder / path).read_bytes(), path


@pytest.mark.parametrize("page", ["README.md", "docs/findings.md"])
def test_tables_of_other_pages_are_those_of_the_studies(page, tmp_path):
    shutil.copytree(RESULTS, tmp_path / "docs" / "results", ignore=shutil.ignore_patterns("*.png"))
    copy = tmp_path / page
    shutil.copy(ROOT / page, copy)
    fill(copy)
    assert copy.read_text(encoding="utf-8") == (ROOT / page).read_text(encoding="utf-8")
