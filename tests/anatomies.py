"""Random networks on random anatomies, for property tests."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st

import brainrnn as br
from brainrnn.anatomy import geometry
from brainrnn.networks import MLP, RNN, MLPSpec, Transformer, TransformerSpec
from brainrnn.task import Examples, Trials
from tests.placed import Wired

FLAT = ("l1", "l2", "periodic", "function", "matrix")  # distances in any number of dimensions
seeds = st.integers(0, 2**31)


def random(seed: int, *shape: int) -> torch.Tensor:
    """Numbers from 0 to 1 in double precision."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def matrix(seed: int, n: int) -> torch.Tensor:
    """Distances that no space has."""
    one = random(seed, n, n)
    return (one + one.T).fill_diagonal_(0)


@st.composite
def sites(draw, space: int, irregular: bool = False) -> torch.Tensor:
    """Up to nine places in a space of so many dimensions; 0: on a sphere."""
    n = draw(st.integers(1, 9))
    if space == 0:
        return geometry.sphere(n)
    regular = {
        1: [geometry.line(n), geometry.line(n, centred=False)],
        2: [geometry.grid(*shape) for shape in ((1, n), (2, 2), (2, 3), (3, 3))]
        + [geometry.ring(n)],
        3: [geometry.sphere(n), geometry.grid(2, 2, 2), geometry.grid(1, 3, 2)],
    }
    scattered = random(draw(seeds), n, space)
    return scattered if irregular else draw(st.sampled_from([scattered, *regular[space]]))


@st.composite
def wired_networks(draw, *, irregular: bool = False, sparse: bool = True) -> Wired:
    """Populations of any sites and blocks, shared by parameters of any wiring; neurons moved.

    ``irregular`` and not ``sparse``: no two arrangements cost the same.
    """
    space = draw(st.integers(1 if irregular else 0, 3))
    distance = draw(st.sampled_from(["great_circle", *FLAT] if space == 0 else FLAT))
    populations = []
    for name in "abc"[: draw(st.integers(1, 3))]:
        places = draw(sites(space, irregular))
        divisors = [k for k in range(1, len(places) + 1) if len(places) % k == 0]
        movable = irregular or draw(st.booleans()) or draw(st.booleans())
        blocks = draw(st.sampled_from(divisors)) if draw(st.booleans()) else 1
        populations.append(br.Population(name, places, movable, blocks))
    axis = st.builds(
        lambda population, folds: population and (f"({folds} {population.name})", population),
        st.sampled_from([*populations, *populations, None]),
        st.integers(1, 3),
    )
    wiring = {}
    for i in range(draw(st.integers(1, 6))):
        axes = draw(st.lists(axis, min_size=1, max_size=2))
        placed = [one[1] for one in axes if one]
        if len(placed) == 2 and placed[0] is placed[1] and placed[0].blocks > 1:
            axes = axes[:1]  # blocks are not wired to themselves
        wiring[f"p{i}"] = " ".join(one[0] if one else "_" for one in axes)
    given = {
        "function": lambda a, b: geometry.l2(a, b) ** 2,
        "matrix": matrix(draw(seeds), sum(map(len, populations))),
    }
    net = Wired(
        wiring,
        populations=populations,
        distance=given.get(distance, distance),
        members=draw(st.integers(1, 3)),
        seed=draw(seeds),
        sparse=draw(st.sampled_from([0.0, 0.8, 1.0])) if sparse else 0.0,
    )
    net.shuffle(draw(seeds))
    return net


@st.composite
def prices(draw, net: br.Placed, *, positive: bool = False) -> br.CostSpec:
    """A connection cost that suits a network; ``positive``: whose places make a difference."""
    amount = st.floats(0.1, 3) if positive else st.just(0.0) | st.floats(0.01, 3)

    def per_member():
        return draw(amount | st.tuples(*[amount] * net.members))

    some = st.dictionaries(st.sampled_from(sorted(net.weights())), st.floats(0.1, 3))
    joined = [name for name in net.weights() if net.anatomy.length(name) is not None]
    return br.CostSpec(
        strength=per_member(),
        locality=per_member(),
        offset=draw(st.floats(0, 2)),
        biases_from=draw(st.sampled_from([0.0, 0.5, 1.0])),
        reduction=draw(st.sampled_from(["sum", "mean"])),
        parameter_strength=draw(some),
        parameter_locality={k: v for k, v in draw(some).items() if k in joined},
    )


