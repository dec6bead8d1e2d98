"""Transformers without layer norm, whose residual stream is one population of neurons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal, cast

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional

from brainrnn.anatomy.geometry import Array, Distance, line
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.anatomy.populations import Anatomy, Population
from brainrnn.config import Count
from brainrnn.errors import InputError
from brainrnn.networks.linear import Linear, member_streams
from brainrnn.networks.members import LinesSpec, MembersSpec
from brainrnn.task import Examples, Suite, Task


class TransformerSpec(LinesSpec):
    """A causal transformer whose populations are lines of neurons.

    Examples
    --------
    >>> TransformerSpec(width=8, heads=2).layers
    2
    """

    layers: int = Field(2, ge=1, le=1000, description="of a transformer, each attention and an MLP")
    heads: Count = Field(1, description="of attention, in each layer of a transformer")
    width: Count = Field(
        32, description="neurons of a transformer's residual stream, and of all heads"
    )
    expansion: Count = Field(
        4, description="neurons of a transformer's MLP, as a multiple of its width"
    )

    @model_validator(mode="after")
    def _whole_heads(self) -> TransformerSpec:
        if self.width % self.heads:
            raise ValueError("width must be a multiple of heads")
        return self


class Transformer(PlacedNetwork):
    """Causal transformers side by side, for sequences of vectors.

    With the residual stream s, in every layer l

        s <- s + P_l attention(Q_l s, K_l s, V_l s),    s <- s + D_l f(U_l s),

    each map with a bias, f the tanh approximation of GELU; no layer norm, whose normalisation works
    against sparsity, and no code for positions ("Seeing Is Believing", Appendix F.1). s starts as
    ``embed`` of the inputs, and ``unembed`` of it is the output.

    Populations are ``input``, ``stream``, ``heads1``, ``mlp1``, ``heads2``, ... and ``out``. Every
    layer writes to and reads from the one stream, so that it moves as one. The queries, keys and
    values of a head share its neurons (three folds); heads are blocks, inside which neurons swap,
    and whole heads do. Parameters are ``embed``, ``qkv1``, ``proj1``, ``up1``, ``down1``, ``qkv2``,
    ... and ``unembed``, each with ``.weight`` (member, out, in) and ``.bias`` (member, out), drawn
    as in ``torch.nn.Linear``.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Length of the vector at a position of the sequence, and of the output there.
    spec : TransformerSpec
        Sizes; the defaults if not given.
    distance : str, function or (site, site) array
        See :class:`brainrnn.Anatomy`.
    members, seed, starts, dtype
        Of networks side by side; see :class:`brainrnn.RNN`.

    Examples
    --------
    >>> net = Transformer(3, 1, TransformerSpec(layers=1, width=4), members=2)
    >>> net(torch.zeros(5, 7, 3)).shape
    torch.Size([2, 5, 7, 1])
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        spec: TransformerSpec | None = None,
        *,
        distance: str | Distance | Array = "l1",
        members: int = 1,
        seed: int = 0,
        starts: Sequence[int] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.spec = spec = spec or TransformerSpec()
        sizes = {"input": n_inputs, "stream": spec.width}
        maps = {"embed": "stream input"}
        for layer in range(1, spec.layers + 1):
            heads, mlp = f"heads{layer}", f"mlp{layer}"
            sizes |= {heads: spec.width, mlp: spec.width * spec.expansion}
            maps |= {
                f"qkv{layer}": f"(3 {heads}) stream",
                f"proj{layer}": f"stream {heads}",
                f"up{layer}": f"{mlp} stream",
                f"down{layer}": f"stream {mlp}",
            }
        sizes["out"] = n_outputs
        maps["unembed"] = "out stream"
        populations = [
            Population(
                name,
                line(n, centred=spec.centred),
                blocks=spec.heads if name.startswith("heads") else 1,
            )
            for name, n in sizes.items()
        ]
        wiring: dict[str, str] = {}
        for name, pattern in maps.items():
            wiring |= {f"{name}.weight": pattern, f"{name}.bias": pattern.rpartition(" ")[0]}
        self.anatomy = Anatomy(populations, wiring, distance=distance, members=members)

        streams = member_streams(members, seed, starts)
        for name in maps:
            out, source = self.anatomy.wiring[f"{name}.weight"]
            n, fan_in = (axis.folds * sizes[str(axis.population)] for axis in (out, source))
            self.add_module(name, Linear.drawn(fan_in, n, streams, dtype))
        self.anatomy.bind(self.named_parameters())

    def forward(self, inputs: Tensor) -> Float[Tensor, "member example position output"]:
        """Outputs at every position.

        Parameters
        ----------
        inputs : (example, position, input)
            The same for all members. Outputs do not depend on later positions.

        Raises
        ------
        InputError
            If the inputs are not sequences of such vectors.
        """
        return self.layers(inputs)["out"]

    def respond(
        self, batch: Examples, *, generator: torch.Generator | None = None
    ) -> Float[Tensor, "member example position output"]:
        """Outputs for a batch of examples."""
        return self(batch.inputs)

    def layers(self, inputs: Tensor) -> dict[str, Float[Tensor, "member example position _"]]:
        """What every population does, moment by moment.

        The stream appears once for every moment, as in :func:`brainrnn.analysis.stages`:
        ``stream0`` after the embedding, ``stream1`` after the first attention, ``stream2`` after
        the first MLP, and so on. Of heads it is the sum of the attended values.

        Returns
        -------
        dict of population to (member, example, position, neuron)

        Raises
        ------
        InputError
            If the inputs are not sequences of such vectors.
        """
        n = len(self.anatomy.populations["input"])
        if inputs.ndim != 3 or inputs.shape[2] != n:
            raise InputError(
                f"the network takes sequences of vectors of length {n}, (example, position, {n}), "
                f"got the shape {tuple(inputs.shape)}"
            )
        state = inputs.to(self._map("embed").weight).expand(self.members, *inputs.shape)
        states = {"input": state}

        def through(name: str, state: Tensor) -> Tensor:
            return self._map(name)(state.flatten(1, 2)).unflatten(1, state.shape[1:3])

        stream = states["stream0"] = through("embed", state)
        for layer in range(1, self.spec.layers + 1):
            heads = states[f"heads{layer}"] = self._attend(through(f"qkv{layer}", stream))
            stream = states[f"stream{2 * layer - 1}"] = stream + through(f"proj{layer}", heads)
            hidden = functional.gelu(through(f"up{layer}", stream), approximate="tanh")
            states[f"mlp{layer}"] = hidden
            stream = states[f"stream{2 * layer}"] = stream + through(f"down{layer}", hidden)
        states["out"] = through("unembed", stream)
        return states

    def _map(self, name: str) -> Linear:
        return cast(Linear, self.get_submodule(name))

    def _attend(
        self, qkv: Float[Tensor, "member example position folds"]
    ) -> Float[Tensor, "member example position width"]:
        """Causal attention of every head; qkv holds 3 width numbers at every position."""
        heads = self.spec.heads
        # (member, example, head, position, neuron of the head)
        query, key, value = (
            part.unflatten(3, (heads, -1)).transpose(2, 3) for part in qkv.chunk(3, 3)
        )
        scores = query @ key.mT / math.sqrt(query.shape[-1])
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        attention = scores.masked_fill(later, -math.inf).softmax(-1)
        return (attention @ value).transpose(2, 3).flatten(3)


class TransformerNetwork(TransformerSpec, MembersSpec):
    """A transformer, every population on a line.

    Examples
    --------
    >>> TransformerNetwork(layers=1).kind
    'transformer'
    """

    tasks: ClassVar[str] = "are sequences of vectors"

    kind: Literal["transformer"] = Field("transformer", description="a causal transformer")

    @classmethod
    def fits(cls, task: Task) -> bool:
        """Whether the task is one of sequences of vectors."""
        tokens, positions = getattr(task, "tokens", False), getattr(task, "positions", None)
        return not isinstance(task, Suite) and not tokens and positions is not None

    def weights(self, task: Task) -> int:
        """Number of weights and biases of one network."""
        w, mlp = self.width, self.width * self.expansion
        layer = 4 * w * (w + 1) + mlp * (w + 1) + w * (mlp + 1)
        return w * (task.n_inputs + 1) + self.layers * layer + task.n_outputs * (w + 1)

    def build(self, task: Task, *, seed: int) -> Transformer:
        """Build the untrained network for a task of sequences."""
        spec = self.part(TransformerSpec)
        return Transformer(task.n_inputs, task.n_outputs, spec, **self.side_by_side(seed))
