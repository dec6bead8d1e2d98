"""What mutation testing has found, a row for each folder of the package: see `make mutants`.

``python -m tests.mutants TABLE.csv`` after ``mutmut run``, or ``--survivors`` for what has changed
in those that no test has found.
"""

import ast
import csv
import difflib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MUTANTS = Path("mutants")
COLUMNS = ("part", "mutants", "killed", "survived in words", "survived")


class Mutant(NamedTuple):
    """A changed function, and the status of the tests: 0 passed, None were not run."""

    part: str
    name: str
    status: int | None
    before: ast.AST
    after: ast.AST

    @property
    def words_alone(self) -> bool:
        """Whether it differs by texts alone, such as a message or a headline."""
        return without_words(self.before) == without_words(self.after)


def mutants(folder: Path = MUTANTS) -> Iterator[Mutant]:
    """Every mutant of the last run."""
    for meta in sorted(folder.rglob("*.py.meta")):
        known = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        source = meta.with_suffix("")
        functions = {
            node.name: node
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        part = source.parent.relative_to(folder).as_posix()
        for name, status in known.items():
            function = name.rpartition(".")[2]
            original = function.rpartition("__mutmut_")[0] + "__mutmut_orig"
            yield Mutant(part, name, status, functions[original], functions[function])


def without_words(function: ast.AST) -> str:
    """The code of a function, every text in it replaced and its name left out."""
    tree = ast.parse(ast.unparse(function))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
        elif isinstance(node, ast.FunctionDef):
            node.name = "_"
    return ast.dump(tree)


def changes(mutant: Mutant) -> str:
    """The lines that differ."""
    before, after = (
        ast.unparse(function).splitlines()[1:] for function in (mutant.before, mutant.after)
    )
    lines = difflib.unified_diff(before, after, lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def main(arguments: list[str]) -> None:
    found = [mutant for mutant in mutants() if mutant.status is not None]
    alive = [mutant for mutant in found if mutant.status == 0]
    if "--survivors" in arguments:
        for mutant in alive:
            if not mutant.words_alone:
                print(f"## {mutant.name}\n{changes(mutant)}")
        return
    total, survived = Counter(m.part for m in found), Counter(m.part for m in alive)
    words = Counter(m.part for m in alive if m.words_alone)
    with Path(arguments[0]).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for part in sorted(total):
            killed = total[part] - survived[part]
            other = survived[part] - words[part]
            table.writerow([part, total[part], killed, words[part], other])


if __name__ == "__main__":
    main(sys.argv[1:])
