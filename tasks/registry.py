"""Mod-Cog's tasks among gymnasium's environments, as ``ModCog/NAME-v0``.

``import tasks`` registers them; ``gymnasium.make("tasks:ModCog/goseqr-v0")`` does both.
"""

from __future__ import annotations

import gymnasium as gym

from tasks.modcog import EXTENSIONS

NAMESPACE = "ModCog"


def environment_id(name: str) -> str:
    """Id of a task's environment: ``ModCog/goseqr-v0``."""
    return f"{NAMESPACE}/{name}-v0"


def register_environments() -> None:
    """Register all 126 tasks; those that are registered already stay as they are."""
    for name in EXTENSIONS:
        if environment_id(name) not in gym.registry:
            gym.register(
                environment_id(name),
                entry_point="tasks.cognitive_environment:CognitiveEnvironment",
                kwargs={"task": name},
            )
