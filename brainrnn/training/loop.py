"""The training loop: one step at a time, for all members of a network together."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int, UInt8
from pydantic import Field
from torch import Tensor

from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.anatomy.placed import per_member
from brainrnn.config import Count, NonNegative, Settings
from brainrnn.errors import DivergedError, InputError, unknown
from brainrnn.memory import require_memory
from brainrnn.networks.growing import offering, regrow
from brainrnn.networks.rnn import RNN
from brainrnn.progress import progress_bar
from brainrnn.streams import Stream, generator
from brainrnn.task import Examples, Suite, Task, Trials
from brainrnn.threads import in_pieces, one_thread, share
from brainrnn.training.flat import FlatParameters, shared
from brainrnn.training.pace import Pace
from brainrnn.training.trials import require_trials
from brainrnn.wiring_cost.cost import connection_cost, cost_coefficients
from brainrnn.wiring_cost.method import BIMT
from brainrnn.wiring_cost.proximal import soft_threshold, step_threshold
from brainrnn.wiring_cost.strength import count_live
from brainrnn.wiring_cost.swap import relocate, sites_to_look_at

_SMALL = 2e7  # multiplications in the forward pass of a step
_CACHE = 4_000_000  # bytes of what members compute together
_AT_ONCE = 100_000  # examples times members that a network answers at once in an evaluation


class TrainingSpec(Settings):
    """How long and how fast to train, and how often to look.

    Examples
    --------
    >>> spec = TrainingSpec(steps=1000, decay="linear", decay_over=0.5)
    >>> spec.rate(0), spec.rate(750)
    (0.001, 0.0005)
    """

    steps: Count = Field(3000, description="training steps")
    batch: Count | Literal["all"] = Field(
        128, description="trials per step; all: every example, where they are fixed"
    )
    learning_rate: float = Field(1e-3, gt=0, le=1e38, description="of Adam")
    decay: Literal["none", "linear", "cosine"] = Field(
        "linear", description="how the learning rate falls to 0 at the end"
    )
    decay_over: float = Field(
        0.3, gt=0, le=1, description="last fraction of training over which the rate falls"
    )
    clip: NonNegative = Field(
        1.0, description="largest norm of each member's loss gradient; 0: no clipping"
    )
    log_every: Count = Field(10, description="steps between two rows of metrics")
    evaluate_every: Count = Field(250, description="steps between two evaluations")
    evaluation_trials: Count = Field(20, description="held-out trials per task")
    checkpoint_every: Count = Field(500, description="steps between two checkpoints of a run")
    snapshot_every: Count | None = Field(
        None,
        description="steps between two snapshots of a run's network, for animations; unset: none",
    )

    def rate(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        start = self.steps * (1 - self.decay_over)
        if self.decay == "none" or step < start:
            return self.learning_rate
        left = (self.steps - step) / (self.steps - start)
        return self.learning_rate * (
            left if self.decay == "linear" else math.sin(left * math.pi / 2) ** 2
        )


@dataclass(frozen=True)
class Record:
    """What one step of training did.

    Attributes
    ----------
    step : int
        Steps done so far.
    loss : (member,) tensor
        Prediction loss of the batch, before the step.
    moves : (member,) tensor
        Neurons that changed place.
    metrics : list of dict
        One row per member every ``log_every`` steps and at evaluations, else empty: step, member,
        loss, cost (connection cost without lambda), strength (lambda in this step), live
        (neurons with connections), moves (since the last row), test_loss and accuracy (both
        held-out, NaN but at evaluations).

    Examples
    --------
    >>> record = Record(7, loss=torch.ones(2), moves=torch.tensor([0, 3]), metrics=[])
    >>> int(record.moves.sum())
    3
    """

    step: int
    loss: Float[Tensor, " member"]
    moves: Int[Tensor, " member"]
    metrics: list[dict[str, float]]


class Trainer:
    """A network in training: everything that a step changes, and nothing else.

    All members see the same trials and the same private noise; they differ in their initial
    weights and in what ``method`` gives one value per member. Gradients are clipped member by
    member, so that each member trains as it would alone.

    Parameters
    ----------
    net : PlacedNetwork
    task : Task
    method : BIMT
    spec : TrainingSpec
    seed : int
        Of the trials, the held-out trials and the private noise.
    free : mapping of str to bool tensor, optional
        Which entries of which parameters may change, broadcast to their shapes; all if not given.
        Every other entry, and every parameter that is not named, keeps its value to the last bit:
        it takes part in no gradient, no clipping and no penalty. Neurons still change places.

    Raises
    ------
    InputError
        If the method or ``free`` does not fit the network, or the specification the task.

    Examples
    --------
    >>> import brainrnn as br
    >>> from tasks import cog20
    >>> suite = cog20(names=["go"])
    >>> net = br.RNN.for_suite(suite, sites=br.grid(4, 4))
    >>> trainer = Trainer(net, suite, br.BIMT(), TrainingSpec(steps=3, batch=8))
    >>> [record.step for record in trainer.records()]
    [1, 2, 3]
    """

    def __init__(
        self,
        net: PlacedNetwork,
        task: Task,
        method: BIMT,
        spec: TrainingSpec,
        *,
        seed: int = 0,
        free: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.net, self.task, self.method, self.spec, self.seed = net, task, method, spec, seed
        self.device = next(net.parameters()).device
        self.step = 0
        self._moves = torch.zeros(net.members, dtype=torch.int64, device=self.device)
        self._trials = generator(seed, Stream.TRIALS)
        self._noise = torch.Generator(self.device).manual_seed(seed)
        # Settings that do not fit fail here, not in the middle of training.
        if spec.batch == "all" and isinstance(task, Suite):
            raise InputError(
                "training.batch must be a number, not all: these trials are drawn without end"
            )
        self._require_memory()
        rng = generator(seed, Stream.HELD_OUT_TRIALS)
        self.held_out = task.held_out(spec.evaluation_trials, rng).to(self.device)
        self._flat = FlatParameters(net)
        self._frozen = None if free is None else self._frozen_entries(free)
        self._prices = torch.empty(0)
        self._priced: tuple[object, ...] = ()  # what the prices were computed from
        self._optimizer = torch.optim.Adam([self._flat.values], lr=spec.learning_rate, fused=True)
        self._watched = self.device.type == "cpu"  # where looking at a value costs nothing
        self._pace = Pace()
        cost_coefficients(net, method)
        if method.swap.locality is not None:
            per_member(method.swap.locality, net, "swap locality")
        self._pays = bool(method.strengths(net).any())
        self._small, self._parts = self._plan()
        self._grows = net.regrows_every if isinstance(net, RNN) and free is None else None

    def _require_memory(self) -> None:
        """Refuse what would not fit into memory, before any of it is drawn or computed."""
        parameters = list(self.net.parameters())
        if isinstance(self.task, Suite):
            assert isinstance(self.spec.batch, int)  # which was looked at before
            units = self.net.members * max(value.shape[1] for value in parameters)
            of_unit = 2 * parameters[0].itemsize  # its state, and the gradient of that
            tested = self.spec.evaluation_trials * len(self.task.names)
            for key, trials in (("batch", self.spec.batch), ("evaluation_trials", tested)):
                require_trials(self.task, trials, of_unit * units, f"training.{key}")
        if self.method.swap.algorithm != "none":
            everywhere = [
                len(p)
                for name, p in self.net.anatomy.populations.items()
                if p.movable and sites_to_look_at(self.net, self.method.swap, name) is None
            ]
            most = max(everywhere, default=0)
            require_memory(
                2 * 8 * self.net.members * most**2,
                f"swaps in a population of {most:,} neurons",
                "use fewer neurons, or set method.swap.algorithm=none",
            )

    def records(self) -> Generator[Record, None, None]:
        """Train to the last step, yielding a record after each.

        Raises
        ------
        DivergedError
            If a member's loss is NaN or infinite, before the step is taken; or if a weight is
            after it. On a GPU, whose work is not waited for, weights are looked at only when
            metrics are due, before neurons move, and before anything is saved.

        Warns
        -----
        SlowTraining
            Once, if other programs want the processors on which the threads of a step meet.
        """
        self._flat.attach(self.net)
        with _flushed_denormals(), one_thread(self._small), in_pieces(len(self._parts) > 1):
            while self.step < self.spec.steps:
                progress = self.step / self.spec.steps
                with self._pace.step() if self._watched else nullcontext():
                    loss = self._descend(progress)
                self.step += 1
                swap = self._due(self.method.swap.every) and self.method.factor(progress) > 0
                if self._watched or swap or self._due(self.spec.log_every):
                    self._require_finite_weights()
                moves = torch.zeros_like(self._moves)
                if swap:
                    moves = relocate(self.net, self.method, self.method.swap)
                    self._moves += moves
                if self._grows and self.step % self._grows == 0 and self.step < self.spec.steps:
                    assert isinstance(self.net, RNN)
                    self._regrow(self.net)
                yield Record(self.step, loss, moves, self._metrics(loss, progress))

    def _regrow(self, net: RNN) -> None:
        """Grow other connections, and start the optimizer's numbers of each anew.

        Its steps are scaled as those of its neuron's other connections.
        """
        rng = generator(self.seed, Stream.GROWTH, self.step)
        growth = net.spec.growth
        larger = offering(net, growth, rng)
        batch = self.task.sample(self._batch, rng).to(self.device)
        assert isinstance(batch, Trials)  # those of recurrent networks
        outputs = larger.respond(batch)
        (gradient,) = torch.autograd.grad(self.task.loss(outputs, batch).sum(), larger.w_rec)
        fresh = regrow(net, larger, growth, gradient, progress=self.step / self.spec.steps)
        moments = self._optimizer.state[self._flat.values]
        first, second = (self._flat.split(moments[k]) for k in ("exp_avg", "exp_avg_sq"))
        for name, new in fresh.items():
            first[name].masked_fill_(new, 0.0)
            known = (~new).to(second[name].dtype)
            mean = (second[name] * known).sum(-1, True) / known.sum(-1, True).clamp(min=1)
            second[name].copy_(torch.where(new, mean, second[name]))

    def _plan(self) -> tuple[bool, list[tuple[slice, PlacedNetwork]]]:
        """Whether a step is small work, and which members to compute together.

        What a few members compute stays in the processor's cache; of all of them it would not.
        """
        batch = self.task.sample(self._batch, np.random.default_rng(0))
        vectors = isinstance(batch, Examples) and batch.inputs.is_floating_point()
        rows = batch.inputs[..., 0].numel() if vectors else len(batch)
        if isinstance(batch, Trials):
            rows = int(batch.lengths.sum())
        parameters = list(self.net.parameters())
        entries = sum(value.numel() for value in parameters)
        states = rows * sum(value.shape[1] for value in parameters) * parameters[0].itemsize
        together = max(1, _CACHE // states) if self.device.type == "cpu" else self.net.members
        if together >= self.net.members:
            return rows * entries < _SMALL, [(slice(None), self.net)]
        starts = range(0, self.net.members, together)
        parts = [slice(m, m + together) for m in starts]
        return rows * entries < _SMALL, [(part, shared(self.net, part)) for part in parts]

    @property
    def _batch(self) -> int | None:
        return None if self.spec.batch == "all" else self.spec.batch

    def _due(self, every: int) -> bool:
        return self.step % every == 0 or self.step == self.spec.steps

    def _frozen_entries(self, free: Mapping[str, Tensor]) -> Bool[Tensor, "member entry"]:
        """Which entries of the flat buffer keep their values."""
        parameters = dict(self.net.named_parameters())
        for name, mask in free.items():
            if name not in parameters:
                raise InputError(unknown("parameter in free", name, parameters))
            shape = tuple(parameters[name].shape)
            try:
                fits = torch.broadcast_shapes(mask.shape, shape) == shape
            except RuntimeError:
                fits = False
            if not fits or mask.dtype != torch.bool:
                raise InputError(
                    f"free of {name!r} must be bool and broadcast to {shape}, got {mask.dtype} "
                    f"{tuple(mask.shape)}"
                )
        return self._flat.join(free) == 0

    def _price(self, progress: float) -> tuple[Float[Tensor, "member entry"], float]:
        """Lambda times the cost of a unit of |w|, and the factor on it now."""
        # All but the factor changes seldom.
        now = (self.method.pays_biases(progress), self.net.anatomy.version)
        if now != self._priced:
            strength, self._priced = per_member(self.method.strength, self.net, "strength"), now
            costs = cost_coefficients(self.net, self.method, progress)
            self._prices = self._flat.join(costs) * strength[:, None]
        return self._prices, self.method.factor(progress)

    def _descend(self, progress: float) -> Float[Tensor, " member"]:
        """One step of Adam on prediction loss and connection cost; the prediction loss."""
        batch = self.task.sample(self._batch, self._trials).to(self.device)
        loss = self._differentiate(batch)
        if self._watched:
            self._require_finite(loss, "loss", self.step + 1)
        values, gradient = self._flat.values.data, self._flat.gradient
        if self._frozen is not None:
            gradient.masked_fill_(self._frozen, 0.0)
            before = values.clone()
        if self.spec.clip:
            norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
            gradient *= (self.spec.clip / (norm + 1e-6)).clamp_(max=1.0)
        self._optimizer.param_groups[0]["lr"] = self.spec.rate(self.step)
        price, factor = self._price(progress) if self._pays else (gradient, 0.0)
        if factor and self.method.form == "subgradient":
            gradient.addcmul_(price, values.sign(), value=factor)
        self._optimizer.step()
        if factor and self.method.form == "proximal":
            weights = self._flat.values
            threshold = step_threshold(
                self._optimizer, weights, price, factor=factor, step=self.step + 1
            )
            soft_threshold(values, threshold)
        if self._frozen is not None:  # put back, whatever penalty and flushed denormals did
            torch.where(self._frozen, before, values, out=values)
        return loss

    def _differentiate(self, batch: Any) -> Float[Tensor, " member"]:
        """Prediction loss of every member, and its gradient in the flat buffer."""
        # All members see the same noise: the first part draws it, the others draw it again.
        sources = [self._noise, *(self._same_noise() for _ in self._parts[1:])]

        def work(piece: tuple[tuple[slice, PlacedNetwork], torch.Generator]) -> Tensor:
            (members, net), noise = piece
            outputs, pullback = net.pullback(batch, generator=noise)
            loss = self.task.loss(outputs.requires_grad_(), batch)
            (gradient,) = torch.autograd.grad(loss.sum(), outputs)
            self._flat.gather(pullback(gradient), members)
            return loss.detach()

        return torch.cat(share(work, list(zip(self._parts, sources, strict=True))))

    def _same_noise(self) -> torch.Generator:
        copy = torch.Generator(self.device)
        return copy.set_state(self._noise.get_state())

    def _require_finite_weights(self) -> None:
        self._require_finite(self._flat.values.detach().sum(1), "sum of the weights", self.step)

    def _require_finite(self, values: Float[Tensor, " member"], what: str, step: int) -> None:
        """Raise ``DivergedError`` if a member's value is NaN or infinite."""
        for member, value in enumerate(values.tolist()):
            if not math.isfinite(value):
                raise DivergedError(
                    f"the {what} of member {member} is not finite at step {step}: lower "
                    "training.learning_rate, set training.clip, or start from smaller weights"
                )

    @torch.no_grad()
    def _metrics(self, loss: Float[Tensor, " member"], progress: float) -> list[dict[str, float]]:
        evaluate = self._due(self.spec.evaluate_every)
        if not (evaluate or self._due(self.spec.log_every)):
            return []
        nothing = torch.full((self.net.members,), torch.nan)
        test_loss, score = self.evaluate() if evaluate else (nothing, nothing[:, None])
        columns = {
            "loss": loss,
            "test_loss": test_loss,
            "cost": connection_cost(self.net, self.method, progress),
            "strength": self.method.strengths(self.net, progress),
            "live": count_live(self.net),
            "moves": self._moves,
            "accuracy": score.mean(1),
        }
        self._moves = torch.zeros_like(self._moves)
        values = {name: column.tolist() for name, column in columns.items()}
        return [
            {"step": self.step, "member": m} | {name: value[m] for name, value in values.items()}
            for m in range(self.net.members)
        ]

    @torch.no_grad()
    def evaluate(self) -> tuple[Float[Tensor, " member"], Float[Tensor, "member task"]]:
        """Loss and mean score of every task on the held-out trials.

        Raises
        ------
        DivergedError
            If a member's loss is NaN or infinite.
        """
        outputs = answer(self.net, self.held_out)
        loss = self.task.loss(outputs, self.held_out)
        self._require_finite(loss, "loss on held-out trials", self.step)
        score = self.task.score(outputs, self.held_out)
        score = score.view(self.net.members, len(self.task.names), -1).mean(2)
        return loss, score

    def state_dict(self) -> dict[str, Any]:
        """Everything that an exact continuation needs.

        Raises
        ------
        DivergedError
            If a weight is NaN or infinite.
        """
        self._require_finite_weights()
        return {
            "step": self.step,
            "network": self.net.state_dict(),
            "optimizer": dict(self._optimizer.state.get(self._flat.values, {})),
            "trials": self._trials.bit_generator.state,
            "noise": self._noise.get_state(),
            "moves": self._moves,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a saved state.

        Raises
        ------
        InputError
            If it belongs to another network, or holds what training cannot leave. Nothing is
            changed then.
        """
        try:
            step, network, noise = state["step"], state["network"], state["noise"]
            if type(step) is not int or not 0 <= step <= self.spec.steps:
                raise InputError(f"step {step!r} is not one of 0 to {self.spec.steps}")
            _check_alike(network, self.net.state_dict())
            for name in self.net.anatomy.populations:
                self.net.anatomy.check_places(name, network[f"anatomy.places_{name}"])
            for name in self.net.anatomy.sparse:
                self.net.anatomy.check_partners(name, network[f"anatomy.partners_{name}"])
            _check_alike({"moves": state["moves"]}, {"moves": self._moves})
            moments = self._checked_moments(state["optimizer"], step)
            trials = generator(self.seed, Stream.TRIALS).bit_generator
            stream = trials.state["state"]["inc"]
            trials.state = state["trials"]
            if trials.state != state["trials"] or trials.state["state"]["inc"] != stream:
                raise InputError("the random state of the trials is of another seed")
            self._set_noise(noise.cpu(), step)
        except InputError as error:
            raise InputError(
                f"the checkpoint does not fit the configuration: {error}; train again into a new "
                "folder"
            ) from None
        except (KeyError, RuntimeError, TypeError, ValueError, AttributeError, OverflowError):
            raise InputError(
                "the checkpoint does not fit the configuration: it is of another kind of network, "
                "or damaged; train again into a new folder"
            ) from None
        self.net.load_state_dict(network)
        groups = self._optimizer.state_dict()["param_groups"]
        states = {0: moments} if moments else {}
        self._optimizer.load_state_dict({"state": states, "param_groups": groups})
        self._trials.bit_generator.state = trials.state
        self._moves = state["moves"].to(self.device)
        self.step = step

    def _checked_moments(self, given: Mapping[str, Tensor], step: int) -> dict[str, Tensor]:
        """What Adam has kept after some steps."""
        if step == 0 and not given:
            return {}
        values = self._flat.values.detach()
        likes = {"step": torch.tensor(0.0), "exp_avg": values, "exp_avg_sq": values}
        _check_alike(given, likes)
        counted = min(step, 1 << 24)  # float32 counts no further
        if int(given["step"]) != counted or not bool((given["exp_avg_sq"] >= 0).all()):
            raise InputError(f"the optimizer's numbers are not those of {step} steps")
        # Adam takes the layout for granted.
        return {k: v.clone(memory_format=torch.contiguous_format) for k, v in given.items()}

    def _set_noise(self, state: UInt8[Tensor, " byte"], step: int) -> None:
        if len(state) == len(self._noise.get_state()):
            self._noise.set_state(state)
        else:  # of a generator on another kind of device
            rng = generator(self.seed, Stream.NOISE_ON_ANOTHER_DEVICE, step)
            self._noise.manual_seed(int(rng.integers(2**63)))


def _check_alike(given: Mapping[str, Tensor], likes: Mapping[str, Tensor]) -> None:
    """See that tensors have the names, shapes and types of others, and are finite."""
    if given.keys() != likes.keys():
        raise InputError(f"expected {', '.join(likes)}, got {', '.join(map(str, given))}")
    for name, like in likes.items():
        value = given[name]
        if (value.shape, value.dtype) != (like.shape, like.dtype):
            raise InputError(
                f"{name} should be {like.dtype} {tuple(like.shape)}, and is {value.dtype} "
                f"{tuple(value.shape)}"
            )
        if name != "exp_avg_sq" and not bool(value.isfinite().all()):  # squares may overflow
            raise InputError(f"{name} is not finite")


@torch.no_grad()
def answer(net: PlacedNetwork, batch: Trials | Examples) -> Float[Tensor, "member ..."]:
    """Outputs for a batch of any size, without noise or gradients; examples part by part.

    Parameters
    ----------
    net : PlacedNetwork
    batch : Trials or Examples

    Returns
    -------
    (member, time, trial, output) or (member, example, ..., output) tensor

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(4, 2, br.MLPSpec(hidden=(3,)), members=5)
    >>> answer(net, br.Examples(torch.rand(10, 4), torch.rand(10, 2))).shape
    torch.Size([5, 10, 2])
    """
    if isinstance(batch, Trials):
        return net.respond(batch)
    size = max(1, _AT_ONCE // net.members)
    parts = range(0, len(batch), size)
    return torch.cat([net.respond(batch.take(slice(i, i + size))) for i in parts], dim=1)


def train(
    net: PlacedNetwork,
    task: Task,
    method: BIMT | None = None,
    *,
    seed: int = 0,
    free: Mapping[str, Tensor] | None = None,
    progress: bool = True,
    callback: Callable[[Record], bool | None] | None = None,
    **training: Any,
) -> pd.DataFrame:
    """Train a network in place and return its metrics, a row per logged step and member.

    Parameters
    ----------
    net : PlacedNetwork
    task : Task
    method : BIMT
        Brain-inspired modular training with its defaults if not given.
    seed : int
    free : mapping of str to bool tensor, optional
        Which entries may change; see :class:`Trainer`.
    progress : bool
        Whether to draw a progress bar.
    callback : function (Record) -> bool or None, optional
        Called after every step; training ends there if it returns True.
    **training
        Fields of :class:`TrainingSpec`, for example ``steps=3000``.

    Returns
    -------
    DataFrame
        The rows of ``Record.metrics``, up to the last step.

    Raises
    ------
    DivergedError
        If the loss becomes NaN or infinite.

    Examples
    --------
    >>> import brainrnn as br
    >>> from tasks import cog20
    >>> suite = cog20(names=["go", "anti"])
    >>> net = br.RNN.for_suite(suite, sites=br.grid(4, 4))
    >>> spec = {"steps": 20, "evaluate_every": 10, "evaluation_trials": 2, "progress": False}
    >>> br.train(net, suite, br.BIMT(strength=1e-4), **spec).step.tolist()
    [10, 20]

    Train until half of the held-out trials are answered correctly, and count the moves:

    >>> moves = []
    >>> def look(record):
    ...     moves.append(int(record.moves.sum()))
    ...     return any(row["accuracy"] > 0.5 for row in record.metrics)
    >>> metrics = br.train(net, suite, callback=look, **spec)
    >>> len(moves) <= 20
    True
    """
    trainer = Trainer(net, task, method or BIMT(), TrainingSpec(**training), seed=seed, free=free)
    rows: list[dict[str, float]] = []
    with (
        progress_bar(trainer.spec.steps, enabled=progress) as bar,
        closing(trainer.records()) as records,
    ):
        for record in records:
            rows += record.metrics
            bar.update(record.step, record.metrics)
            if callback is not None and callback(record):
                break
    return pd.DataFrame(rows)


@contextmanager
def _flushed_denormals() -> Iterator[None]:
    """Take denormal numbers for zero: L1 makes many, and they slow arithmetic down many times."""
    before = bool(torch.tensor(1e-40) * 1 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
