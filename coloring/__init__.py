"""Graph colorings for compressed sparse derivatives.

Examples
--------
>>> import numpy as np
>>> import coloring
>>> A = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0], [4.0, 0.0, 0.0]])
>>> result = coloring.color(A)
>>> result.colors, result.num_colors
(array([0, 0, 1], dtype=int32), 2)
>>> B = result.compress(A)
>>> result.decompress(B).toarray()
array([[1., 0., 2.],
       [0., 3., 0.],
       [4., 0., 0.]])
"""

from .api import color
from .errors import ColoringError
from .pattern import SparsityPattern
from .results import ColoringResult

__all__ = ["ColoringError", "ColoringResult", "SparsityPattern", "color"]
