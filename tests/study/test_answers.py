"""What networks answer is kept in two tables, and a report is made from them again."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest

from brainrnn.errors import InputError
from brainrnn.study import conduct, write_report
from brainrnn.study.answers import Answer, Answers, is_answered
from brainrnn.study.subject import Cell
from tests.commands import brainrnn, one_line
from tests.study.small import small_study

PLAIN = small_study(seeds=[1]).cells()[0]


def cell(method, seed, **setting):
    return Cell(method, method.upper(), seed, PLAIN.experiment, setting=setting)


CELLS = [cell("none", 1), cell("l1", 1, **{"method.strength": 0.1}), cell("none", 2)]
ITEMS = [
    pd.DataFrame({"lesion": ["all", "3"], "damage": [0.1 + 0.2, np.nan], "hit": [True, False]}),
    pd.DataFrame({"lesion": ["7"], "damage": [1 / 3], "hit": [True]}),
    pd.DataFrame({"lesion": [], "damage": [], "hit": []}),
]
FACTS = [{"accuracy": 0.7, "active": 9}, {"accuracy": 0.1 * 3, "active": 8}, {"accuracy": 0.5}]


@pytest.fixture
def folder(tmp_path):
    for one, items, facts in zip(CELLS, ITEMS, FACTS, strict=True):
        assert not is_answered(tmp_path, one)
        Answer(items, facts).write(tmp_path, one)
        assert is_answered(tmp_path, one)
    return tmp_path


def test_rows_are_items_with_what_is_known_of_their_network(folder):
    Answers.collect(folder, CELLS).write(folder)
    answers = Answers.read(folder)
    assert answers.networks.network.tolist() == ["none-1", "l1-0.1-1", "none-2"]
    assert answers.networks.active.isna().tolist() == [False, False, True]
    expected = pd.DataFrame(
        {
            "method": ["none", "none", "l1"],
            "label": ["NONE", "NONE", "L1"],
            "seed": [1, 1, 1],
            "method.strength": [np.nan, np.nan, 0.1],
            "lesion": ["all", "3", "7"],
            "damage": [0.1 + 0.2, np.nan, 1 / 3],
            "hit": [True, False, True],
            "accuracy": [0.7, 0.7, 0.1 * 3],
            "active": [9.0, 9.0, 8.0],
        }
    )
    pd.testing.assert_frame_equal(answers.rows, expected, check_exact=True, check_dtype=False)
    assert answers.rows.hit.sum() == 2


def test_no_damage_to_an_answer_is_read(folder):
    expected = Answers.collect(folder, CELLS)
    rng = np.random.default_rng(0)
    for name in ("items.csv", "networks.csv", "sha256sums"):
        file = folder / CELLS[0].name / name
        content = file.read_bytes()
        flipped = [bytearray(content) for _ in range(40)]
        for one in flipped:
            one[int(rng.integers(len(one)))] ^= 1 << int(rng.integers(8))
        for damaged in (*flipped, *(content[:n] for n in range(0, len(content), 7))):
            file.write_bytes(damaged)
            with pytest.raises(InputError, match=f"{file.parent} is damaged.* delete it and run"):
                Answers.collect(folder, CELLS)
        file.write_bytes(content)
    (folder / CELLS[0].name / "sha256sums").unlink()  # of a former version
    pd.testing.assert_frame_equal(Answers.collect(folder, CELLS).rows, expected.rows)


def test_a_fact_is_told_once(tmp_path):
    with pytest.raises(AssertionError, match="damage"):
        Answer(ITEMS[0], {"damage": 1.0}).write(tmp_path, CELLS[0])


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A study of maps, the folder of its own and that of its published report."""
    out = tmp_path_factory.mktemp("studies")
    conduct(small_study(), out, progress=False, report=out / "docs", command="brainrnn study it")
    shutil.rmtree(out / "networks")
    shutil.rmtree(out / "small" / "networks")
    shutil.rmtree(out / "small" / "answers")
    return out / "small", out / "docs"


@pytest.mark.parametrize("which", [0, 1])
def test_a_report_is_made_again_without_networks(which, published, tmp_path):
    folder = published[which]
    status, output, errors = brainrnn("study", "report", folder, "--out", tmp_path / "again")
    assert (status, errors) == (0, "")
    assert str(tmp_path / "again" / "README.md") in output
    files = [path for path in folder.rglob("*") if path.suffix in (".md", ".csv", ".json", ".toml")]
    assert len(files) > 10
    for path in files:
        again = tmp_path / "again" / path.relative_to(folder)
        assert again.read_bytes() == path.read_bytes(), path.name
    pictures = list(folder.rglob("*.png"))
    assert {path.name for path in pictures} == {"maps.png", "z.png"}
    for path in pictures:
        again = tmp_path / "again" / path.relative_to(folder)
        assert again.read_bytes() == path.read_bytes(), path.name


