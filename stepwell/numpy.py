"""The functions that traced programs are written with, named as the array API standard (and so numpy) names them.

    import stepwell
    import stepwell.numpy as np

    @stepwell.jit
    def distance(x, y):
        return np.sqrt(np.sum((x - y) ** 2))

On arrays alone, outside of a trace or inside, they compute at once by the reference meaning.
"""

from stepwell.frontends.trace.array_api import *  # noqa: F403
from stepwell.frontends.trace.array_api import __all__ as __all__
