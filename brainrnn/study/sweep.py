"""A sweep: a study whose networks differ by the values of some keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from brainrnn.config import build
from brainrnn.errors import InputError
from brainrnn.runs.experiment import load_experiment
from brainrnn.study.assignments import Assignments, sort_out
from brainrnn.study.plan import Study


def make_sweep(
    config: str,
    assignments: Iterable[str],
    *,
    name: str = "sweep",
    sample: Literal["random", "sobol"] | None = None,
    search: str | None = None,
    points: int | None = None,
    point_seed: int = 0,
    at_once: int | None = None,
) -> Study:
    """The study of a sweep: every combination of some values, a sample of them, or a search.

    Parameters
    ----------
    config : str
        An experiment's file, or the name of one that comes with the package.
    assignments : iterable of str
        ``key=[1, 2, 3]``, ``key=logspace(-5, -3, 9)`` (powers of ten) or ``key=linspace(0, 4, 5)``
        sweeps a key; ``key=value`` sets it for all networks; ``seeds=5`` or ``seeds=[1, 2]``. With
        ``sample`` or ``search``: ``key=uniform(0, 4)``, ``key=loguniform(1e-5, 1e-3)``,
        ``key=integers(8, 64)`` or ``key=choice(relu, tanh)``.
    name : str
        What the study's folder is called.
    sample : {"random", "sobol"}, optional
        Draw points from distributions: independently, or as a scrambled Sobol sequence.
    search : str, optional
        One or two goals, such as "accuracy" or "accuracy,-wiring_length" (the second is to be
        small). Optuna then chooses points by what those before have shown.
    points : int, optional
        How many, for ``sample`` and ``search``.
    point_seed : int
        Of the points.
    at_once : int, optional
        Points that a search chooses together, 4 by default. Their networks are trained at the same
        time. The result depends on it, and not on the number of workers.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        If nothing is swept, a key or a value is wrong, or options do not go together.

    Examples
    --------
    >>> study = make_sweep("quick", ["method.strength=logspace(-5, -3, 3)", "seeds=2"])
    >>> study.methods["sweep"].sweep
    {'method.strength': (1e-05, 0.0001, 0.001)}
    >>> len(study.cells())
    6
    >>> space = ["method.strength=loguniform(1e-5, 1e-3)", "network.activation=choice(relu, tanh)"]
    >>> study = make_sweep("quick", space, sample="sobol", points=8)
    >>> [cell.name for cell in study.cells()][-1]
    'sweep-7-0'
    """
    drawing = _drawing(sample, search, points, point_seed, at_once)
    base = load_experiment(config).model_dump(mode="json", exclude_none=True)
    found = sort_out(assignments, base)
    method: dict[str, Any] = {"label": "network"}
    if drawing:
        method["sample"] = drawing | {"space": _space(found)}
    else:
        method["sweep"] = _grid(found)
    keys = _listed(found.drawn or found.swept)
    goals = [goal.strip() for goal in search.split(",")] if search is not None else []
    what = f"Search for {_listed(goals)} over" if goals else "Sample of" if drawing else "Sweep of"
    study: dict[str, Any] = {
        "name": name,
        "title": f"{what} {keys}",
        "seeds": found.seeds,
        "experiment": load_experiment(config, found.others).model_dump(
            mode="json", exclude_none=True
        ),
        "methods": {"sweep": method},
        "measure": {"kind": "sweep"} | ({"goals": goals} if goals else {}),
    }
    return build(Study, study)


def _drawing(
    sample: str | None,
    search: str | None,
    points: int | None,
    point_seed: int,
    at_once: int | None,
) -> dict[str, Any]:
    """How points are drawn, in the words of a plan; empty for a grid."""
    if sample and search is not None:
        raise InputError("a sweep has --sample or --search, not both")
    if at_once is not None and search is None:
        raise InputError("--at-once is for a --search: a sample's points are all known before")
    if not sample and search is None:
        if points is not None:
            raise InputError("--points is for --sample or --search: add one of them")
        return {}
    option = "--search" if search is not None else "--sample"
    if points is None:
        raise InputError(f"{option} needs --points, the number of settings to try")
    if points < 1:
        raise InputError(f"--points must be at least 1, got {points}")
    drawing = {"sampler": sample or "tpe", "points": points, "seed": point_seed}
    return drawing | ({} if at_once is None else {"at_once": at_once})


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _space(found: Assignments) -> dict[str, str]:
    """The distribution of each key."""
    if found.swept:
        key, values = next(iter(found.swept.items()))
        few = ", ".join(map(str, values[:3])) + (", ..." if len(values) > 3 else "")
        raise InputError(
            f"{key} has a list of values, which is for a grid: write {key}=choice({few}), or leave "
            "out --sample and --search"
        )
    if not found.drawn:
        raise InputError(
            "nothing is drawn: give a key a distribution, such as "
            "'method.strength=loguniform(1e-5, 1e-3)'"
        )
    return found.drawn


def _grid(found: Assignments) -> dict[str, list[Any]]:
    """The values of each key."""
    if found.drawn:
        key, text = next(iter(found.drawn.items()))
        raise InputError(
            f"{key}={text} is a distribution: add --sample sobol --points 32, or --search GOAL, "
            "or give it a list of values"
        )
    if not found.swept:
        raise InputError(
            "nothing is swept: give a key several values, such as 'method.strength=[0, 1e-4]' or "
            "'method.strength=logspace(-5, -3, 9)'"
        )
    return found.swept
