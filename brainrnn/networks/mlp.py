"""Multilayer perceptrons whose layers lie on sites in space, for vectors or for tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from jaxtyping import Float, Shaped
from pydantic import Field, field_validator
from torch import Tensor, nn

from brainrnn.anatomy.geometry import Array, Distance, as_sites, grid, line, ring
from brainrnn.anatomy.network import PlacedNetwork, Pullback
from brainrnn.anatomy.populations import Anatomy, Population
from brainrnn.config import Count
from brainrnn.errors import InputError, unknown
from brainrnn.networks.layers import ACTIVATIONS, Activation, Passed, through_layers
from brainrnn.networks.linear import Linear, member_streams
from brainrnn.networks.members import LinesSpec, MembersSpec
from brainrnn.networks.places import distance_of, sites_of, stored_distance, stored_sites
from brainrnn.task import Examples, Suite, Task


class MLPSpec(LinesSpec):
    """A multilayer perceptron whose layers are lines or planes of neurons.

    Examples
    --------
    >>> MLPSpec(hidden=(100,)).activation
    'silu'
    """

    hidden: tuple[Count, ...] = Field(
        (20, 20), max_length=1000, description="neurons of each hidden layer"
    )
    activation: Activation = Field(
        "silu", description="of hidden neurons: silu, relu, tanh or gelu"
    )
    embedding: Count = Field(
        32, description="neurons that hold a token's embedding, where inputs are tokens"
    )


class MLP(PlacedNetwork):
    """Multilayer perceptrons side by side, the neurons of each layer on the same sites.

    x_l = f(W_l x_{l-1} + b_l), the last layer linear. Populations are called ``input``, ``h1``,
    ``h2``, ... and ``out``; parameters ``fc0.weight`` (member, h1, input), ``fc0.bias``,
    ``fc1.weight`` and so on. Initial weights and biases are uniform within 1/sqrt(fan-in), as in
    ``torch.nn.Linear``.

    With ``tokens``, an example is a few tokens; each is embedded (``embedding``, standard normal),
    and the embeddings are concatenated. All of them use the same ``input`` neurons: one population,
    several folds.

    Parameters
    ----------
    sites : sequence of (site, dimension) arrays
        Of the input, each hidden layer, and the output.
    tokens : int, optional
        Size of the vocabulary; inputs are vectors without it.
    positions : int
        Tokens in an example.
    fixed_inputs : bool
        Whether inputs keep their places, as the pixels of an image do.
    activation : str
        f of hidden neurons: silu, relu, tanh or gelu.
    distance : str, function or (site, site) array
        See :class:`brainrnn.Anatomy`.
    members, seed, starts, dtype
        Of networks side by side; see :class:`brainrnn.RNN`.

    Raises
    ------
    InputError
        If there are fewer than two layers of sites.

    Examples
    --------
    >>> net = MLP([line(4), grid(3), line(2)], members=5)
    >>> net(torch.zeros(7, 4)).shape
    torch.Size([5, 7, 2])
    """

    def __init__(
        self,
        sites: Sequence[Array],
        *,
        tokens: int | None = None,
        positions: int = 2,
        fixed_inputs: bool = False,
        activation: Activation = "silu",
        distance: str | Distance | Array = "l1",
        members: int = 1,
        seed: int = 0,
        starts: Sequence[int] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if len(sites) < 2:
            raise InputError(f"a perceptron needs sites of 2 layers or more, got {len(sites)}")
        names = _populations(len(sites) - 2)
        self.tokens, self.activation = tokens, activation
        self.positions = positions if tokens else 1
        populations = [
            Population(name, as_sites(places), movable=not (fixed_inputs and name == "input"))
            for name, places in zip(names, sites, strict=True)
        ]
        wiring = {"embedding": "_ input"} if tokens else {}
        self.depth = len(names) - 1
        for i, (source, target) in enumerate(pairwise(names)):
            folded = f"({self.positions} {source})" if tokens and i == 0 else source
            wiring |= {f"fc{i}.weight": f"{target} {folded}", f"fc{i}.bias": target}
        self.anatomy = Anatomy(populations, wiring, distance=distance, members=members)

        sizes = [len(population) for population in populations]
        streams = member_streams(members, seed, starts)
        if tokens:
            start = np.stack([rng.standard_normal((tokens, sizes[0])) for rng in streams])
            self.embedding = nn.Parameter(torch.from_numpy(start).to(dtype))
        sizes[0] *= self.positions
        for i, (fan_in, n) in enumerate(pairwise(sizes)):
            self.add_module(f"fc{i}", Linear.drawn(fan_in, n, streams, dtype))
        self.anatomy.bind(self.named_parameters())

    @classmethod
    def on_lines(
        cls,
        n_inputs: int,
        n_outputs: int,
        spec: MLPSpec | None = None,
        *,
        tokens: bool = False,
        positions: int = 2,
        own: Mapping[str, Array] | None = None,
        **options: Any,
    ) -> MLP:
        """Put every layer on the unit interval, side by side (Eq. 1 of the paper, A = 1).

        Parameters
        ----------
        n_inputs, n_outputs : int
            Length of the input, or the size of the vocabulary with ``tokens``; and of the output.
        spec : MLPSpec
            The layers between them.
        tokens : bool
            Whether inputs are tokens.
        positions : int
            Tokens in an example.
        own : mapping of str to (site, dimension) array
            Sites of some populations (``input``, ``h1``, ..., ``out``) that do not lie on a line.
            Inputs that have such sites keep their places.
        **options
            As of the class.

        Raises
        ------
        InputError
            If a population of such sites is unknown, or has another number of neurons.

        Examples
        --------
        >>> net = MLP.on_lines(4, 2, MLPSpec(hidden=(3,)))
        >>> net.wired("fc0.weight").shape
        torch.Size([1, 3, 4])
        """
        spec, own = spec or MLPSpec(), own or {}
        names = _populations(len(spec.hidden))
        for name in own:
            if name not in names:
                raise InputError(unknown("population", name, names))
        sizes = [spec.embedding if tokens else n_inputs, *spec.hidden, n_outputs]
        for name, n in zip(names, sizes, strict=True):
            if len(own.get(name, range(n))) != n:
                raise InputError(
                    f"population {name!r} has {n} neurons, but {len(own[name])} sites of its own: "
                    "give one for each"
                )
        return cls(
            [
                own[name] if name in own else line(n, centred=spec.centred)
                for name, n in zip(names, sizes, strict=True)
            ],
            tokens=n_inputs if tokens else None,
            positions=positions,
            fixed_inputs="input" in own,
            activation=spec.activation,
            **options,
        )

    @classmethod
    def on_planes(
        cls, image: tuple[int, int], n_outputs: int, spec: MLPSpec | None = None, **options: Any
    ) -> MLP:
        """Put every layer on a plane, for images ("Seeing Is Believing", Section 3.5).

        Inputs keep their places on the grid of the image, (rows, columns); hidden layers are square
        grids; outputs stand on a ring of radius 1/4. All are centred on each other, and a side is
        one unit long.

        Raises
        ------
        InputError
            If the neurons of a hidden layer do not fill a square.

        Examples
        --------
        >>> net = MLP.on_planes((4, 4), 10, MLPSpec(hidden=(9,)))
        >>> net.wired("fc0.weight").shape
        torch.Size([1, 9, 16])
        """
        spec = spec or MLPSpec()
        sides = [math.isqrt(max(n, 0)) for n in spec.hidden]
        for n, side in zip(spec.hidden, sides, strict=True):
            if n < 1 or side**2 != n:
                raise InputError(
                    f"a hidden layer on a plane is a square of neurons, such as 100 for 10 x 10, "
                    f"got {n}"
                )
        hidden = [grid(side, side) for side in sides]
        sites = [grid(*image), *hidden, ring(n_outputs, radius=0.25)]
        return cls(sites, fixed_inputs=True, activation=spec.activation, **options)

    def forward(
        self, inputs: Shaped[Tensor, "example input"]
    ) -> Float[Tensor, "member example output"]:
        """Outputs for a batch.

        Parameters
        ----------
        inputs : (example, input), or (example, position) int64 tokens
            The same for all members.
        """
        state = self._embedded(inputs) if self.tokens else self._vectors(inputs)
        return through_layers(state, self.activation, self._weights(), activated=not self.tokens)

    def respond(
        self, batch: Examples, *, generator: torch.Generator | None = None
    ) -> Float[Tensor, "member example output"]:
        """Outputs for a batch of examples."""
        return self(batch.inputs)

    def pullback(
        self, batch: Examples, *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "member example output"], Pullback]:
        """Outputs for a batch, and their gradient's way back, without a graph if from vectors."""
        if self.tokens:
            return super().pullback(batch, generator=generator)
        activation = self.activation
        with torch.no_grad():
            passed = Passed.forward(
                self._vectors(batch.inputs), activation, self._weights(), activated=True
            )

        @torch.no_grad()
        def back(gradient: Tensor) -> list[Tensor]:
            return passed.backward(gradient, activation, entrance=False, activated=True)[1]

        return passed.outputs, back

    def layers(
        self, inputs: Shaped[Tensor, "example input"]
    ) -> dict[str, Float[Tensor, "member example _"]]:
        """What every population does, input and output included.

        The embeddings of several tokens stand one after the other.

        Returns
        -------
        dict of population to (member, example, neuron)
        """
        state = self.embedding[:, inputs].flatten(2) if self.tokens else self._vectors(inputs)
        states = {"input": state}
        for i, name in enumerate(list(self.anatomy.populations)[1:]):
            state = self._layer(i)(state)
            if i < self.depth - 1:
                state = ACTIVATIONS[self.activation](state)
            states[name] = state
        return states

    def _layer(self, i: int) -> Linear:
        return cast(Linear, self.get_submodule(f"fc{i}"))

    def _weights(self) -> list[Tensor]:
        """Weight and bias of every layer that comes after the embedding of tokens."""
        layers = [self._layer(i) for i in range(1 if self.tokens else 0, self.depth)]
        return [p for layer in layers for p in (layer.weight, layer.bias)]

    def _vectors(
        self, inputs: Shaped[Tensor, "example input"]
    ) -> Float[Tensor, "member example input"]:
        return inputs.to(self._layer(0).weight).expand(self.members, -1, -1)

    def _embedded(
        self, inputs: Shaped[Tensor, "example position"]
    ) -> Float[Tensor, "member example h1"]:
        """What the first layer makes of tokens."""
        layer = self._layer(0)
        # What each token contributes at each position is computed once, not once per example, and
        # all members lie in one row of the table, so that looking it up is one copy.
        weight = layer.weight.unflatten(2, (self.positions, -1))  # (member, h1, position, input)
        table = torch.einsum("mti,mhpi->ptmh", self.embedding, weight)
        drive = layer.bias.flatten()
        for position, tokens in enumerate(inputs.unbind(1)):
            drive = drive + table[position].flatten(1).index_select(0, tokens)
        return drive.unflatten(1, layer.bias.shape).transpose(0, 1)