swaps = st.builds(
    br.SwapSpec,
    algorithm=st.sampled_from(["greedy", "descent", "assignment"]),
    top_k=st.none() | st.integers(1, 9),
    locality=st.none() | st.floats(0.1, 3),
)


@st.composite
def networks(draw) -> tuple[br.PlacedNetwork, Examples | Trials]:
    """A network of ours, and a batch for it."""
    kind = draw(st.sampled_from(["leaky", "gru", "perceptron", "tokens", "transformer"]))
    seed, n = draw(seeds), draw(st.integers(1, 5))
    options = {
        "members": draw(st.integers(1, 3)),
        "seed": draw(st.integers(0, 99)),
        "dtype": draw(st.sampled_from([torch.float32, torch.float64])),
    }
    values = random(seed, 6, n, 3) * 2 - 1
    if kind in ("leaky", "gru"):
        places = draw(sites(2))
        net = RNN(3, 2, places, dt=20, cell=kind, tau=draw(st.sampled_from([20, 100])), **options)
        return net, trials(values, np.random.default_rng(seed).integers(1, 7, n))
    if kind == "transformer":
        heads = draw(st.sampled_from([1, 2, 3]))
        spec = TransformerSpec(layers=draw(st.integers(1, 2)), heads=heads, width=6)
        return Transformer(3, 2, spec, **options), examples(values.transpose(0, 1))
    spec = MLPSpec(
        hidden=draw(st.lists(st.integers(1, 9), min_size=1, max_size=3)),
        activation=draw(st.sampled_from(["silu", "relu", "tanh", "gelu"])),
        embedding=4,
    )
    if kind == "perceptron":
        return MLP.on_lines(3, 2, spec, **options), examples(values[0])
    tokens = (random(seed, n, 2) * 5).long()
    return MLP.on_lines(5, 2, spec, tokens=True, **options), examples(tokens)


def examples(inputs: torch.Tensor) -> Examples:
    """Examples whose targets nobody looks at."""
    return Examples(inputs, torch.zeros(len(inputs), 2))


def trials(inputs: torch.Tensor, lengths: np.ndarray) -> Trials:
    """Trials of these lengths whose targets nobody looks at."""
    time, n, _ = inputs.shape
    return Trials(
        inputs=inputs,
        targets=torch.zeros(time, n, dtype=torch.int64),
        weights=torch.ones(time, n),
        lengths=torch.from_numpy(lengths),
        task=torch.zeros(n, dtype=torch.int64),
        period_names=(),
        periods=torch.zeros(n, 0, 2, dtype=torch.int64),
    )


def one_by_one(batch: Examples | Trials) -> list[Examples | Trials]:
    """Batches of one, without padding."""
    if isinstance(batch, Examples):
        return [batch.take(slice(i, i + 1)) for i in range(len(batch))]
    return [
        trials(batch.inputs[:length, i : i + 1], np.array([length]))
        for i, length in enumerate(batch.lengths.tolist())
    ]


def orders(net: br.PlacedNetwork, seed: int, *, whole: bool) -> dict[str, torch.Tensor]:
    """New numbers for the neurons of every population that has an order of its own to lose.

    Blocks keep their numbers, as they look for partners in this order; ``whole``: or not.
    """
    generator = torch.Generator().manual_seed(seed)
    result = {}
    for name, population in net.anatomy.populations.items():
        size = len(population) // population.blocks
        blocks = torch.randperm(population.blocks, generator=generator)
        result[name] = torch.cat(
            [
                block * size + torch.randperm(size, generator=generator)
                for block in (blocks if whole else range(population.blocks))
            ]
        )
    return result


def renumber(net: br.PlacedNetwork, order: dict[str, torch.Tensor]) -> None:
    """Neuron i becomes the one that was order[i], with its weights and its place."""
    with torch.no_grad():
        for name, value in net.named_parameters():
            new = value
            for dim, axis in enumerate(net.anatomy.wiring[name], start=1):
                if axis.population in order:
                    of = order[axis.population]
                    rows = torch.cat([of + fold * len(of) for fold in range(axis.folds)])
                    new = new.index_select(dim, rows)
            value.copy_(new)
    for name, of in order.items():
        net.anatomy.move(name, net.anatomy.places(name)[:, of])