def test_a_report_is_made_again_where_it_is(published, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(published[1], folder)
    page = (folder / "README.md").read_bytes()
    (folder / "README.md").unlink()
    (folder / "each_method.csv").unlink()
    assert write_report(folder) == folder / "README.md"
    assert (folder / "README.md").read_bytes() == page
    for file in ("networks.csv", "each_method.csv"):
        assert (folder / file).read_bytes() == (published[1] / file).read_bytes()


def test_the_page_follows_from_the_answers(published, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(published[1], folder)
    networks = pd.read_csv(folder / "networks.csv")
    networks.loc[networks.method == "bimt", "accuracy"] = 0.125
    networks.to_csv(folder / "networks.csv", index=False)
    write_report(folder)
    table = pd.read_csv(folder / "each_method.csv").set_index("method")
    assert table.accuracy["BIMT"] == "0.125 ± 0.000"
    assert "| BIMT | 0.125 ± 0.000 |" in (folder / "README.md").read_text()


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("study.toml", None, ["is not the folder of a study", "study.toml"]),
        ("networks.csv", None, ["networks.csv is missing", "run the study again"]),
        ("items.csv", None, ["items.csv is missing"]),
        ("items.csv", b"", ["items.csv", "No columns"]),
        ("items.csv", b"\xff\xfe\x00", ["items.csv"]),
        ("items.csv", b"network\nanother-1\n", ["not of the same networks"]),
        ("networks.csv", b"a,b\n1,2\n", ["networks.csv has no column 'network'"]),
        ("neurons.csv", None, ["neurons.csv is missing"]),
        ("provenance.json", b"{", ["provenance.json", "damaged"]),
        ("provenance.json", b"[1]", ["provenance.json", "damaged"]),
        ("provenance.json", b'{"processors": 0}', ["processors"]),
        ("items.csv", "cut", ["items.csv has", "is damaged"]),
        ("neurons.csv", "cut", ["neurons.csv has", "is damaged"]),
        ("versions.json", None, ["versions.json"]),
        ("study.toml", b"", ["study.toml"]),
        ("study.toml", b"\x00", ["study.toml", "not valid TOML"]),
        ("study.toml", b"\xff", ["study.toml", "not a text file"]),
        ("networks.csv", "zeros", ["networks.csv"]),
        ("networks.csv", "words", ["damaged", "run the study again"]),
        ("items.csv", "words", ["damaged", "run the study again"]),
    ],
)
def test_what_is_missing_or_damaged_is_one_line(file, content, words, published, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(published[1], folder)
    if content is None:
        (folder / file).unlink()
    elif content == "cut":
        whole = (folder / file).read_bytes()
        (folder / file).write_bytes(whole[: whole.rstrip().rindex(b"\n") + 1])
    elif content == "words":
        numbers = r"(?<=[,\n])-?\d+\.\d+(?=[,\n])"
        (folder / file).write_text(re.sub(numbers, "x", (folder / file).read_text()))
    elif content == "zeros":  # as some file systems leave a file after a crash
        (folder / file).write_bytes(bytes((folder / file).stat().st_size))
    else:
        (folder / file).write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    one_line(brainrnn("study", "report", folder, "--out", tmp_path / "again"), *words)
    assert sorted(tmp_path.rglob("*")) == before  # nothing is half-written


def test_a_folder_without_a_study_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"study\.toml"):
        write_report(tmp_path)


def test_a_damaged_answer_of_one_network_is_one_line(tmp_path):
    study = small_study(seeds=[1], methods={"new": {"label": "new", "trained": False}})
    conduct(study, tmp_path, progress=False, on="serial")
    kept = tmp_path / "small" / "answers" / "new-1"
    for file in ("networks.csv", "items.csv"):
        whole = (kept / file).read_bytes()
        for damaged in (b"", b"\xff\xfe", bytes(len(whole)), b"no,table\n1,2\n"):
            (kept / file).write_bytes(damaged)
            with pytest.raises(InputError, match=r"new-1 is damaged.* run the study again"):
                conduct(study, tmp_path, progress=False, on="serial")
        (kept / file).write_bytes(whole)
    (tmp_path / "small" / "study.toml").write_bytes(b"[")
    with pytest.raises(InputError, match=r"study\.toml is damaged, .* delete that folder"):
        conduct(study, tmp_path, progress=False, on="serial")