def _populations(hidden: int) -> list[str]:
    """Names of the populations of a perceptron, from the input to the output."""
    return ["input", *(f"h{i}" for i in range(1, hidden + 1)), "out"]


class MLPNetwork(MLPSpec, MembersSpec):
    """A multilayer perceptron, every layer on a line, on a plane, or on sites of its own.

    Examples
    --------
    >>> MLPNetwork(hidden=[6], layout="lines").distance
    'l1'
    """

    tasks: ClassVar[str] = "are vectors or tokens"

    kind: Literal["mlp"] = Field("mlp", description="a multilayer perceptron")
    layout: str | dict[str, str] = Field(
        "lines",
        description="lines: every layer on a line; planes: inputs fixed on an image's grid, hidden "
        "layers on square grids, outputs on a ring; or your own sites of some populations, "
        '{ h1 = "h1.csv" }: a .csv or .npy file with a row of coordinates for each neuron, or '
        "module:function, which may take the number of neurons of a hidden layer",
    )
    distance: str = Field(
        "l1",
        description="distance between the sites of a perceptron: l1, l2, periodic or great_circle; "
        "or your own, a .csv or .npy file of the matrix of all sites, population after population",
    )

    @field_validator("layout")
    @classmethod
    def _own_layout(cls, value: str | dict[str, str], known: Any) -> str | dict[str, str]:
        if isinstance(value, str):
            if value not in ("lines", "planes"):
                raise ValueError(unknown("layout", value, ("lines", "planes")))
            return value
        hidden = {f"h{i}": n for i, n in enumerate(known.data.get("hidden", ()), start=1)}
        for name in value:
            if name not in ("input", *hidden, "out"):
                raise ValueError(unknown("population", name, ("input", *hidden, "out")))
        return {
            name: stored_sites(source, (hidden[name],) if name in hidden else (), ())
            for name, source in value.items()
        }

    @field_validator("distance")
    @classmethod
    def _own_distance(cls, value: str) -> str:
        return stored_distance(value, None)

    @classmethod
    def fits(cls, task: Task) -> bool:
        """Whether the task is one of vectors or of tokens."""
        tokens, positions = getattr(task, "tokens", False), getattr(task, "positions", None)
        return not isinstance(task, Suite) and (tokens or positions is None)

    def weights(self, task: Task) -> int:
        """Number of weights and biases of one network."""
        table, fan_in = 0, task.n_inputs
        if getattr(task, "tokens", False):
            positions = getattr(task, "positions", None) or 1
            table, fan_in = task.n_inputs * self.embedding, self.embedding * positions
        layers = pairwise([fan_in, *self.hidden, task.n_outputs])
        return table + sum((m + 1) * n for m, n in layers)

    def build(self, task: Task, *, seed: int) -> MLP:
        """Build the untrained network for a task.

        Raises
        ------
        InputError
            If sizes do not fit, or the layout is not one for this task.
        """
        spec = self.part(MLPSpec)
        options = {"distance": distance_of(self.distance), **self.side_by_side(seed)}
        if self.layout == "planes":
            image = getattr(task, "image", None)
            if image is None:
                raise InputError("network.layout 'planes' is for images: use 'lines'")
            return MLP.on_planes(image, task.n_outputs, spec, **options)
        own = {} if isinstance(self.layout, str) else self.layout
        return MLP.on_lines(
            task.n_inputs,
            task.n_outputs,
            spec,
            tokens=getattr(task, "tokens", False),
            positions=getattr(task, "positions", None) or 1,
            own={name: sites_of(stored) for name, stored in own.items()},
            **options,
        )
