"""A module that knows nothing of tracing and allocates its own results, like the helpers of user code."""

import numpy as np
from numpy import zeros


def filled(x):
    out = np.zeros(x.shape)
    out[1:] = x[:-1] * 2.0
    return out


def filled_by_name(x):
    out = zeros(len(x))
    out[:-1] = x[1:] ** 2
    return out


def is_plain(x):
    return type(x) is np.ndarray


def named(value, name):
    return hasattr(value, name)
