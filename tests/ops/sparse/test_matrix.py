"""Sparse matrices of unknowns: every operation, on every format and class, gives what SciPy gives for numbers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as spla

import sparsead as sad
from tests.reference import complex_step, differences

FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
CLASSES = [f"{fmt}_{kind}" for fmt in FORMATS for kind in ("array", "matrix")]
RNG = np.random.default_rng(3)
X = RNG.uniform(0.3, 1.7, 9)
ROWS, COLUMNS = np.array([0, 1, 2, 2, 0, 1, 3, 3, 2]), np.array([1, 1, 0, 3, 2, 3, 3, 0, 2])
CONSTANT = sp.random_array((4, 4), density=0.5, rng=np.random.default_rng(5), format="csr")
DENSE = np.random.default_rng(6).uniform(-1.0, 1.0, (4, 4))


def made(x, name):
    """Return a 4 x 4 matrix of nine unknowns, of a class."""
    kind = "matrix" if name.endswith("matrix") else "array"
    coo = getattr(sp, f"coo_{kind}")((x, (ROWS, COLUMNS)), shape=(4, 4))
    return coo.asformat(name.partition("_")[0]) if name[:3] not in ("lil", "dok") else coo.tocsr()


def dense(value):
    """Return an array of a matrix, an array or a number."""
    if sp.issparse(value):
        value = value.toarray()
    return np.asarray(value).reshape(-1)


def other(x, which):
    """Return a second operand: a matrix of constants or of unknowns, an array, a number."""
    return {
        "constant": lambda: CONSTANT,
        "constant matrix": lambda: sp.csc_matrix(CONSTANT),
        "traced": lambda: sp.diags_array(x[:4]),
        "dense": lambda: DENSE,
        "dense traced": lambda: DENSE * x[0],
        "vector": lambda: x[:4],
        "number": lambda: 2.5,
        "unknown": lambda: x[3],
    }[which]()


def agrees(f, x, second=True):
    """Compare values, Jacobian and the Hessian of a weighted sum with NumPy, SciPy and differences."""
    jac = sad.jacobian(f, x)
    np.testing.assert_allclose(np.ravel(jac.value(x)), f(x), rtol=1e-13, atol=1e-13)
    J = jac(x).toarray()
    np.testing.assert_allclose(J, differences(f, x), rtol=1e-7, atol=1e-8)
    if second:
        weights = np.cos(np.arange(f(x).size))
        hess = sad.hessian(lambda x: np.sum(weights * f(x)), x)
        slope = differences(lambda x: weights @ jac(x).toarray(), x)
        np.testing.assert_allclose(hess(x).toarray(), slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize(
    "use",
    [
        lambda A, x: A @ x[:4],
        lambda A, x: A @ DENSE,
        lambda A, x: x[2:6] @ A,
        lambda A, x: DENSE @ A,
        lambda A, x: A.T @ x[:4],
        lambda A, x: A.dot(x[1:5]),
        lambda A, x: A.sum(),
        lambda A, x: np.asarray(A.sum(axis=0)),
        lambda A, x: np.asarray(A.sum(axis=1)),
        lambda A, x: np.asarray(A.mean(axis=1)),
        lambda A, x: A.diagonal(),
        lambda A, x: A.diagonal(1),
        lambda A, x: A.trace(),
        lambda A, x: A.toarray(),
        lambda A, x: -A,
        lambda A, x: abs(A),
        lambda A, x: A.copy(),
        lambda A, x: A.transpose().tocsc(),
        lambda A, x: A.tocsr()[1:3],
        lambda A, x: A.tocsc()[:, [2, 0]],
        lambda A, x: A.tocsr()[np.array([0, 3])][:, 1:],
        lambda A, x: A.tocsr()[2, 3] * x[0],
        lambda A, x: A.tocsr()[0, 0] * x[0] + x[1],
        lambda A, x: A.tocsr().data * 2.0,
        lambda A, x: A.power(2),
        lambda A, x: A.tocsr().sin(),
        lambda A, x: A.reshape((2, 8)).tocsr(),
        lambda A, x: A.multiply(DENSE),
        lambda A, x: sp.tril(A),
        lambda A, x: sp.kron(A, sp.eye_array(2)),
        lambda A, x: sp.vstack([A, CONSTANT]),
    ],
)  # fmt: skip
def test_one_matrix(name, use):
    agrees(lambda x: dense(use(made(x, name), x)), X, second=False)


@pytest.mark.parametrize("which", ["constant", "constant matrix", "traced", "dense", "dense traced"])
@pytest.mark.parametrize("name", ["csr_array", "csc_matrix", "coo_array", "dia_matrix", "bsr_array"])
@pytest.mark.parametrize(
    "use",
    [
        lambda A, B: A + B,
        lambda A, B: B + A,
        lambda A, B: A - B,
        lambda A, B: B - A,
        lambda A, B: A @ B,
        lambda A, B: B @ A,
        lambda A, B: A.multiply(B),
    ],
)
def test_two_matrices(name, which, use):
    agrees(lambda x: dense(use(made(x, name), other(x, which))), X, second=False)


@pytest.mark.parametrize("which", ["number", "unknown"])
@pytest.mark.parametrize("name", ["csr_array", "csc_matrix", "coo_matrix", "dia_array"])
@pytest.mark.parametrize(
    "use", [lambda A, s: s * A, lambda A, s: A * s, lambda A, s: A / s, lambda A, s: A.multiply(s)]
)
def test_matrix_and_number(name, which, use):
    agrees(lambda x: dense(use(made(x, name), other(x, which))), X)
    agrees(lambda x: dense(use(CONSTANT.asformat("csc"), other(x, which))), X)


@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_star_is_a_product_for_matrices_alone(kind):
    agrees(lambda x: dense(made(x, f"csr_{kind}") * x[:4]), X)
    agrees(lambda x: dense(x[:4] * made(x, f"csr_{kind}")), X)
    agrees(lambda x: dense(made(x, f"csr_{kind}") * made(x, f"csc_{kind}")), X)


def laplacian(k, n):
    """Return a finite-volume matrix as its users assemble it: fluxes between neighbours."""
    i = np.arange(n - 1)
    rows = np.concatenate([i, i, i + 1, i + 1])
    columns = np.concatenate([i, i + 1, i, i + 1])
    flux = 2.0 * k[:-1] * k[1:] / (k[:-1] + k[1:])
    return sp.csr_array((np.concatenate([flux, -flux, -flux, flux]), (rows, columns)), shape=(n, n))


def test_assembled_fluxes():
    u = np.linspace(0.5, 2.0, 12)
    f = lambda u: laplacian(np.exp(u), u.size) @ u - u**2  # noqa: E731
    jac = sad.jacobian(f, u)
    assert jac.pattern.nnz == 3 * u.size - 2
    agrees(f, u)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: (sp.eye_array(4) - 0.1 * x[0] * CONSTANT) @ x[:4],
        lambda x: (sp.diags(x[:4]) @ CONSTANT @ sp.diags(x[:4] ** 2)).T @ x[5:],
        lambda x: sp.diags_array([x[:3], x[3:7], 1.0 / x[:3]], offsets=[-1, 0, 1]) @ x[1:5],
        lambda x: sp.bmat([[sp.diags(x[:4]), CONSTANT], [None, CONSTANT * x[8]]]) @ x[:8],
        lambda x: CONSTANT.multiply(x[:4]) @ x[:4],
        lambda x: CONSTANT.multiply(x[:4, None]) @ x[:4],
        lambda x: sp.spdiags(np.stack([x[:4], x[4:8]]), [0, -1], 4, 4) @ x[:4],
        lambda x: sp.csr_matrix((x, np.array([0, 1, 2, 3, 0, 1, 2, 3, 1]), np.array([0, 3, 5, 5, 9]))) @ x[:4],
        lambda x: (sp.hstack([sp.diags(x[:4]), CONSTANT]) @ x[:8]) ** 2,
        lambda x: sp.block_diag((sp.diags(x[:4]), CONSTANT), format="csr") @ x[:8],
        lambda x: np.asarray(sp.csr_matrix(np.outer(x[:4], x[:4])).sum(axis=1)).ravel(),
        lambda x: np.asarray(sp.csr_matrix(np.outer(x[:4], x[:4])).todense()).flatten(),
        lambda x: spla.spsolve((sp.diags_array(5.0 + x[:4]) + CONSTANT).tocsc(), x[4:8]),
        lambda x: spla.splu(sp.csc_array(np.diag(x[:4]) + 4.0)).solve(x[4:8], "T"),
    ],
)
def test_products_agree_with_scipy(f):
    agrees(f, X)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize(
    "array",
    [
        lambda x: np.diag(x[:4]),
        lambda x: np.eye(4),
        lambda x: np.array([[x[0], 0.0], [0.0, 3.0]]),
        lambda x: np.concatenate([np.zeros((1, 3)), x[:6].reshape(2, 3)]),
    ],
)
def test_known_zeros_of_arrays_are_not_stored(name, array):
    def f(x):
        coo = sp.coo_array(getattr(sp, name)(array(x)))
        return np.concatenate([coo.data * coo.row, coo.data * coo.col, [coo.nnz * x[0]]])

    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), f(X))
    np.testing.assert_allclose(jac(X).toarray(), complex_step(f, X))


def test_entries_at_one_place_add_up_in_every_order():
    rows, columns = np.array([0, 1, 0, 1, 0]), np.array([1, 0, 1, 0, 1])
    for fmt in ("csr", "csc", "coo", "dok", "lil", "bsr", "dia"):
        f = lambda x, fmt=fmt: dense(sp.coo_array((x[:5], (rows, columns)), shape=(2, 2)).asformat(fmt))  # noqa: E731
        np.testing.assert_allclose(sad.jacobian(f, X)(X).toarray(), complex_step(f, X))


def test_writing_in_place_agrees_with_scipy():
    def f(x):
        A = sp.diags_array(x[:4]).tocsr()
        A.setdiag(x[4:7] ** 2, k=1)
        A.data *= x[8]
        A.data[:2] = 3.0
        B = A.tolil()
        B[3, 0] = x[7]
        B[0, 1:3] = x[2:4]
        return dense(B.tocsr() @ x[:4])

    agrees(f, X)


@pytest.mark.parametrize("kind", [sp.lil_matrix, sp.lil_array, sp.dok_array, sp.dok_matrix])
def test_filled_element_by_element(kind):
    name = kind.__name__

    def f(x):
        A = getattr(sp, name)((5, 5))
        for i in range(5):
            A[i, i] = x[i] + 1.0
            if i:
                A[i, i - 1] = -x[i] * x[i - 1]
        A[0, 4] = 2.0
        A[2, 2] += x[8]
        return A.tocsr() @ x[:5]

    agrees(f, X)


@pytest.mark.parametrize("kind", ["lil_matrix", "lil_array", "dok_array", "csr_array", "csr_matrix", "csc_array"])
def test_filled_from_a_shape_by_slices_and_diagonals(kind):
    def f(x):
        A = getattr(sp, kind)((4, 4))
        A.setdiag(x[:4])
        A.setdiag(x[4:7] ** 2, k=1)
        A[2, :] = x[:4]
        A[:2, :2] = np.outer(x[:2], x[:2])
        A[3, 3] += x[8]
        return A.tocsr() @ x[:4]

    agrees(f, X)


def test_types_are_those_of_scipy():
    answers = []

    def f(x):
        A = sp.csr_matrix(CONSTANT) * x[0]
        answers.extend([sp.issparse(A), isinstance(A, sp.csr_matrix), isinstance(A, sp.csc_array), A.format, A.shape])
        return A @ x[:4]

    sad.jacobian(f, X)
    assert answers[:5] == [True, True, False, "csr", (4, 4)]


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: assigned(CONSTANT.copy(), x), r"\.data of a sparse matrix of constants.*\n.*\n.*Build a new one"),
        (lambda x: CONSTANT.copy().setdiag(x[:4]), r"writing traced values into a sparse matrix of constants"),
        (lambda x: written(CONSTANT.copy(), x), r"writing traced values into a sparse matrix of constants"),
        (lambda x: (sp.diags(x) / CONSTANT[:9]).sum(), r"quotient of two sparse matrices"),
        (lambda x: sp.diags(x).tocsr().max(), r"csr_matrix\.max of a matrix that holds traced values"),
        (lambda x: sp.csr_array((x, (x, COLUMNS))).sum(), r"traced indices"),
        (lambda x: np.asarray(sp.diags(x)), r"sparse"),
    ],
)
def test_what_has_no_rule_is_refused_in_words(f, words):
    with pytest.raises(sad.UnsupportedOperationError, match=words):
        sad.jacobian(f, X)


def assigned(A, x):
    A.data = A.data * x[0]
    return A @ x[:4]


def written(A, x):
    A[0, 0] = x[0]
    return A @ x[:4]
