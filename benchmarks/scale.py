"""Time and memory at growing numbers of recurrent neurons: ``python -m benchmarks.scale``.

Every cell is a process of its own, so that the largest memory it ever had is its own too.
"""

from __future__ import annotations

import json
import math
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from torch import Tensor

import brainrnn as br
from benchmarks.swap_rnn import recurrent, restart
from benchmarks.timing import timed
from brainrnn.plots import save_figure
from brainrnn.training.loop import Trainer, TrainingSpec
from tasks import cog20

SIZES = (100, 400, 1600, 6400)
SPARSE_SIZES = (1600, 6400, 25_600, 51_200)
PARTNERS = 32
SPARSE_NETWORK = br.RNNSpec(connections="sparse", growth={"partners": PARTNERS})
_BATCH = 128
_PAYS = br.BIMT(strength=1e-4)


def step(n: int, network: br.RNNSpec | None = None, device: str = "cpu") -> Callable[[], object]:
    """A training step: 128 trials of the 20 tasks, the cost, Adam."""
    suite = cog20(dt=100)
    never = 10**9
    spec = TrainingSpec(steps=never, batch=_BATCH, log_every=never, evaluate_every=never)
    method = _PAYS.model_copy(update={"swap": br.SwapSpec(algorithm="none")})
    net = br.RNN.for_suite(suite, sites=sites(n), spec=network).to(device)
    records = Trainer(net, suite, method, spec).records()
    return lambda: next(records)


def swap(n: int, *, trained: bool) -> tuple[Callable[[], object], Callable[[], object]]:
    """A swap pass over all neurons, from places that have nothing to do with the weights."""
    net = recurrent(math.isqrt(n), trained=trained)
    return lambda: br.relocate(net, _PAYS, _PAYS.swap), lambda: restart(net)


def sparse_swap(n: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """A swap pass over all neurons, each of which looks at the sites around its own."""
    net = br.RNN(80, 20, sites(n), dt=100, spec=SPARSE_NETWORK)
    swap = br.SwapSpec(near=24)
    return lambda: br.relocate(net, _PAYS, swap), lambda: restart(net)


def analysis(n: int) -> Callable[[], object]:
    """The whole analysis with its defaults: 20 tasks, modules, 10,000 permutations."""
    suite = cog20(dt=100)
    net = br.RNN.for_suite(suite, sites=sites(n), tau=100)
    return lambda: br.analyse(net, suite)


def plot(n: int) -> Callable[[], object]:
    """The map of a network as after training, written as PNG."""
    suite = cog20(dt=100, names=["go", "dm1"])
    net = br.RNN.for_suite(suite, sites=sites(n), tau=100)
    sparse = recurrent(math.isqrt(n), trained=True)
    net.w_rec.data = sparse.w_rec.data
    brain = br.analyse(net, suite, br.AnalysisSpec(trials=16, permutations=10, k=8))
    folder = Path(tempfile.mkdtemp())
    return lambda: save_figure(br.plot_map(brain), folder / "map", ("png",))


DENSE: dict[str, Callable[[int], object]] = {
    "training step": step,
    "swap pass, random weights": lambda n: swap(n, trained=False),
    "swap pass, as after training": lambda n: swap(n, trained=True),
    "analysis": analysis,
    "map as a picture": plot,
}
SPARSE: dict[str, Callable[[int], object]] = {
    "training step, sparse": lambda n: step(n, SPARSE_NETWORK),
    "swap pass, sparse": sparse_swap,
}
PARTS = DENSE | SPARSE


def sites(n: int) -> Tensor:
    """A square, or two side by side."""
    side = math.isqrt(n)
    if side**2 < n:
        side = math.isqrt(n // 2)
    return br.grid(side, n // side)


def measure(part: str, n: int) -> dict[str, float]:
    """Seconds of a part, the median of up to five turns, and the memory that it took, in MiB."""
    base = _memory()  # of Python and the libraries
    made = PARTS[part](n)
    work, before = made if isinstance(made, tuple) else (made, lambda: None)
    times = [timed(work, before)]
    while len(times) < 6 and sum(times) < 20:
        times.append(timed(work, before))
    later = times[1:] or times  # the first warms up
    return {"seconds": statistics.median(later), "memory": _memory() - base}


def _memory() -> float:
    """The most memory that this process has had, MiB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    # Linux lets a process inherit its parent's ru_maxrss.
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8"))
    return int(peak) / 2**10


def rows() -> Iterator[dict[str, object]]:
    """A row for every part: seconds and memory by size, and the exponent of its growth.

    Of time between the last two sizes; of sparse networks, between the first and the last.
    """
    for part in PARTS:
        sizes = SPARSE_SIZES if part in SPARSE else SIZES
        cells = {n: _in_a_process(part, n) for n in sizes}
        last, before = sizes[-1], sizes[0 if part in SPARSE else -2]
        growth = math.log(cells[last]["seconds"] / cells[before]["seconds"])
        yield {
            "part": part,
            "seconds": {n: cell["seconds"] for n, cell in cells.items()},
            "memory": {n: cell["memory"] for n, cell in cells.items()},
            "exponent": growth / math.log(last / before),
            "weights": {n: 4 * n * (PARTNERS if part in SPARSE else n) / 2**20 for n in sizes},
        }


def _in_a_process(part: str, n: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scale", "--one", part, str(n)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@click.command()
@click.option("--one", type=(click.Choice(list(PARTS)), int), help="One part at one size.")
def main(one: tuple[str, int] | None) -> None:
    """Measure every part at every size, one JSON object a line."""
    found = [measure(*one)] if one else rows()
    for row in found:
        click.echo(json.dumps(row))


if __name__ == "__main__":
    main()
