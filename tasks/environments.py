"""Make neurogym environments, check that they can be learned by supervision, and seed them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brainrnn.errors import InputError, unknown
from brainrnn.own import own_module
from tasks.arguments import check_period

if TYPE_CHECKING:
    import gymnasium as gym

_N_SEEDS = 2**32  # what numpy's RandomState takes


def make_environment(
    source: str | gym.Env, dt: float, kwargs: Mapping[str, Any]
) -> tuple[str, gym.Env]:
    """Name an environment, make it if given by id, and take off gymnasium's own wrappers.

    Parameters
    ----------
    source : str or environment
        An id among gymnasium's, such as ``GoNogo-v0``; or ``module:id``, with the module that
        registers it, from the current folder or installed; or the environment itself.
    dt : float
        Step, ms.
    kwargs : mapping
        Keyword arguments for an environment that is made.

    Raises
    ------
    InputError
        If neurogym is not installed, or the environment is unknown, cannot be made, is not made
        of trials, has another step, or has a period of fixed duration that would vanish.
    """
    need_neurogym()
    import gymnasium as gym
    from neurogym.core import TrialEnv, TrialWrapper
    from neurogym.envs.registration import make

    if isinstance(source, str):
        name = registered(source)
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", ".*doesn't include `render_modes`")
                env = make(name, **{"dt": dt, **kwargs})
        except Exception as error:  # whatever an environment of anybody's raises
            reason = " ".join(str(error).split())
            raise InputError(
                f"environment {source!r} cannot be made with dt={dt:g}: {reason}"
            ) from error
    else:
        env = source
        spec = getattr(env, "spec", None)
        name = spec.id if spec else type(getattr(env, "unwrapped", env)).__name__.lstrip("_")
    while isinstance(env, gym.Wrapper) and not isinstance(env, TrialWrapper):
        env = env.env
    if not isinstance(env, TrialEnv | TrialWrapper):
        raise InputError(
            f"{name!r} is not an environment made of trials: "
            "neurogym.envs.registration.all_envs() lists those"
        )
    base: Any = env.unwrapped
    if base.dt != dt:
        raise InputError(
            f"environment {name!r} has a step of {base.dt:g} ms but the suite one of {dt:g}: "
            f"make it with dt={dt:g}, or the suite with dt={base.dt:g}"
        )
    for period, ms in base.timing.items():
        if isinstance(ms, int | float) and ms > 0:
            check_period(name, period, ms, dt)
    return name, env


def need_neurogym() -> None:
    """Raise ``InputError`` if neurogym is not installed."""
    try:
        import neurogym  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"neurogym's environments need neurogym, which cannot be imported ({error}): install "
            "it with `pip install neurogym`, on a version of Python that it supports"
        ) from None


def registered(source: str) -> str:
    """The id of an environment, after the import of the module that registers it, if one is named.

    Raises
    ------
    InputError
        If the module cannot be imported, or no environment has that id.
    """
    import gymnasium as gym
    from neurogym.envs.registration import all_envs

    module, colon, name = source.rpartition(":")
    if colon:
        own_module(module)
    if name in gym.registry:
        return name
    if colon:
        raise InputError(
            f"module {module!r} registers no environment {name!r}: it should call "
            f"gymnasium.register(id={name!r}, entry_point=...) when it is imported"
        )
    raise InputError(
        f"{unknown('environment', name, all_envs(collections=True))} (your own: module:Name-v0)"
    )


def inner_environments(env: gym.Env) -> list[Any]:
    """Find what makes the trials: the environment without wrappers, or all behind its schedule."""
    layer: Any = env
    while layer is not layer.unwrapped:
        if "envs" in vars(layer):
            return [inner for one in layer.envs for inner in inner_environments(one)]
        layer = layer.env
    return [layer]


def seed_environment(env: gym.Env, rng: np.random.Generator) -> None:
    """Seed an environment with its schedule, and each environment behind a schedule differently.

    neurogym gives all environments behind a schedule one seed, so that they make the same choices.
    """
    env.get_wrapper_attr("seed")(int(rng.integers(_N_SEEDS)))
    for inner in inner_environments(env):
        inner.seed(int(rng.integers(_N_SEEDS)))


def describe(env: gym.Env) -> str:
    """First paragraph of an environment's own description, on one line."""
    text = (type(env.unwrapped).__doc__ or type(env.unwrapped).__name__).strip()
    return " ".join(text.split("\n\n")[0].split())


def n_observed(env: gym.Env, name: str) -> int:
    """Count an environment's observation channels."""
    from gymnasium import spaces

    space = env.observation_space
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise InputError(f"environment {name!r} observes {space}: expected a Box of one axis")
    return space.shape[0]


def common_actions(envs: Sequence[gym.Env], names: Sequence[str]) -> tuple[bool, int]:
    """Whether the environments' actions are continuous, and how many outputs hold them all."""
    from gymnasium import spaces

    kinds, sizes = set(), []
    for env, name in zip(envs, names, strict=True):
        space = env.action_space
        if isinstance(space, spaces.Discrete) and space.start == 0:
            sizes.append(int(space.n))
        elif isinstance(space, spaces.Box) and len(space.shape) == 1:
            sizes.append(space.shape[0])
        else:
            raise InputError(
                f"environment {name!r} has actions {space}: "
                "expected Discrete from 0, or a Box of one axis"
            )
        kinds.add(isinstance(space, spaces.Box))
    if len(kinds) > 1:
        raise InputError(
            f"environments {list(names)} mix discrete and continuous actions: "
            "make one suite of each kind"
        )
    return kinds.pop(), max(sizes)
