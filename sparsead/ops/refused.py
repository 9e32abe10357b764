"""Functions without a sound derivative here: refused with the reason, never guessed."""

from __future__ import annotations

import numpy as np

from sparsead.ops.registry import refused

WHERE = "Use np.where(condition, a, b), np.max or np.min for a choice by value."
OUTSIDE = "Compute it outside of the function and pass it as an argument."

refused(
    np.argpartition, np.lexsort,
    because="The order of the elements differs from call to call, and with it which element goes where.",
    instead="np.sort of short lines, np.max and np.min work; so does np.take with an order that is fixed.",
)  # fmt: skip
refused(
    np.argwhere,
    because="The answer is a list of places that differs from call to call.",
    instead=WHERE,
)  # fmt: skip
refused(
    np.arange,
    because="How many elements it has would differ from call to call.",
    instead="Fix how many: np.linspace(a, b, n), or a + h * np.arange(n), with an integer n.",
)
refused(
    np.trim_zeros,
    because="How many elements are left differs from call to call.",
    instead="Cut the array at places that are fixed. In place of np.poly1d: np.polyval, np.polymul, np.polyder of the "
    "coefficients.",
)
refused(
    np.unique, np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values, np.isin, np.intersect1d,
    np.union1d, np.setdiff1d, np.setxor1d,
    because="Which values are equal differs from call to call.",
    instead=OUTSIDE,
)  # fmt: skip
refused(
    np.histogram, np.histogram2d, np.histogramdd, np.histogram_bin_edges,
    because="Into which bin a value falls differs from call to call.",
    instead="Where the values are known and their weights are not: np.bincount(np.digitize(a, edges), weights=w).",
)  # fmt: skip
refused(
    np.nanmedian, np.nanpercentile, np.nanquantile, np.nanargmax, np.nanargmin,
    because="Which elements are NaN differs from call to call, and with it the places of the others in order.",
    instead="np.nansum, np.nanmean, np.nanmax and np.median of lines without NaN work.",
)  # fmt: skip
refused(
    np.linalg.eig, np.linalg.eigvals,
    because="Whether eigenvalues of a general matrix are real differs from call to call.",
    instead="np.linalg.eigvalsh and np.linalg.eigh of symmetric matrices work; or make the eigenvalues unknowns.",
)  # fmt: skip
refused(
    np.linalg.matrix_rank, np.linalg.tensorsolve, np.linalg.tensorinv,
    because="A rank is a count that differs from call to call; the others reshape what np.linalg.solve takes.",
    instead="Reshape, and use np.linalg.solve or np.linalg.inv.",
)  # fmt: skip
refused(
    np.roots,
    because="Whether zeros of polynomials are real differs from call to call.",
    instead="Make the zeros unknowns with their defining equations.",
)  # fmt: skip
refused(
    np.frexp, np.nextafter, np.spacing, np.gcd, np.lcm, np.left_shift, np.right_shift, np.bitwise_count, np.packbits,
    np.unpackbits, np.unravel_index, np.ravel_multi_index, np.ix_, np.isnat, np.sort_complex,
    because="It is about the digits of numbers, about integers, or about times.",
    instead=OUTSIDE,
)  # fmt: skip
refused(
    np.save, np.savez, np.savez_compressed, np.savetxt, np.array2string, np.array_repr, np.array_str,
    because="While it is traced, a function has no values to write down.",
    instead="Write them down outside, from jac.value(x).",
)  # fmt: skip
refused(
    np.asarray_chkfinite, np.asmatrix, np.bmat, np.from_dlpack, np.frombuffer, np.require,
    because="It wants the memory of an array, which has no values while a function is traced.",
    instead="Leave it out: a traced array is an array already.",
    dispatching=False,
)  # fmt: skip
refused(
    np.busday_count, np.busday_offset, np.is_busday, np.datetime_as_string,
    because="It is about times.",
    instead=OUTSIDE,
)  # fmt: skip
