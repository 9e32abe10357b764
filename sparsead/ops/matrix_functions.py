"""The rest of scipy.linalg for traced matrices: names of what NumPy has, matrix functions, special matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from sparsead.errors import unsupported
from sparsead.ops import solves
from sparsead.ops.arrays import assembled
from sparsead.ops.decompositions import full_rank_inverse
from sparsead.ops.implicit import carried, held, restated
from sparsead.ops.over_stacks import over_stacks
from sparsead.ops.registry import patched, refused, spelling_of
from sparsead.program.room import require_numbers, require_products
from sparsead.tracing.array import TracedArray
from sparsead.tracing.complex import TracedComplex, is_complex
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.known import complex_of_parts
from sparsead.tracing.order import order_wanted, second_order_wanted

EIGH: Any = scipy.linalg.eigh
SVD: Any = np.linalg.svd
EIGH_OF_NUMPY: Any = np.linalg.eigh


# -- what NumPy has -----------------------------------------------------------------------------------------------
@patched(scipy.linalg.svd, lambda x: scipy.linalg.svd(x, full_matrices=False)[0] ** 2)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, overwrite_a: bool = False,
        check_finite: bool = True, lapack_driver: str = "gesdd") -> Any:  # fmt: skip
    """``scipy.linalg.svd``."""
    result: Any = SVD(a, full_matrices=full_matrices, compute_uv=compute_uv)
    return tuple(result) if compute_uv else result


@patched(scipy.linalg.svdvals, lambda x: scipy.linalg.svdvals(x))
def svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """``scipy.linalg.svdvals``."""
    return np.linalg.svdvals(a)


@patched(scipy.linalg.qr, lambda x: scipy.linalg.qr(x)[1], lambda x: scipy.linalg.qr(x.T, mode="economic")[0] ** 2)
@over_stacks(a=2)
def qr(a: Any, overwrite_a: bool = False, lwork: Any = None, mode: str = "full", pivoting: bool = False,
       check_finite: bool = True) -> Any:  # fmt: skip
    """``scipy.linalg.qr``."""
    (m, n) = np.shape(a)[-2:]
    if pivoting or mode == "raw":
        raise unsupported("scipy.linalg.qr with pivoting=True or mode='raw'", "Leave pivoting and mode='raw' out.")
    if mode == "r":
        r = np.linalg.qr(a, mode="r")
        return (np.concatenate([r, np.zeros((m - n, n))]) if m > n else r,)
    if mode == "full" and m > n:
        raise unsupported(
            "scipy.linalg.qr with mode='full' of a tall matrix",
            "Use mode='economic': the columns beyond are an arbitrary basis, which has no derivative.",
        )
    return tuple(np.linalg.qr(a))


@patched(scipy.linalg.pinv, lambda x: scipy.linalg.pinv(x + 2.0 * np.eye(3, 4)))
def pinv(a: Any, *, atol: Any = None, rtol: Any = None, return_rank: bool = False, check_finite: bool = True) -> Any:
    """``scipy.linalg.pinv``: of matrices of full rank."""
    if rtol is None and atol is None:
        inverse = np.linalg.pinv(a)
    elif is_complex(a):
        raise unsupported("scipy.linalg.pinv of complex values with rtol= or atol=", "Leave them out.")
    else:
        inverse = full_rank_inverse(a, rtol, 0.0 if atol is None else atol)
    return (inverse, min(np.shape(a))) if return_rank else inverse


@patched(scipy.linalg.lstsq, lambda x: scipy.linalg.lstsq(x[:, :2], x[:, 3])[0])
@over_stacks(a=2, b=2)
def lstsq(a: Any, b: Any, cond: Any = None, overwrite_a: bool = False, overwrite_b: bool = False,
          check_finite: bool = True, lapack_driver: Any = None) -> Any:  # fmt: skip
    """``scipy.linalg.lstsq``."""
    x, rest, rank, s = np.linalg.lstsq(a, b, rcond=cond)
    return x, (rest[0] if np.ndim(b) == 1 and np.size(rest) else rest), rank, s


def _spectral(x: Any) -> Any:
    return x[:, :3] @ x[:, :3].T + np.diag([0.0, 3.0, 7.0])


@patched(
    scipy.linalg.eigh,
    lambda x: scipy.linalg.eigh(_spectral(x))[1][0] ** 2,
    lambda x: scipy.linalg.eigh(_spectral(x), x @ x.T + np.eye(3), eigvals_only=True),
)
def eigh(a: Any, b: Any = None, *, lower: bool = True, eigvals_only: bool = False, overwrite_a: bool = False,
         overwrite_b: bool = False, type: int = 1, check_finite: bool = True, subset_by_index: Any = None,
         subset_by_value: Any = None, driver: Any = None) -> Any:  # fmt: skip
    """``scipy.linalg.eigh``, the generalized problem too: of simple spectra."""
    if type != 1 or subset_by_value is not None:
        raise unsupported("scipy.linalg.eigh with type= or subset_by_value=", "Leave them out.")
    chosen = slice(None) if subset_by_index is None else slice(subset_by_index[0], subset_by_index[1] + 1)
    uplo = "L" if lower else "U"
    if b is None:
        if eigvals_only:
            return EIGH_OF_NUMPY(a, uplo).eigenvalues[..., chosen]
        w, v = solves.eigh(stack_objects(a), lower, _by_scipy(lower, driver, subset_by_index))
        return w[..., chosen], v[..., chosen]
    if np.shape(a) != np.shape(b):
        raise ValueError(f"scipy.linalg.eigh: matrices of shapes {np.shape(a)} and {np.shape(b)}")
    full_a, full_b = (_completed(stack_objects(c), lower) for c in (a, b))
    inverse = np.linalg.inv(np.linalg.cholesky(full_b))
    w, v = EIGH_OF_NUMPY(inverse @ full_a @ np.swapaxes(inverse, -1, -2), uplo)
    if eigvals_only:
        return w[..., chosen]
    return w[..., chosen], (np.swapaxes(inverse, -1, -2) @ v)[..., chosen]


def _by_scipy(lower: bool, driver: Any, subset: Any) -> Any:
    """Return what computes all eigenvectors, with the signs that SciPy gives to those that are asked for."""

    def function(a: np.ndarray, _: str) -> tuple[np.ndarray, np.ndarray]:
        w, v = EIGH(a, lower=lower, driver=driver if subset is None else None)
        if subset is not None:
            v[..., subset[0] : subset[1] + 1] = EIGH(a, lower=lower, driver=driver, subset_by_index=subset)[1]
        return w, v

    return function


def _completed(a: Any, lower: bool) -> Any:
    """Return the symmetric matrix of one triangle."""
    half, strict = (np.tril(a), np.tril(a, -1)) if lower else (np.triu(a), np.triu(a, 1))
    return half + np.swapaxes(strict, -1, -2)


@patched(scipy.linalg.eigvalsh, lambda x: scipy.linalg.eigvalsh(_spectral(x)))
def eigvalsh(a: Any, b: Any = None, *, lower: bool = True, **options: Any) -> Any:
    """``scipy.linalg.eigvalsh``."""
    return eigh(a, b, lower=lower, eigvals_only=True, **options)


@patched(scipy.linalg.norm, lambda x: scipy.linalg.norm(x), lambda x: scipy.linalg.norm(x, 1, axis=0))
def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True) -> Any:
    """``scipy.linalg.norm``."""
    return np.linalg.norm(a, ord, axis, keepdims)


# -- matrix functions ---------------------------------------------------------------------------------------------
def _slopes(a: np.ndarray) -> np.ndarray:
    """Return the derivatives of exp(A), (..., n, n), by those of A: (..., n * n, n * n), a row for one of exp(A)."""
    n = a.shape[-1]
    blocks = np.zeros((*a.shape[:-2], n * n, 2 * n, 2 * n))
    blocks[..., :n, :n] = blocks[..., n:, n:] = a[..., None, :, :]
    blocks[..., :n, n:] = np.eye(n * n).reshape(n * n, n, n)
    found = scipy.linalg.expm(blocks)[..., :n, n:]
    return np.swapaxes(found.reshape(*a.shape[:-2], n * n, n * n), -1, -2)


def _curvatures(a: np.ndarray) -> np.ndarray:
    """Return the derivatives of `_slopes` by the elements of A: (..., n**4, n * n)."""
    n = a.shape[-1]
    units = np.eye(n * n).reshape(n * n, n, n)
    blocks = np.zeros((*a.shape[:-2], n * n, n * n, 4, n, 4, n))
    for k in range(4):
        blocks[..., k, :, k, :] = a[..., None, None, :, :]
    blocks[..., 0, :, 1, :] = blocks[..., 2, :, 3, :] = units[:, None]
    blocks[..., 0, :, 2, :] = blocks[..., 1, :, 3, :] = units[None]
    found = scipy.linalg.expm(blocks.reshape(*blocks.shape[:-4], 4 * n, 4 * n))[..., :n, 3 * n :]
    found = found.reshape(*a.shape[:-2], n * n, n * n, n * n)
    return np.moveaxis(found, -1, -3).reshape(*a.shape[:-2], n**4, n * n)


@patched(
    scipy.linalg.expm,
    lambda x: scipy.linalg.expm(x[:, :3]),
    lambda x: scipy.linalg.expm(np.stack([x[:2, :2], 4.0 * x[1:, 2:]])),
)
def expm(A: Any) -> Any:
    """``scipy.linalg.expm``, up to second derivatives, by exponentials of block matrices (Higham and Relton 2014).

    The derivatives of all elements by all are held: ``n**4`` numbers, and ``n**6`` for second derivatives.
    """
    a = stack_objects(A)
    if np.ndim(a) < 2 or np.shape(a)[-1] != np.shape(a)[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    if isinstance(a, TracedComplex):
        return _of_complex(a)
    name, (*batch, n, _) = "scipy.linalg.expm", np.shape(a)
    require_products(float(np.prod(batch)) * n ** (2 + 2 * min(order_wanted(), 2)), f"the derivatives of {name}")
    value, carrier = carried(name, scipy.linalg.expm, np.shape(a), a)
    if order_wanted() == 0:
        return value
    if order_wanted() > 2:
        raise unsupported(f"{name} under a third derivative", "Write it with np.linalg.eigh, or as a power series.")
    change = np.reshape(a - held(a), (*batch, n * n, 1))
    slopes, slopes_carrier = carried(name, _slopes, (*batch, n * n, n * n), a)
    value = value + np.reshape(slopes @ change, np.shape(a))
    if not second_order_wanted():
        return value
    curvatures, _ = carried(name, _curvatures, (*batch, n**4, n * n), a)
    again = restated(slopes + np.reshape(curvatures @ change, np.shape(slopes)), slopes_carrier)
    return restated(value, carrier, along=[again])


def _of_complex(a: TracedComplex) -> Any:
    """Return the exponential of a complex matrix: that of the real matrix which multiplies pairs as it does."""
    n = np.shape(a)[-1]
    real, imag = np.real(a), np.imag(a)
    rows = [np.concatenate(row, axis=-1) for row in ((real, -imag), (imag, real))]
    both = expm(np.concatenate(rows, axis=-2))
    return complex_of_parts(traced(both[..., :n, :n]), traced(both[..., n:, :n]))


@patched(
    scipy.linalg.solve_sylvester,
    lambda x: scipy.linalg.solve_sylvester(x[:, :3] + 3.0 * np.eye(3), 1.0 / (1.0 + np.arange(16.0).reshape(4, 4)), x),
)
@over_stacks(a=2, b=2, q=2)
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """``scipy.linalg.solve_sylvester``: one linear system for all elements, so for small matrices."""
    a, b, q = (stack_objects(v) for v in (a, b, q))
    m, n = np.shape(a)[0], np.shape(b)[0]
    system = np.kron(a, np.eye(n)) + np.kron(np.eye(m), np.transpose(b))
    return np.reshape(np.linalg.solve(system, np.reshape(q, -1)), (m, n))


@patched(
    scipy.linalg.solve_continuous_lyapunov,
    lambda x: scipy.linalg.solve_continuous_lyapunov(x[:, :3] + 3.0 * np.eye(3), x @ x.T),
)
@over_stacks(a=2, q=2)
def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """``scipy.linalg.solve_continuous_lyapunov``."""
    return solve_sylvester(a, np.transpose(stack_objects(a)), q)


refused(
    scipy.linalg.sqrtm, scipy.linalg.logm, scipy.linalg.funm, scipy.linalg.fractional_matrix_power,
    scipy.linalg.cosm, scipy.linalg.sinm,
    because="Matrix functions have no rule here, but for expm and powers.",
    instead="Of a symmetric matrix: w, v = np.linalg.eigh(a), and (v * f(w)) @ v.T; or sparsead.extend.implicit.",
    dispatching=False,
)  # fmt: skip
refused(
    scipy.linalg.lu, scipy.linalg.ldl, scipy.linalg.schur, scipy.linalg.hessenberg, scipy.linalg.eig,
    scipy.linalg.eigvals, scipy.linalg.null_space, scipy.linalg.orth, scipy.linalg.polar,
    because="This factorization has no rule here.",
    instead="np.linalg.solve, inv, det, slogdet, cholesky, eigh, svd, qr, pinv and lstsq have one.",
    dispatching=False,
)  # fmt: skip


# -- special matrices ---------------------------------------------------------------------------------------------
def special(func: Any, *samples: Any) -> None:
    """State a function that makes a matrix of elements of its arguments, and of zeros."""

    @patched(func, *samples)
    def rule(*args: Any, **named: Any) -> TracedArray:
        given = [a for a in (*args, *named.values()) if a is not None]
        side = sum(max(np.shape(np.atleast_1d(a))) for a in given)  # no such matrix is larger
        require_numbers(float(side) ** 2, spelling_of(func))
        return assembled(func, *given)


special(scipy.linalg.circulant, lambda x: scipy.linalg.circulant(x[0]))
special(
    scipy.linalg.toeplitz,
    lambda x: scipy.linalg.toeplitz(x[0]),
    lambda x: scipy.linalg.toeplitz(x[0], np.r_[x[0, :1], x[1]]),
)
special(scipy.linalg.hankel, lambda x: scipy.linalg.hankel(x[0]), lambda x: scipy.linalg.hankel(x[0], x[1]))
special(scipy.linalg.block_diag, lambda x: scipy.linalg.block_diag(x, x[:1, :2], [1.0, 2.0]))
