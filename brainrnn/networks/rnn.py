"""A recurrent network whose hidden neurons sit on sites in space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import Field, field_validator, model_validator
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from brainrnn.anatomy.geometry import DISTANCES, GEOMETRIES, Array, Distance, as_sites, periodic
from brainrnn.anatomy.growth import GrowthSpec
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.anatomy.populations import Anatomy, Population
from brainrnn.arrays import is_data, read_array
from brainrnn.config import Count, NonNegative, Positive, Settings
from brainrnn.errors import InputError, unknown
from brainrnn.networks.growing import first_partners
from brainrnn.networks.linear import member_streams
from brainrnn.networks.members import MembersSpec
from brainrnn.networks.places import distance_of, sites_of, stored_distance, stored_sites
from brainrnn.networks.recurrence import Activation, gru_recurrence, leaky_network
from brainrnn.networks.sparse import Wires, sparse_gru_recurrence, sparse_leaky_recurrence, wires
from brainrnn.task import Suite, Task, Trials

Cell = Literal["leaky", "gru"]
Initialisation = Literal["near_identity", "orthogonal", "normal"]


class RNNSpec(Settings):
    """Everything about a recurrent network but its size and its places.

    Examples
    --------
    >>> RNNSpec(cell="gru").initialisation
    'near_identity'
    """

    cell: Cell = Field("leaky", description="leaky: rate units; gru: gated recurrent units")
    activation: Activation = Field("relu", description="of leaky units: relu, softplus or tanh")
    tau: Positive = Field(
        100.0, description="time constant of leaky units, ms; alpha = dt / tau, 1 is vanilla"
    )
    noise: NonNegative = Field(
        0.0, description="sd of the private noise of each unit during training"
    )
    initialisation: Initialisation = Field(
        "near_identity",
        description="of recurrent weights (of each gate): near_identity (self_weight I + normal), "
        "normal (sd gain / sqrt n) or orthogonal",
    )
    self_weight: float = Field(0.9, ge=-1e9, le=1e9, description="diagonal of near_identity")
    gain: NonNegative = Field(
        0.4, description="spectral radius of the normal part of near_identity and normal"
    )
    connections: Literal["dense", "sparse"] = Field(
        "dense",
        description="recurrent ones. dense: a matrix; sparse: a bounded number into each neuron, "
        "which are given up and grown anew",
    )
    growth: GrowthSpec = GrowthSpec()


class RNN(PlacedNetwork):
    """Recurrent networks side by side, their hidden neurons on the same sites.

    Leaky units follow, with alpha = dt / tau,

        h_t = (1 - alpha) h_{t-1} + alpha f(W_rec h_{t-1} + W_in x_t + b + noise),
        noise = sqrt(2 / alpha) sigma N(0, 1)

    (Yang et al. 2019, Methods); alpha = 1 is a vanilla network. The readout is linear.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Channels of the input, and outputs.
    sites : (site, dimension) array
        One hidden neuron on each.
    dt : float
        Duration of a step, ms.
    spec : RNNSpec
        Alternatively its fields as keywords: ``tau=50, activation="softplus"``.
    distance : str, function or (site, site) array
        Between hidden sites; see :class:`brainrnn.Anatomy`.
    members : int
        Number of networks.
    seed : int
        Member m draws its initial weights from (seed, starts[m]).
    starts : sequence of int, optional
        Members with the same number start alike; each from its own weights by default.
    dtype : torch.dtype
        Of the arithmetic.

    Attributes
    ----------
    w_in : (member, hidden, input)
    w_rec : (member, hidden, source)
        With sparse connections (member, hidden, partner): a weight for each of
        ``anatomy.partners("w_rec")``.
    b_rec : (member, hidden)
    w_out : (member, output, hidden)
    b_out : (member, output)
        For gated units the hidden axis of w_in, w_rec and b_rec is three times as long.

    Raises
    ------
    InputError
        If alpha is not in (0, 1], a size is not positive, or sparse connections are to be more
        than there are neurons, or orthogonal.

    Examples
    --------
    >>> net = RNN(3, 2, GEOMETRIES["grid"](4, 4), dt=20, tau=100, members=5)
    >>> net(torch.zeros(10, 7, 3)).shape  # ten steps of seven trials
    torch.Size([5, 10, 7, 2])
    """

    w_in: nn.Parameter
    w_rec: nn.Parameter
    b_rec: nn.Parameter
    w_out: nn.Parameter
    b_out: nn.Parameter

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        sites: Array,
        *,
        dt: float,
        spec: RNNSpec | None = None,
        distance: str | Distance | Array = "l2",
        members: int = 1,
        seed: int = 0,
        starts: Sequence[int] | None = None,
        dtype: torch.dtype = torch.float32,
        **fields: object,
    ) -> None:
        super().__init__()
        if spec is not None and fields:
            raise InputError("pass an RNNSpec or its fields as keywords, not both")
        for name in fields:
            if name not in RNNSpec.model_fields:
                raise InputError(unknown("argument of RNN", name, RNNSpec.model_fields))
        self.spec = spec = spec or RNNSpec(**fields)
        self.dt = dt
        if n_inputs < 1 or n_outputs < 1:
            raise InputError(f"a network needs inputs and outputs, got {n_inputs} and {n_outputs}")
        if not 0 < dt <= (spec.tau if spec.cell == "leaky" else math.inf):
            raise InputError(
                f"dt must be positive and at most tau (alpha = dt / tau <= 1), got dt = {dt} ms "
                f"and tau = {spec.tau} ms"
            )
        hidden = Population("hidden", as_sites(sites))
        gates = "(3 hidden)" if spec.cell == "gru" else "hidden"
        wiring = {
            "w_in": f"{gates} _",
            "w_rec": f"{gates} hidden",
            "b_rec": gates,
            "w_out": "_ hidden",
            "b_out": "_",
        }
        streams = list(member_streams(members, seed, starts))
        sparse = spec.connections == "sparse"
        partners = self._partners(hidden, distance, streams) if sparse else None
        self.anatomy = Anatomy(
            [hidden],
            wiring,
            distance=distance,
            members=members,
            partners=None if partners is None else {"w_rec": partners},
        )
        self._wires: tuple[object, Wires] | None = None
        initial = [_initial_weights(spec, n_inputs, n_outputs, len(hidden), rng) for rng in streams]
        for name in wiring:
            value = torch.stack([weights[name] for weights in initial]).to(dtype)
            self.register_parameter(name, nn.Parameter(value))
        self.anatomy.bind(self.named_parameters())

    def _partners(
        self,
        hidden: Population,
        distance: str | Distance | Array,
        streams: Sequence[np.random.Generator],
    ) -> Int[Tensor, "member out partner"]:
        spec, gates = self.spec, 3 if self.spec.cell == "gru" else 1
        if spec.initialisation == "orthogonal":
            raise InputError(
                "sparse connections cannot be orthogonal: choose another initialisation"
            )
        return first_partners(spec.growth, gates, hidden, distance, streams)

    @classmethod
    def for_suite(cls, suite: Suite, *, sites: Array, **options: object) -> RNN:
        """Build a network with the inputs, outputs and time step of a suite of tasks.

        Parameters
        ----------
        suite : Suite
            For example ``tasks.cog20()``.
        sites : (site, dimension) array
            One hidden neuron on each.
        **options
            As of the class.
        """
        return cls(suite.n_inputs, suite.n_outputs, sites, dt=suite.dt, **options)  # type: ignore[arg-type]

    @property
    def n_hidden(self) -> int:
        """Number of hidden neurons."""
        return len(self.anatomy.populations["hidden"])

    @property
    def alpha(self) -> float:
        """Share of a leaky unit that is renewed in a step, dt / tau."""
        return self.dt / self.spec.tau

    def forward(
        self,
        inputs: Float[Tensor, "time trial channel"],
        lengths: Int[Tensor, " trial"] | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "member time trial output"]:
        """Outputs at every step, zero after a trial's end.

        Parameters
        ----------
        inputs : (time, trial, channel)
            The same for all members.
        lengths : (trial,) int64
            Steps of each trial; all of them if not given.
        generator : torch.Generator
            Source of the private noise, the same for all members; no noise without one.

        Raises
        ------
        InputError
            If the inputs have another number of channels.
        """
        packed, outputs, _ = self._run(inputs, lengths, generator)
        return _unpack(outputs, packed)

    def respond(
        self, batch: Trials, *, generator: torch.Generator | None = None
    ) -> Float[Tensor, "member time trial output"]:
        """Outputs for a batch of trials."""
        return self(batch.inputs, batch.lengths, generator=generator)

    def activity(
        self,
        inputs: Float[Tensor, "time trial channel"],
        lengths: Int[Tensor, " trial"] | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "member time trial output"], Float[Tensor, "member time trial unit"]]:
        """Outputs, and the states of the hidden neurons; parameters as of :meth:`forward`."""
        packed, outputs, states = self._run(inputs, lengths, generator)
        return _unpack(outputs, packed), _unpack(states, packed)

    def _run(
        self, inputs: Tensor, lengths: Tensor | None, generator: torch.Generator | None
    ) -> tuple[PackedSequence, Tensor, Tensor]:
        """Outputs and states of every packed row."""
        if inputs.shape[2] != self.w_in.shape[2]:
            raise InputError(
                f"the network has {self.w_in.shape[2]} inputs, got {inputs.shape[2]}: use the "
                "suite of tasks that it was made for"
            )
        if lengths is None:
            lengths = torch.full((inputs.shape[1],), inputs.shape[0])
        packed = pack_padded_sequence(inputs.to(self.w_in), lengths.cpu(), enforce_sorted=False)
        sizes = packed.batch_sizes.tolist()
        noise = None
        if generator is not None and self.spec.noise:
            sd = self.spec.noise * math.sqrt(2 / (self.alpha if self.spec.cell == "leaky" else 1))
            # One draw for all members, so that none depends on how many others there are.
            noise = sd * torch.randn(
                (len(packed.data), self.w_in.shape[1]),
                generator=generator,
                dtype=self.w_in.dtype,
                device=self.w_in.device,
            )
        if self.spec.connections == "sparse":
            return packed, *self._run_sparse(packed, noise)
        if self.spec.cell == "leaky":
            outputs, states = leaky_network(
                packed.data,
                noise,
                self.w_in,
                self.w_rec,
                self.b_rec,
                self.w_out,
                self.b_out,
                alpha=self.alpha,
                activation=self.spec.activation,
                sizes=sizes,
            )
            return packed, outputs, states
        drive = torch.matmul(packed.data, self.w_in.mT)
        drive = drive if noise is None else drive + noise
        states = gru_recurrence(drive, self.w_rec, self.b_rec, sizes=sizes)
        return packed, torch.baddbmm(self.b_out[:, None], states, self.w_out.mT), states

    def _run_sparse(self, packed: PackedSequence, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        """Outputs and states of every packed row."""
        sizes, wiring = packed.batch_sizes.tolist(), self.wires()
        drive = torch.matmul(self.w_in, packed.data.mT)
        drive = drive if noise is None else drive + noise.mT
        if self.spec.cell == "leaky":
            states = sparse_leaky_recurrence(
                drive + self.b_rec[..., None],
                self.w_rec,
                wiring,
                alpha=self.alpha,
                activation=self.spec.activation,
                sizes=sizes,
            )
        else:
            states = sparse_gru_recurrence(drive, self.w_rec, self.b_rec, wiring, sizes=sizes)
        states = states.mT
        return torch.baddbmm(self.b_out[:, None], states, self.w_out.mT), states

    def wires(self) -> Wires:
        """Which neuron hears which, of sparse connections."""
        partners = self.anatomy.partners("w_rec")
        assert partners is not None
        now = (partners.data_ptr(), partners._version, partners.device)
        if self._wires is None or self._wires[0] != now:
            self._wires = now, wires(partners, self.n_hidden)
        return self._wires[1]

    @property
    def regrows_every(self) -> int | None:
        """Steps after which sparse connections are grown anew; None where there are none to grow.

        With as many partners as neurons nobody is left to be offered.
        """
        spec = self.spec
        grows = spec.connections == "sparse" and spec.growth.partners < self.n_hidden
        return spec.growth.every if grows else None


def _unpack(
    rows: Float[Tensor, "member row unit"], packed: PackedSequence
) -> Float[Tensor, "member time trial unit"]:
    """Lay packed rows out in time."""
    sizes = packed.batch_sizes
    n = int(sizes[0])
    time = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
    rank = torch.arange(int(sizes.sum())) - (sizes.cumsum(0) - sizes)[time]
    trial = rank.to(rows.device) if packed.sorted_indices is None else packed.sorted_indices[rank]
    index = time.to(rows.device) * n + trial
    padded = rows.new_zeros(rows.shape[0], len(sizes) * n, rows.shape[2])
    return padded.index_copy(1, index, rows).view(rows.shape[0], len(sizes), n, rows.shape[2])


def _initial_weights(
    spec: RNNSpec, n_inputs: int, n_outputs: int, n: int, rng: np.random.Generator
) -> dict[str, Tensor]:
    """Weights of one member, from its own generator so that they do not depend on the others."""
    gates = 3 if spec.cell == "gru" else 1

    def recurrent() -> np.ndarray:
        if spec.connections == "sparse":
            k = spec.growth.partners
            weights = rng.standard_normal((n, k)) * (spec.gain / math.sqrt(k))
            weights[:, 0] += spec.self_weight * (spec.initialisation == "near_identity")
            return weights
        random = rng.standard_normal((n, n))
        if spec.initialisation == "orthogonal":
            q, r = np.linalg.qr(random)
            return q * np.sign(np.diagonal(r))
        weights = random * (spec.gain / math.sqrt(n))
        return weights + spec.self_weight * np.eye(n) * (spec.initialisation == "near_identity")

    values = {
        "w_in": rng.standard_normal((gates * n, n_inputs)) / math.sqrt(n_inputs),
        "w_rec": np.concatenate([recurrent() for _ in range(gates)]),
        "b_rec": np.zeros(gates * n),
        "w_out": rng.standard_normal((n_outputs, n)) / math.sqrt(n),
        "b_out": np.zeros(n_outputs),
    }
    return {name: torch.from_numpy(value) for name, value in values.items()}


class RNNNetwork(RNNSpec, MembersSpec):
    """A recurrent network and where its hidden neurons sit.

    Examples
    --------
    >>> RNNNetwork(geometry="ring", shape=[100]).distance
    'l2'
    """

    tasks: ClassVar[str] = "unfold in time"

    kind: Literal["rnn"] = Field("rnn", description="a recurrent network")
    shape: tuple[Count, ...] = Field(
        (20, 20), min_length=1, max_length=3, description="neurons along each side of the geometry"
    )
    geometry: str = Field(
        "grid",
        description="arrangement of the hidden sites, about one unit wide: grid, line, ring, "
        "sphere; or your own, a .csv or .npy file with a row of coordinates for each site, or "
        "module:function, which may take the numbers of shape",
    )
    distance: str = Field(
        "l2",
        description="distance between hidden sites: l1, l2, periodic (wraps the grid to a torus) "
        "or great_circle; or your own, a .csv or .npy file of a matrix, or module:function of two "
        "arrays of sites",
    )

    @field_validator("geometry")
    @classmethod
    def _own_geometry(cls, value: str, known: Any) -> str:
        shape = known.data.get("shape")
        if shape is None:  # which is wrong, and is said first
            return value
        if value in GEOMETRIES and value != "grid" and len(shape) != 1:
            raise ValueError(f"shape of a {value} is one number, such as [400]")
        if is_data(value) and (n := len(read_array(value))) != math.prod(shape):
            raise ValueError(f"has {n} sites of its own, which shape {list(shape)} cannot change")
        return stored_sites(value, shape, list(GEOMETRIES))

    @field_validator("distance")
    @classmethod
    def _own_distance(cls, value: str, known: Any) -> str:
        if value in DISTANCES or not known.data.keys() >= {"shape", "geometry"}:
            return value
        sites = sites_of(known.data["geometry"], known.data["shape"])
        return stored_distance(value, sites)

    @model_validator(mode="after")
    def _own_shape(self) -> RNNNetwork:
        """Sites of the user's own are as many as they are."""
        if is_data(self.geometry):
            object.__setattr__(self, "shape", (len(read_array(self.geometry)),))
        return self

    @classmethod
    def fits(cls, task: Task) -> bool:
        """Whether the tasks unfold in time."""
        return isinstance(task, Suite)

    def weights(self, task: Task) -> int:
        """Number of weights and biases of one network."""
        n, gates = math.prod(self.shape), 3 if self.cell == "gru" else 1
        heard = n if self.connections == "dense" else self.growth.partners
        return gates * n * (task.n_inputs + heard + 1) + task.n_outputs * (n + 1)

    def build(self, task: Task, *, seed: int) -> RNN:
        """Build the untrained network for a suite of tasks.

        Raises
        ------
        InputError
            If sizes or settings do not fit together.
        """
        assert isinstance(task, Suite)
        sites, distance = sites_of(self.geometry, self.shape), distance_of(self.distance)
        if self.distance == "periodic":
            distance = periodic([n / max(self.shape) for n in self.shape])
        spec = self.part(RNNSpec)
        net = RNN.for_suite(
            task, sites=sites, spec=spec, distance=distance, **self.side_by_side(seed)
        )
        if math.prod(self.shape) > 1:
            net.anatomy.length("w_rec")  # a distance that does not fit fails
        return net
