"""Linear algebra of complex matrices, by the real matrices that multiply pairs (real part, imaginary part) alike.

An entry ``a + ib`` becomes the block ``[[a, -b], [b, a]]``. Inverses, solutions and Cholesky factors of such matrices
are such matrices again, so their derivatives of every order are those of `sparsead.ops.linalg`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsead.ops import complex as complex_rules  # noqa: F401  (stated first)
from sparsead.ops import solves
from sparsead.ops.arrays import any_traced, known
from sparsead.ops.complex import joined
from sparsead.ops.decompositions import Arbitrary, SVDResult, singular
from sparsead.ops.implicit import carried, held, restated
from sparsead.ops.linalg import EighResult, SlogdetResult, _square
from sparsead.ops.registry import record
from sparsead.tracing.complex import COMPLEX_HANDLERS, is_complex, parts
from sparsead.tracing.conversions import stack_objects


def _of_pairs(a: Any) -> Any:
    """Return the real matrices, (..., 2n, 2n), of complex ones."""
    real, imag = parts(a)
    imag = np.zeros(np.shape(real)) if imag is None else imag
    rows = [np.stack([real, -imag], axis=-1), np.stack([imag, real], axis=-1)]
    m, n = np.shape(real)[-2:]
    return np.reshape(np.stack(rows, axis=-3), (*np.shape(real)[:-2], 2 * m, 2 * n))


def _of_blocks(m: Any) -> tuple[Any, Any]:
    """Return real and imaginary parts of the complex matrices of real ones."""
    return m[..., ::2, ::2], m[..., 1::2, ::2]


def inv(a: Any) -> Any:
    """``np.linalg.inv``."""
    _square(a, "np.linalg.inv")
    return joined(*_of_blocks(np.linalg.inv(_of_pairs(a))))


def solve(a: Any, b: Any) -> Any:
    """``np.linalg.solve``; one of the two may be real."""
    _square(a, "np.linalg.solve")
    if np.ndim(b) == 1:
        return solve(a, np.reshape(b, (-1, 1)))[..., 0]
    real, imag = parts(b)
    k = np.shape(real)[-1]
    if not is_complex(a):
        both = np.linalg.solve(a, np.concatenate([real, imag], axis=-1))
        return joined(both[..., :k], both[..., k:])
    imag = np.zeros(np.shape(real)) if imag is None else imag
    pairs = np.stack([real, imag], axis=-2)
    found = np.linalg.solve(_of_pairs(a), np.reshape(pairs, (*np.shape(real)[:-2], 2 * np.shape(real)[-2], k)))
    return joined(found[..., ::2, :], found[..., 1::2, :])


def _angle(m: np.ndarray) -> np.ndarray:
    real, imag = _of_blocks(m)
    return np.angle(np.linalg.slogdet(real + 1j * imag)[0])


def _logarithm(a: Any) -> tuple[Any, Any]:
    """Return real and imaginary part of the logarithm of the determinant: ``d(log(det(A))) = trace(inv(A) @ dA)``."""
    pairs = _of_pairs(a)
    size = 0.5 * np.linalg.slogdet(pairs)[1]
    angle, carrier = carried("np.linalg.slogdet", _angle, np.shape(pairs)[:-2], pairs)
    w, _, along = solves._inverse(pairs, solves._inverse_or_nan)
    (real, imag), change = _of_blocks(w), pairs - held(pairs)
    change_real, change_imag = _of_blocks(change)
    turned = np.swapaxes(real, -1, -2) * change_imag + np.swapaxes(imag, -1, -2) * change_real
    return size, restated(angle + np.sum(turned, axis=(-2, -1)), carrier, along=along)


def slogdet(a: Any) -> SlogdetResult:
    """``np.linalg.slogdet``: a number of modulus 1, and the logarithm of the modulus."""
    if not _square(a, "np.linalg.slogdet"):
        return SlogdetResult(np.ones(np.shape(a)[:-2], complex), np.zeros(np.shape(a)[:-2]))
    size, angle = _logarithm(a)
    return SlogdetResult(joined(np.cos(angle), np.sin(angle)), size)


def det(a: Any) -> Any:
    """``np.linalg.det``; where it is 0 it has no derivative here."""
    sign, logarithm = slogdet(a)
    return sign * np.exp(logarithm)


def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """``np.linalg.cholesky``: of one triangle, and the real parts on the diagonal."""
    n = _square(a, "np.linalg.cholesky")
    a = np.conjugate(np.swapaxes(a, -1, -2)) if upper else a
    real, imag = parts(a)
    lower = joined(real, imag * (1.0 - np.eye(n)))
    real, imag = _of_blocks(np.linalg.cholesky(_of_pairs(lower)))
    factor = joined(real, np.tril(imag, -1))
    return np.conjugate(np.swapaxes(factor, -1, -2)) if upper else factor


def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """``np.linalg.eigvalsh``: every eigenvalue is there twice in the real matrix, with vectors that span a plane.

    ``dw = trace(V.T @ dA @ V) / 2`` for the two columns V of one plane; how they lie in it does not matter.
    """
    n = _square(a, "np.linalg.eigvalsh")
    real, imag = parts(a)
    lower = UPLO.upper() == "L"
    half, strict = (np.tril, -1) if lower else (np.triu, 1)
    real = half(real) + np.swapaxes(half(real, strict), -1, -2)
    imag = half(imag, strict) - np.swapaxes(half(imag, strict), -1, -2)
    w, _ = solves.eigh(_of_pairs(joined(real, imag)), multiple=2)
    return np.mean(np.reshape(w, (*np.shape(w)[:-1], n, 2)), axis=-1)


def eigh(a: Any, UPLO: str = "L") -> EighResult:
    """``np.linalg.eigh``: the eigenvalues; the vectors are refused if used."""
    beyond = Arbitrary(
        "looking at the eigenvectors of a complex matrix",
        "They are known up to a factor of modulus 1, which LAPACK chooses: no derivative. Use the eigenvalues.",
    )
    return EighResult(eigvalsh(a, UPLO), beyond)


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """``np.linalg.pinv``: of matrices of full rank."""
    if hermitian:  # NumPy looks at the lower half only
        strictly = np.tril(a, -1)
        a = np.tril(a) - 1j * np.diagonal(a).imag * np.eye(np.shape(a)[-1]) + np.conj(np.swapaxes(strictly, -1, -2))
    return joined(*_of_blocks(np.linalg.pinv(_of_pairs(a), rcond, rtol=rtol)))


def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """``np.linalg.lstsq``: of matrices of full rank, if they are traced; one of the two may be real."""
    a, b = stack_objects(a), stack_objects(b)
    (m, n), columns = np.shape(a), b[:, None] if np.ndim(b) == 1 else b
    if np.shape(b)[0] != m:
        raise np.linalg.LinAlgError("Incompatible dimensions")
    inverse: Any
    if any_traced(a):
        rtol: Any = None if rcond is None or rcond < 0 else rcond
        inverse, rank, s = np.linalg.pinv(a, rtol=rtol), min(m, n), np.linalg.svdvals(a)
    else:
        inverse, _, rank, s = np.linalg.lstsq(np.asarray(known(a, "")), np.eye(m), rcond)
    x = inverse @ columns
    missed = columns - a @ x
    rest = np.sum(missed.real**2 + missed.imag**2, axis=0) if rank == n < m else np.zeros(0)
    return x if np.ndim(b) > 1 else x[:, 0], rest, rank, s


def svdvals(x: Any, /) -> Any:
    """``np.linalg.svdvals``: every singular value is there twice in the real matrix."""
    s = singular(_of_pairs(x), multiple=2)[1]
    return np.mean(np.reshape(s, (*np.shape(s)[:-1], np.shape(s)[-1] // 2, 2)), axis=-1)


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """``np.linalg.svd``: the singular values; the vectors are refused if used."""
    if not compute_uv:
        return svdvals(a)
    beyond = Arbitrary(
        "looking at the singular vectors of a complex matrix",
        "They are known up to a factor of modulus 1, which LAPACK chooses: no derivative. Use the singular values.",
    )
    return SVDResult(beyond, svdvals(a), beyond)


def cond(x: Any, p: Any = None) -> Any:
    """``np.linalg.cond``."""
    if p in (None, 2, -2):
        s = svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    axes = (-2, -1)
    return np.linalg.norm(x, p, axis=axes) * np.linalg.norm(np.linalg.inv(x), p, axis=axes)


COMPLEX_HANDLERS |= {
    np.linalg.pinv: pinv, np.linalg.lstsq: lstsq, np.linalg.svd: svd, np.linalg.svdvals: svdvals,
    np.linalg.cond: cond,
    np.linalg.inv: inv, np.linalg.solve: solve, np.linalg.det: det, np.linalg.slogdet: slogdet,
    np.linalg.cholesky: cholesky, np.linalg.eigvalsh: eigvalsh, np.linalg.eigh: eigh,
}  # fmt: skip


def _matrix(x: Any) -> Any:
    return x[:, :3] + 1j * x[:, 1:] ** 2 + 2.0 * np.eye(3)


def _hermitian(x: Any) -> Any:
    return _matrix(x) @ np.conj(_matrix(x).T)


record("complex", "np.linalg.inv of complex values", [lambda x: np.linalg.inv(_matrix(x)).imag])
record(
    "complex",
    "np.linalg.solve of complex values",
    [
        lambda x: np.linalg.solve(_matrix(x), x[:, 3]).real,
        lambda x: np.linalg.solve(_matrix(x), x + 1j).imag,
        lambda x: np.linalg.solve(2 * np.eye(3), 1j * x).imag,
    ],
)
record("complex", "np.linalg.det of complex values", [lambda x: np.linalg.det(_matrix(x)).imag])
record("complex", "np.linalg.slogdet of complex values", [lambda x: np.linalg.slogdet(_matrix(x))[0].real])
record("complex", "np.linalg.cholesky of complex values", [lambda x: np.linalg.cholesky(_hermitian(x)[:2, :2]).imag])
record("complex", "np.linalg.eigvalsh of complex values", [lambda x: np.linalg.eigvalsh(_hermitian(x))])
record("complex", "np.linalg.eigh of complex values", [lambda x: np.linalg.eigh(_hermitian(x))[0]])
record("complex", "np.linalg.pinv of complex values", [lambda x: np.linalg.pinv(_matrix(x)[:, :2]).imag])
record(
    "complex",
    "np.linalg.lstsq of complex values",
    [
        lambda x: np.linalg.lstsq(_matrix(x)[:, :2], x[:, 3])[0].real,
        lambda x: np.linalg.lstsq(np.array([[2.0, 1.0], [0.5, 3.0], [1.0, -1.0]]), 1j * x)[1],
    ],
)
record("complex", "np.linalg.svdvals of complex values", [lambda x: np.linalg.svdvals(_matrix(x)[:2])])
record("complex", "np.linalg.svd of complex values", [lambda x: np.linalg.svd(_matrix(x))[1]])
record("complex", "np.linalg.cond of complex values", [lambda x: np.linalg.cond(_matrix(x))])
