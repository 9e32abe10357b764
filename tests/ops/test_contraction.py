"""Products in all their spellings: einsum specifications, constant operands that keep their zeros, misfits."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from tests.reference import assert_close, differences, generic_points

X = generic_points(1, (2, 3, 4))[0]
ZEROS = np.array([[1.0, 0.0, 2.0], [0.0, 0.0, -1.0]])


def check(f, x=X, nnz=None):
    jac = sad.jacobian(f, x, backend="python", mode="forward")
    y, matrix = jac.value_and_jacobian(x)
    assert y.shape == np.shape(f(x))
    np.testing.assert_allclose(y, f(x), rtol=1e-13)
    assert_close(matrix.toarray(), differences(f, x))
    if nnz is not None:
        assert jac.pattern.nnz == nnz


@pytest.mark.parametrize(
    ("spec", "others"),
    [
        ("ijk->kij", []),
        ("ijk->", []),
        ("ijk->j", []),
        ("ijk", []),
        ("kij", []),
        ("i...->...", []),
        ("...k->k...", []),
        ("ijk,ijk->", [X]),
        ("ijk,ijl->ikl", [X]),
        ("ijk,lmk->jl", [X]),
        ("aik,bik->ab", [X**2]),
        ("...ij,...kj->...ik", [X]),
        ("...ij,j", [X[0, 0]]),
        ("ijk,ij,j->k", [ZEROS, ZEROS[0]]),
        ("ijk,jl,kl->il", [X[0], np.eye(4)]),
        ("ijk , jk -> i", [X[1]]),
        ("ijk,ijk,ijk->jk", [X, X]),
    ],
)
def test_einsum_agrees_with_numpy(spec, others):
    check(lambda x: np.einsum(spec, x, *others))
    if others:
        check(lambda x: np.einsum(spec, x, *(o * x.reshape(-1)[0] for o in others)))


def test_einsum_diagonals():
    square = X[0, :3, :3]
    check(lambda x: np.einsum("ii->i", x), square, nnz=3)
    check(lambda x: np.einsum("ii", x), square, nnz=3)
    check(lambda x: np.einsum("ij,jj->i", x, x), square)
    check(lambda x: np.einsum("iij->j", np.stack([x, x, x])), square)


def test_einsum_with_axis_numbers():
    check(lambda x: np.einsum(x, [0, 1, 2], x, [0, 3, 2], [1, 3]))
    check(lambda x: np.einsum(x, [2, 0, 1]))
    check(lambda x: np.einsum(x, [Ellipsis, 1], X[0, 0], [1], [Ellipsis]))


def test_constant_operands_keep_their_zeros():
    check(lambda x: np.einsum("ij,jk->ik", ZEROS, x), X[0], nnz=3 * 4)
    check(lambda x: np.einsum("ij,ijk->ik", ZEROS, x), nnz=3 * 4)
    check(lambda x: np.tensordot(ZEROS, x, axes=([1], [1])), nnz=3 * 2 * 4)
    check(lambda x: np.kron(np.eye(3), x), X[0], nnz=3 * 12)
    check(lambda x: np.outer(np.array([0.0, 1.0]), x), X[0], nnz=12)
    check(lambda x: np.convolve(x, [1.0, 0.0, 0.0, -1.0]), X[0, 0], nnz=2 * 4)
    check(lambda x: np.cross(x, [0.0, 0.0, 1.0]), X[0, :, :3], nnz=2 * 3)
    check(lambda x: x @ np.zeros((4, 5)), nnz=0)
    check(lambda x: np.stack([ZEROS, ZEROS]) @ x, nnz=2 * 3 * 4)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x @ x[0, 0],
        lambda x: x[0, 0] @ x.transpose(0, 2, 1),
        lambda x: x[0, 0] @ x[0, 1],
        lambda x: x @ x.transpose(0, 2, 1),
        lambda x: x[:, None] @ x[0].T,
        lambda x: np.dot(x, x[0].T),
        lambda x: np.dot(x, x.transpose(0, 2, 1)),
        lambda x: np.dot(x[0, 0], x.transpose(0, 2, 1)),
        lambda x: np.inner(x, x[0]),
        lambda x: np.tensordot(x, x[0], 2),
        lambda x: np.tensordot(x, x, ((0, 2), (0, 2))),
        lambda x: np.tensordot(x, x[0, 0], 0),
        lambda x: np.kron(x[0], x[1, :, :2]),
        lambda x: np.kron(x[0, 0], x),
        lambda x: x[..., :3] @ np.ones((3, 0)),
        lambda x: np.einsum("ij,jk->ik", x[0, :, :0], x[0, :0, :]),
        lambda x: np.linalg.matrix_power(x[0, :, :3], 0) * x[0, 0, 0],
        lambda x: np.convolve(x[0, 0, :2], x[0, 0], "same"),
        lambda x: np.convolve(x[0, 0], x[0, 1, :3], "valid"),
        lambda x: np.correlate(x[0, 0], x[0, 1, :3], "same"),
        lambda x: np.correlate(x[0, 0, :2], x[0, 1], "full"),
    ],
)
def test_products_between_traced_arrays(f):
    check(f)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.einsum("ij,jk->ik", x[0], x[0]),
        lambda x: np.einsum("ijk,ij->k", x, x),
        lambda x: np.tensordot(x, x, axes=1),
        lambda x: x @ x,
        lambda x: np.dot(x[0], x[0]),
    ],
)
def test_operands_that_do_not_fit_raise_as_in_numpy(f):
    with pytest.raises(ValueError, match=r"fit|axes|operands|label|dimension|mismatch|aligned"):
        sad.jacobian(f, X)


def test_hessian_by_direct_accumulation_through_an_intermediate_array():
    """Terms of an intermediate array are no mirror images of each other, though their places may look like it."""
    x, weights = X.reshape(4, 6)[:3, :4], np.linspace(1.0, 2.0, 9).reshape(3, 3)

    def f(x):
        return np.sum(weights * np.cross(x[:, :3], x[:, 1:]))

    expected = differences(lambda z: differences(f, z), x)
    for mode in ("direct", "column", "star", "acyclic"):
        assert_close(sad.hessian(f, x, mode=mode, backend="python")(x).toarray(), expected, 1e-7)
