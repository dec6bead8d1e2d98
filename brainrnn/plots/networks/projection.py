"""A parallel projection: what an observer far away, in front and above, sees of points in space."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Num

ELEVATION = math.radians(30)  # of the observer above the planes
AZIMUTH = math.radians(10)  # from the first axis towards the second


def view(elevation: float = ELEVATION, azimuth: float = AZIMUTH) -> Float[np.ndarray, "3 3"]:
    """The rotation from space to an observer's right, up and away.

    In space the first axis points towards the observer when the azimuth is 0, the second to the
    right, and the third upwards, so that an image's rows run from far to near and its columns from
    left to right. Angles are in radians.
    """
    up, around = (np.array([math.cos(a), math.sin(a)]) for a in (elevation, azimuth))
    return np.array(
        [
            [-around[1], around[0], 0],
            [-up[1] * around[0], -up[1] * around[1], up[0]],
            [-up[0] * around[0], -up[0] * around[1], -up[1]],
        ]
    )


def project(points: Num[np.ndarray, "*point 3"]) -> Float[np.ndarray, "*point 3"]:
    """Where points in space are on paper, and how far away.

    Right and up on paper, in the unit of the points, then the depth, which is larger farther away.
    The projection is parallel: sizes do not depend on the distance.
    """
    return points @ view().T
