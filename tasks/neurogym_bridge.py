"""Any trial-based neurogym environment as a task suite: slower than array code, but general.

Each trial is one ``new_trial()`` of the environment, whose observations and ground truth are
read off whole; its reward and what its ``step`` does to observations play no part.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from brainrnn.errors import InputError
from brainrnn.task import Trials
from tasks.arguments import check_step, check_weight, draw_tasks
from tasks.environments import (
    common_actions,
    describe,
    inner_environments,
    make_environment,
    n_observed,
    need_neurogym,
    seed_environment,
)
from tasks.supervised import choice_loss, choice_score, weighted_mean, within

if TYPE_CHECKING:
    import gymnasium as gym


class NeurogymSuite:
    """One or more neurogym environments; follows ``brainrnn.task.Suite``.

    Inputs are the observations, padded with zero channels to the largest environment's, then a
    one-hot rule if there is more than one environment. Outputs are the actions of the environment
    that has most. Make one with ``neurogym_suite``.

    Parameters
    ----------
    envs : sequence of environments
        Made of trials, with a ground truth.
    names : sequence of str
        What to call each of them.
    dt : float
        Step, ms.
    decision_weight : float
        Weight in the loss of a step of the trial's last period; all other steps weigh 1.
    tolerance : float
        For continuous actions, the largest error at the last step that counts as correct.

    Examples
    --------
    >>> neurogym_suite(names=["GoNogo-v0"]).n_outputs
    2
    """

    def __init__(
        self,
        envs: Sequence[gym.Env],
        names: Sequence[str],
        dt: float,
        decision_weight: float,
        tolerance: float,
    ) -> None:
        """Try a trial of each environment; ``neurogym_suite`` makes them."""
        self._envs = tuple(envs)
        self.names = tuple(names)
        self.dt = dt
        self.decision_weight = decision_weight
        self.tolerance = tolerance
        self.descriptions = {name: describe(env) for name, env in zip(names, envs, strict=True)}
        self.continuous, self.n_outputs = common_actions(envs, names)
        n_channels = max(n_observed(env, name) for env, name in zip(envs, names, strict=True))
        n_rules = len(envs) if len(envs) > 1 else 0
        self.n_inputs = n_channels + n_rules
        self.input_groups = {"observation": slice(0, n_channels)}
        if n_rules:
            self.input_groups["rule"] = slice(n_channels, self.n_inputs)
        # A trial of each shows whether it can be learned from ground truth.
        self.sample(len(envs), np.random.default_rng(0))

    def sample(
        self,
        n: int | None,
        rng: np.random.Generator,
        *,
        task: Sequence[int] | np.ndarray | None = None,
    ) -> Trials:
        """Draw ``n`` trials; ``task`` gives each one's task index, else a balanced random mix.

        Environments are reset and given fresh seeds from ``rng`` first, so that the same state of
        ``rng`` gives the same trials, unless an environment keeps a block of trials going through
        resets (of neurogym's own, ``HierarchicalReasoning`` does). ``period_names`` are those that
        occur in the batch, and ``conditions`` the numbers among the trial information.

        Raises
        ------
        InputError
            If ``n`` is not a positive number, ``task`` is not ``n`` task indices, or an
            environment makes a trial without ground truth, or with one not among its actions.
        """
        tasks = draw_tasks(n, len(self.names), rng, task)
        with warnings.catch_warnings():
            # neurogym's wrappers reach through each other in a way that gymnasium frowns upon.
            warnings.filterwarnings("ignore", ".*variables from other wrappers is deprecated")
            for env in self._envs:
                seed_environment(env, rng)
                env.reset()
            drawn = [self._draw(index) for index in tasks.tolist()]

        lengths = np.array([len(observed) for observed, *_ in drawn])
        inputs = np.zeros((lengths.max(), len(tasks), self.n_inputs), np.float32)
        shape = inputs.shape[:2]
        targets: np.ndarray
        if self.continuous:
            targets = np.zeros((*shape, self.n_outputs), np.float32)
        else:
            targets = np.zeros(shape, np.int64)
        for i, (observed, target, *_) in enumerate(drawn):
            inputs[: len(observed), i, : observed.shape[1]] = observed
            if self.continuous:
                targets[: len(target), i, : target.shape[1]] = target
            else:
                targets[: len(target), i] = target
        steps = torch.arange(len(inputs))[:, None]
        alive = steps < torch.from_numpy(lengths)
        if "rule" in self.input_groups:
            rule = np.eye(len(self.names), dtype=np.float32)[tasks]
            inputs[:, :, self.input_groups["rule"]] = rule * alive.numpy()[:, :, None]

        period_names, periods = _stack_periods([bounds for _, _, bounds, _ in drawn])
        trials = Trials(
            inputs=torch.from_numpy(inputs),
            targets=torch.from_numpy(targets),
            weights=alive.float(),
            lengths=torch.from_numpy(lengths),
            task=torch.from_numpy(tasks),
            period_names=period_names,
            periods=torch.from_numpy(periods),
            conditions=_stack_conditions([facts for *_, facts in drawn]),
        )
        trials.weights[within(last_period(trials), len(inputs))] = self.decision_weight
        return trials

    def held_out(self, n: int, rng: np.random.Generator) -> Trials:
        """Draw ``n`` trials of each task, task after task."""
        task = np.repeat(np.arange(len(self.names)), n)
        return self.sample(len(task), rng, task=task)

    def loss(
        self, outputs: Float[Tensor, "member time trial output"], trials: Trials
    ) -> Float[Tensor, " member"]:
        """Loss of every member.

        Weighted mean cross entropy where actions are discrete (see ``choice_loss``), weighted
        mean squared error where they are continuous.
        """
        if not self.continuous:
            return choice_loss(outputs, trials)
        return weighted_mean((outputs - trials.targets).square().mean(dim=-1), trials.weights)

    def score(
        self, outputs: Float[Tensor, "member time trial output"], trials: Trials
    ) -> Float[Tensor, "member trial"]:
        """Whether each trial was answered correctly, 0 or 1.

        Discrete actions: the first answer in the trial's last period must be the target at
        that step (see ``choice_score``); environments that forgive an answer that is somewhat
        early or late are more lenient. Continuous actions: at the trial's last step, no output
        may be further from its target than ``tolerance``.
        """
        if not self.continuous:
            return choice_score(outputs, trials, last_period(trials))
        every = torch.arange(len(trials), device=outputs.device)
        last = (trials.lengths - 1).to(outputs.device)
        error = (outputs[:, last, every] - trials.targets[last, every]).abs().amax(dim=-1)
        return (error <= self.tolerance).float()

    def ceiling(self) -> Float[np.ndarray, " task"]:
        """NaN for every task: best accuracies are not known."""
        return np.full(len(self.names), np.nan)

    def _draw(self, index: int) -> tuple[np.ndarray, np.ndarray, dict[str, tuple[int, int]], dict]:
        """Observations, ground truth, period bounds and trial information of one new trial."""
        env, name = self._envs[index], self.names[index]
        for inner in inner_environments(env):
            inner.start_ind.clear()  # else a period of the last trial would seem to be in this one
        facts: Any = env.new_trial()  # type: ignore[attr-defined]
        base: Any = env.unwrapped  # only now: a schedule may have moved on to another environment
        target = getattr(base, "gt", None)
        if target is None or len(target) != len(base.ob):
            raise InputError(
                f"environment {name!r} does not give a ground truth for every step: "
                "choose one that can be learned by supervision"
            )
        n_actions = 0 if self.continuous else env.action_space.n  # type: ignore[attr-defined]
        if not self.continuous and not ((target >= 0) & (target < n_actions)).all():
            raise InputError(
                f"environment {name!r} has a ground truth that is not among its "
                f"{n_actions} actions: choose one that can be learned by supervision"
            )
        n_steps = len(base.ob)
        bounds = {
            period: (start, min(base.end_ind[period], n_steps))
            for period, start in base.start_ind.items()
            if start < min(base.end_ind[period], n_steps)
        }
        return base.ob, target, bounds, facts or {}


def last_period(trials: Trials) -> Int[Tensor, "trial bound"]:
    """Bounds of each trial's last period, by its start, or of the whole trial."""
    whole = torch.stack([torch.zeros_like(trials.lengths), trials.lengths], dim=1)[:, None]
    whole = whole.to(trials.periods.device)
    candidates = torch.cat([whole, trials.periods], dim=1)
    start, end = candidates.unbind(dim=2)
    latest = (start * (len(trials.inputs) + 1) + end).argmax(dim=1)
    return candidates[torch.arange(len(latest), device=latest.device), latest]


def _stack_periods(
    bounds: Sequence[Mapping[str, tuple[int, int]]],
) -> tuple[tuple[str, ...], Int[np.ndarray, "trial period 2"]]:
    """Names of all periods, by their mean start, and their bounds."""
    found: dict[str, list[tuple[int, int]]] = {}
    for trial in bounds:
        for period, steps in trial.items():
            found.setdefault(period, []).append(steps)
    names = sorted(found, key=lambda period: tuple(np.mean(found[period], axis=0)))
    rows = [[trial.get(period, (-1, -1)) for period in names] for trial in bounds]
    return tuple(names), np.array(rows, np.int64).reshape(len(bounds), len(names), 2)


def _stack_conditions(
    facts: Sequence[Mapping[str, Any]],
) -> dict[str, Float[np.ndarray, " trial"]]:
    """Every numeric fact about the trials, NaN where a trial lacks it."""
    columns: dict[str, np.ndarray] = {}
    for i, trial in enumerate(facts):
        for name, value in trial.items():
            if isinstance(value, int | float | np.number | np.bool_):
                columns.setdefault(name, np.full(len(facts), np.nan))[i] = value
    return columns


def neurogym_suite(
    dt: float = 100,
    names: Sequence[str] | None = None,
    envs: str | gym.Env | Sequence[str | gym.Env] | None = None,
    env_kwargs: Mapping[str, Any] | None = None,
    *,
    decision_weight: float = 5.0,
    tolerance: float = 0.1,
) -> NeurogymSuite:
    """Make a suite of neurogym environments.

    Parameters
    ----------
    dt : float
        Step, ms; environments given as instances must have the same.
    names : sequence of str, optional
        Ids of registered environments, such as ``"PerceptualDecisionMaking-v0"``; of your own,
        with the module that registers it, ``"mymodule:MyTask-v0"``.
    envs : environment, id, or sequence of them, optional
        Further environments, instances among them. They are used as they are, not copied.
    env_kwargs : mapping, optional
        Keyword arguments for every environment that is made from an id.
    decision_weight : float
        Weight in the loss of a step of the trial's last period; all other steps weigh 1.
    tolerance : float
        For continuous actions, the largest error at the last step that counts as correct.

    Returns
    -------
    NeurogymSuite

    Raises
    ------
    InputError
        If neurogym is not installed; for an unknown environment, one that is not made of trials or
        has no ground truth, or observations or actions that are not vectors or classes.

    Examples
    --------
    >>> import numpy as np
    >>> suite = neurogym_suite(names=["GoNogo-v0", "DelayMatchSample-v0"])
    >>> suite.sample(4, np.random.default_rng(0)).inputs.shape[2]
    5
    """
    more: list[Any] = list(envs) if isinstance(envs, list | tuple) else [envs]
    sources = [*(names or ()), *(env for env in more if env is not None)]
    if isinstance(names, str) or not sources:
        need_neurogym()
        from neurogym.envs.registration import all_envs

        raise InputError(
            "the suite of neurogym environments needs task names, a list out of "
            f"{', '.join(all_envs(collections=True))}"
        )
    check_step(dt)
    check_weight(decision_weight)
    made = [make_environment(source, dt, env_kwargs or {}) for source in sources]
    all_names = [name for name, _ in made]
    unique = [
        name if all_names.count(name) == 1 else f"{name} {all_names[: i + 1].count(name)}"
        for i, name in enumerate(all_names)
    ]
    return NeurogymSuite([env for _, env in made], unique, dt, decision_weight, tolerance)
