"""What the pages in docs/ tell a reader to write and to type works, block after block."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from tests.commands import brainrnn

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(python|toml|sh)\n(.*?)^```", re.M | re.S)
FILE = re.compile(r"# ([\w./-]+\.(?:py|toml))\n")
FEWER = ("training.steps=2", "--quiet")  # than the page says


def pages():
    """Every page with a block of Python."""
    texts = {page: page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md")}
    return [page for page, text in sorted(texts.items()) if "```python\n" in text]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_a_page_works(page, tmp_path, monkeypatch):
    """Files are written first, then Python runs in order, then commands, with fewer steps.

    A block that begins with a file's name, as in ``# mine.py``, is that file.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    shutil.copytree(ROOT / "configs", "configs")
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    files = {found[1]: text for _, text in blocks if (found := FILE.match(text))}
    for name, text in files.items():
        Path(name).write_text(text, encoding="utf-8")
    names: dict[str, object] = {}
    for kind, text in blocks:
        if kind == "python" and not FILE.match(text):
            exec(compile(text, page.name, "exec"), names)
    commands = [line for kind, text in blocks if kind == "sh" for line in text.splitlines()]
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "brainrnn", command
        status, _, errors = brainrnn(*words, *(FEWER if words[0] == "train" else ()))
        assert status == 0, f"{command}\n{errors}"
    for name in files:
        sys.modules.pop(Path(name).stem, None)
    assert names or commands
