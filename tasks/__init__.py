"""Task suites for brainrnn: the 20 cognitive tasks, and any neurogym environment."""

from tasks.cognitive import CognitiveSuite, cog20
from tasks.neurogym_bridge import NeurogymSuite, neurogym_suite
from tasks.yang2019 import COG20

__all__ = ["COG20", "CognitiveSuite", "NeurogymSuite", "cog20", "neurogym_suite"]
