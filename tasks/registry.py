"""Mod-Cog's tasks among gymnasium's environments, as ``ModCog/NAME-v0``.

``import tasks`` registers them where neurogym is installed, which brings gymnasium along;
``gymnasium.make("tasks:ModCog/goseqr-v0")`` does both. neurogym itself is imported when the first
of them is made.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec

from tasks.modcog import EXTENSIONS

NAMESPACE = "ModCog"


def environment_id(name: str) -> str:
    """Id of a task's environment.

    Examples
    --------
    >>> environment_id("goseqr")
    'ModCog/goseqr-v0'
    """
    return f"{NAMESPACE}/{name}-v0"


def register_environments() -> None:
    """Register all 126 tasks, where neurogym is installed.

    Those that are registered already stay as they are.

    Examples
    --------
    >>> register_environments()
    """
    if find_spec("neurogym") is None:
        return
    with suppress(ImportError):
        import gymnasium as gym

        for name in EXTENSIONS:
            if environment_id(name) not in gym.registry:
                gym.register(
                    environment_id(name),
                    entry_point="tasks.cognitive_environment:CognitiveEnvironment",
                    kwargs={"task": name},
                )
