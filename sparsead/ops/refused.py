"""Functions without a sound derivative here: refused with the reason, never guessed."""

from __future__ import annotations

import numpy as np

from sparsead.ops.registry import refused

refused(
    np.argsort, np.argpartition, np.lexsort,
    because="The order of the elements differs from call to call, and with it which element goes where.",
    instead="np.sort of short lines, np.max and np.min work; so does np.take with an order that is fixed.",
)  # fmt: skip
refused(
    np.argmax, np.argmin, np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero, np.searchsorted, np.digitize,
    because="The answer is an index or a count that differs from call to call.",
    instead="Use np.where(condition, a, b), np.max or np.min for a choice by value.",
)  # fmt: skip
refused(
    np.unique, np.histogram, np.histogram2d, np.isin, np.intersect1d, np.union1d, np.setdiff1d,
    because="Which values are equal differs from call to call.",
    instead="Compute it outside of the function and pass it as an argument.",
)  # fmt: skip
refused(
    np.nanmedian, np.nanpercentile, np.nanquantile, np.nanargmax, np.nanargmin,
    because="Which elements are NaN differs from call to call, and with it the places of the others in order.",
    instead="np.nansum, np.nanmean, np.nanmax and np.median of lines without NaN work.",
)  # fmt: skip
refused(
    np.linalg.eig, np.linalg.eigvals, np.linalg.svd, np.linalg.qr,
    np.linalg.lstsq, np.linalg.pinv, np.linalg.cond, np.linalg.matrix_rank,
    because="Factorizations have no rule here.",
    instead="Make the factors unknowns with their defining equations, or register the function with sparsead.extend.",
)  # fmt: skip
refused(
    np.allclose, np.isclose, np.array_equal, np.array_equiv,
    because="The comparison of values differs from call to call.",
    instead="Use the comparison operators inside np.where, or take the test out of the function.",
)  # fmt: skip
