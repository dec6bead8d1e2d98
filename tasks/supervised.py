"""Loss and score of choices, shared by every suite whose answers are classes."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from brainrnn.task import Trials


def weighted_mean(
    per_step: Float[Tensor, "member time trial"], weights: Float[Tensor, "time trial"]
) -> Float[Tensor, " member"]:
    """Mean over steps and trials, ``Σ w x / Σ w``.

    Examples
    --------
    >>> weighted_mean(torch.tensor([[[1.0], [4.0]]]), torch.tensor([[2.0], [1.0]]))
    tensor([2.])
    """
    return (per_step * weights).sum(dim=(1, 2)) / weights.sum()


def within(window: Int[Tensor, "trial bound"], n_steps: int) -> Bool[Tensor, "time trial"]:
    """Whether each step lies in the window [first, last + 1) of its trial.

    Examples
    --------
    >>> within(torch.tensor([[1, 3]]), 4)[:, 0].tolist()
    [False, True, True, False]
    """
    step = torch.arange(n_steps, device=window.device)[:, None]
    return (step >= window[:, 0]) & (step < window[:, 1])


def choice_loss(
    outputs: Float[Tensor, "member time trial output"], trials: Trials
) -> Float[Tensor, " member"]:
    """Weighted mean cross entropy of every member.

    ``L = Σ_ti w_ti CE(outputs_ti, target_ti) / Σ_ti w_ti`` over steps t and trials i.

    Parameters
    ----------
    outputs : (member, time, trial, output)
        Logits.
    trials : Trials
        The trials that were shown.

    Returns
    -------
    (member,)
    """
    targets = trials.targets.expand(outputs.shape[:-1])
    per_step = cross_entropy(outputs.flatten(0, 2), targets.flatten(), reduction="none")
    return weighted_mean(per_step.view(targets.shape), trials.weights)


def choice_score(
    outputs: Float[Tensor, "member time trial output"],
    trials: Trials,
    window: Int[Tensor, "trial bound"],
) -> Float[Tensor, "member trial"]:
    """Whether each trial was answered correctly, by the rule of the neurogym environments.

    The answer is the first choice in the window that is not to fixate (class 0), and is correct
    if it is the target at that step. Without an answer, the trial is correct if its target is to
    fixate throughout the window.
    Different from neurogym: its ``performance`` is 0 on trials whose correct response is to
    fixate, whatever the agent does; here a response withheld where it should be is correct.

    Parameters
    ----------
    outputs : (member, time, trial, output)
        The choice at a step is the largest output.
    trials : Trials
        The trials that were shown.
    window : (trial, 2) int64
        First step of the window in which the answer counts, and the step after its last.

    Returns
    -------
    (member, trial) float32, 0 or 1
    """
    inside = within(window, outputs.shape[1])
    targets = trials.targets * inside
    choices = outputs.argmax(dim=-1) * inside
    # argmax returns the first of several maxima, so this is the first answer, or step 0 without one
    first = (choices != 0).byte().argmax(dim=1, keepdim=True)
    answer = choices.gather(1, first)[:, 0]
    wanted = targets.expand_as(choices).gather(1, first)[:, 0]
    return torch.where(answer == 0, (targets == 0).all(dim=0), answer == wanted).float()


def follow_score(
    outputs: Float[Tensor, "member time trial output"],
    trials: Trials,
    window: Int[Tensor, "trial bound"],
) -> Float[Tensor, "member trial"]:
    """Whether the choice is the target at every step of the window, 0 or 1.

    For answers that move: the first of them alone would not show that they are followed.

    Parameters
    ----------
    outputs : (member, time, trial, output)
        The choice at a step is the largest output.
    trials : Trials
        The trials that were shown.
    window : (trial, 2) int64
        First step of the window, and the step after its last.
    """
    inside = within(window, outputs.shape[1])
    return ((outputs.argmax(dim=-1) == trials.targets) | ~inside).all(dim=1).float()
