"""The page of results, and the machine that it names."""

from __future__ import annotations

import importlib
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from benchmarks.scale import PARTNERS, SPARSE
from benchmarks.timing import duration, number
from brainrnn.files import atomic_path


def machine(device: str) -> dict[str, str]:
    """What the numbers hang on: device or processor, cores, memory, threads, versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    where = torch.cuda.get_device_name(device) if device != "cpu" else _processor()
    return {
        "device": where,
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "threads": str(torch.get_num_threads()),
        "python": platform.python_version(),
    } | {name: version(name) for name in ("torch", "numpy", "scipy", "neurogym")}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def write_report(path: Path, rows: list[dict[str, Any]], scale: list[dict[str, Any]]) -> None:
    """Write what was measured as a page of Markdown, with the notes beside this file at its end."""
    about = ", ".join(f"{key} {value}" for key, value in rows[0]["machine"].items())
    lines = [
        "# How fast, beside other ways to do the same",
        "",
        "Written by `python -m benchmarks --report docs/performance.md`. Both sides run in turn in "
        "one process. In every round, the ratio is their time over ours. The table shows the "
        "median ratio, and in brackets the least and the greatest. Seeds are fixed in the "
        "benchmarks.",
        "",
        f"Machine: {about}.",
        "",
        "| benchmark | case | ratio | ours | theirs | aim |",
        "|---|---|---|---|---|---|",
        *map(_row, rows),
        "",
        "## What the other side is",
        "",
        *[f"- `{name}`: {_about(name)}" for name in dict.fromkeys(row["name"] for row in rows)],
        "",
    ]
    if scale:
        lines += ["## Scale", ""]
        dense = [row for row in scale if row["part"] not in SPARSE]
        lines += _scale(dense, "recurrent", "the last two sizes")
        if sparse := [row for row in scale if row not in dense]:
            few = f"recurrent, sparse, {PARTNERS} into each neuron"
            lines += _scale(sparse, few, "the first size and the last")
    lines.append((Path(__file__).parent / "notes.md").read_text(encoding="utf-8"))
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines), encoding="utf-8")


def _row(row: dict[str, Any]) -> str:
    verdict = f"{', '.join(row['aims'])}: {'reached' if row['reached'] else '**missed**'}"
    figures = "".join(f"; {name} {value:,.4g}" for name, value in row["figures"].items())
    cells = [
        f"`{row['name']}`",
        row["case"] + figures,
        f"{number(row['ratio'])} ({number(row['ratio_min'])} to {number(row['ratio_max'])})",
        duration(row["ours_s"]),
        duration(row["theirs_s"]),
        verdict if row["aims"] else "",
    ]
    return f"| {' | '.join(cells)} |"


def _about(name: str) -> str:
    text = importlib.import_module(f"benchmarks.{name}").__doc__ or ""
    return " ".join(text.split())


def _scale(rows: list[dict[str, Any]], what: str, between: str) -> list[str]:
    """A table of times and memory by number of neurons."""
    sizes = list(rows[0]["seconds"])
    weights = ", ".join(f"{rows[0]['weights'][n]:.3g}" for n in sizes)
    return [
        f"Neurons on a grid. Their weights ({what}) alone are {weights} MiB. Each cell is time, "
        "and the most memory its process had beyond what Python and the libraries take. The "
        f"exponent is that of time between {between}.",
        "",
        f"| | {' | '.join(f'{n:,}' for n in sizes)} | exponent |",
        f"|---|{'---|' * len(sizes)}---|",
        *[_scale_row(row, sizes) for row in rows],
        "",
    ]


def _scale_row(row: dict[str, Any], sizes: list[int]) -> str:
    cells = [f"{duration(row['seconds'][n])}, {row['memory'][n]:,.0f} MiB" for n in sizes]
    return f"| {' | '.join([row['part'], *cells])} | {row['exponent']:.2f} |"
