"""Jacobians that are symmetric for every x: by columns they are stored as by rows."""

from __future__ import annotations

import numpy as np

from coloring import SparsityPattern
from sparsead.kernels.linear import LinearProgram, Term
from sparsead.sweeps.direct.slots import Slots


def is_symmetric(linear: LinearProgram, pattern: SparsityPattern) -> bool:
    """Tell whether direct accumulation gives a symmetric matrix, to the bit: what varies with x is on the diagonal.

    Such is the matrix of a linear operator with constant coefficients beside a reaction that is local.
    """
    if linear.work or linear.absorbing or any(kernel.ordered for kernel in linear.kernels):
        return False
    terms = [term for kernel in linear.kernels for term in kernel.terms]
    if not all(term.coefficient.is_constant or _on_the_diagonal(term) for term in terms) or not pattern.is_symmetric:
        return False
    slots, constants = Slots(pattern), np.zeros(pattern.nnz)
    for term in terms:
        if term.coefficient.is_constant:
            slots.of_maps(term.place, term.index).add(constants, term.coefficient.value)  # as they are added up there
    mirror = np.argsort(pattern.indices, kind="stable")
    return bool((constants == constants[mirror]).all())


def _on_the_diagonal(term: Term) -> bool:
    """Tell whether the row and the column of every point are the same."""
    if term.place.form == term.index.form == "affine":
        return (term.place.offset, term.place.strides) == (term.index.offset, term.index.strides)
    return bool((term.place.array() == term.index.array()).all())
