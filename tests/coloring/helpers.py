"""What the tests of the colorings share: the problems, and matrices with everything in them."""

import numpy as np
import scipy.sparse as sp
from hypothesis import strategies as st

import coloring
from benchmarks import matrices
from coloring.problems import COLORINGS

SYMMETRIC = {name: terms for name, terms in COLORINGS.items() if terms[0] == "symmetric"}
NONSYMMETRIC = {name: terms for name, terms in COLORINGS.items() if name not in SYMMETRIC}

#: Orders that each problem has.
ORDERS = [name for name in coloring.orders.ORDERS if not name.startswith("distance_two")]

SYMMETRIC_MATRICES = {
    "five_point": matrices.grid(7, 8),
    "nine_point": matrices.grid(6, 6, stencil="box"),
    "seven_point": matrices.grid(4, 5, 3),
    "periodic": matrices.grid(6, 7, periodic=True),
    "two_fields": matrices.two_fields(4),
    "band": matrices.band(30, 3),
    "permuted_band": matrices.permuted(matrices.band(30, 3)),
    "arrow": matrices.arrow(20),
    "block_arrow": matrices.block_arrow(5, 3, 2),
    "mesh": matrices.mesh(60),
    "power_network": matrices.power_network(30),
    "random": matrices.random_symmetric(40, 0.1),
    "random_without_diagonal": matrices.random_symmetric(40, 0.1, diagonal=False),
    "dense": sp.csr_array(np.ones((7, 7))),
    "zero": sp.csr_array((5, 5)),
    "one": sp.csr_array(np.ones((1, 1))),
    "empty": sp.csr_array((0, 0)),
    "anti_diagonal": sp.csr_array(np.eye(4)[::-1]),
}
RECTANGULAR_MATRICES = {
    "wide": matrices.random(15, 40, 0.1),
    "tall": matrices.random(40, 15, 0.1),
    "dense_frame": matrices.dense_frame(10, 20),
    "dense_row": sp.csr_array(np.ones((1, 70))),
    "no_rows": sp.csr_array((0, 4)),
    "no_columns": sp.csr_array((4, 0)),
}
MATRICES = SYMMETRIC_MATRICES | RECTANGULAR_MATRICES


def with_values(A: sp.csr_array, seed: int = 0, symmetric: bool = False) -> sp.csr_array:
    """Return a matrix of this pattern with random values of different magnitudes."""
    rng = np.random.default_rng(seed)
    A = sp.csr_array((rng.standard_normal(A.nnz) * 10.0 ** rng.integers(-3, 4, A.nnz), A.indices, A.indptr), A.shape)
    return sp.csr_array(sp.triu(A) + sp.triu(A, 1).T) if symmetric else A


def stored_in_order(A: sp.csr_array) -> np.ndarray:
    """Return the values of `A`, row by row."""
    A = A.copy()
    A.sort_indices()
    return A.data


@st.composite
def patterns(draw, symmetric: bool = False, max_size: int = 12):
    """Coordinates with duplicates, in any order, and the shape."""
    m = draw(st.integers(0, max_size))
    n = m if symmetric else draw(st.integers(0, max_size))
    if m == 0 or n == 0:
        return [], [], (m, n)
    pairs = draw(st.lists(st.tuples(st.integers(0, m - 1), st.integers(0, n - 1)), max_size=40))
    if symmetric:
        pairs = pairs + [(j, i) for i, j in pairs]
    return [i for i, _ in pairs], [j for _, j in pairs], (m, n)
