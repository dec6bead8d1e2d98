"""Tasks for brainrnn: cognitive tasks, any neurogym environment, formulas, moons, groups, images,
and regression in context.

Functions here are called as their modules are, so this door is not lazy; it leads to everything
without neurogym, which is imported when an environment of it is asked for.
"""

from tasks.cognitive import CognitiveSuite, cog20
from tasks.fixed import FixedTask
from tasks.formulas import formulas
from tasks.groups import groups
from tasks.images import images
from tasks.in_context import in_context
from tasks.modcog import MODCOG, modcog
from tasks.moons import two_moons
from tasks.neurogym_bridge import NeurogymSuite, neurogym_suite
from tasks.registry import register_environments
from tasks.yang2019 import COG20

__all__ = [
    "COG20",
    "MODCOG",
    "CognitiveSuite",
    "FixedTask",
    "NeurogymSuite",
    "cog20",
    "formulas",
    "groups",
    "images",
    "in_context",
    "modcog",
    "neurogym_suite",
    "two_moons",
]

register_environments()
