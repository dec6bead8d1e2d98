"""Random streams: whatever draws for a purpose of its own has a stream of its own, by name."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a stream draws. The numbers are part of every result: they never change."""

    TRIALS = 1
    HELD_OUT_TRIALS = 2
    PERTURBATION = 3
    NOISE_ON_ANOTHER_DEVICE = 4
    MAP_STATISTICS = 1  # of an analysis, which draws no trials to train on
    PRUNED_TRIALS = 11
    LESIONS = 21
    DISTURBANCE = 31
    RESIZING = 31  # of another study than disturbance
    TRANSFER = 41
    OUTCOME_TRIALS = 51
    POINTS = 61  # of a sample or a search of settings
    GROWTH = 71


def seeds(seed: int, stream: Stream, *numbers: int) -> np.random.SeedSequence:
    """The seeds of a stream, to be spawned into several.

    Parameters
    ----------
    seed : int
        Of the run, the study or the analysis.
    stream : Stream
    *numbers : int
        What tells several streams of one name apart, such as a step.

    Examples
    --------
    >>> seeds(0, Stream.TRIALS).entropy
    [0, 1]
    """
    return np.random.SeedSequence([seed, int(stream), *numbers])


def generator(seed: int, stream: Stream, *numbers: int) -> np.random.Generator:
    """A generator of a stream; parameters as in :func:`seeds`.

    Examples
    --------
    >>> one, other = generator(0, Stream.TRIALS), generator(0, Stream.HELD_OUT_TRIALS)
    >>> bool(one.random() == other.random())
    False
    """
    return np.random.default_rng(seeds(seed, stream, *numbers))
