"""The page of results, and the machine that it names."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch


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


def write_report(path: Path, rows: list[dict[str, Any]]) -> None:
    raise SystemExit("todo")
