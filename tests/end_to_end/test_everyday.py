"""What users of SciPy, autograd and packages of finite elements and volumes write every day, line by line.

Each is compared with NumPy's own value, and with differences of it: first derivatives, and where `f` has any the
second ones. What stays refused is at the end, with the words that tell what to write.
"""

from __future__ import annotations

import collections
from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.interpolate as si
import scipy.linalg as sl
import scipy.ndimage
import scipy.optimize as so
import scipy.sparse as sp
import scipy.sparse.linalg as spla
import scipy.special as sc
import scipy.stats as st

import sparsead as sad
from tests.reference import assert_close, differences

X = np.array([0.41, 1.37, 2.26, 0.93, 1.64, 0.72])
P0 = np.arange(1.0, 9.0)
W = np.cos(np.arange(6.0))
FREE = np.array([0, 2, 3, 5, 6, 7])
I6, J6 = np.array([0, 1, 2, 3, 4, 5]), np.array([1, 0, 3, 2, 5, 5])
A6 = np.diag(np.full(6, 9.0)) + np.diag(np.ones(5), 1) + np.diag(np.full(5, 0.5), -1)
S6 = A6 + A6.T
SPARSE = sp.csr_array(A6)


def after(make, write):
    """Return a function that makes an array of constants and writes unknowns into it."""

    def f(x):
        buffer = make()
        write(buffer, x)
        return buffer

    return f


def into(index, of=lambda x: x):
    def write(buffer, x):
        buffer[index] = of(x)

    return write


def scaled(buffer, x):
    buffer *= x[0]


def replaced_data(x):
    B = SPARSE * 1.0 + 0.0 * sp.diags_array(x)
    B.data = B.data * x[0]
    return B @ x


def set_diagonal(x):
    B = sp.lil_array(A6) * x[1]
    B.setdiag(x**2)
    return B @ x


def by_loops(x):
    out = 0.0
    for (i,), v in np.ndenumerate(x):
        out = out + i * v**2
    for v in np.nditer(x):
        out = out + np.sin(v)
    return out * x


def written_attributes(x):
    y = x * 1.0
    y.shape = (2, 3)
    z = np.exp(1j * y)
    z.real = y
    y.flat[2] = y.flat[0] ** 2
    return np.concatenate([y.reshape(-1), z.real.reshape(-1), z.imag.reshape(-1)])


def at(ufunc):
    def f(x):
        out = np.linspace(0.5, 1.5, 4)
        ufunc.at(out, [0, 1, 1, 3], x[:4])
        return out

    return f


def masked(x):
    y = x - 1.0
    y[y < 0] = 0.0
    return y + x[x > 1.0].sum() + np.sum(x[np.where(x > 1.0)[0]])


RANKS = ("median_filter", "maximum_filter1d", "grey_erosion")  # they have no rule


def into_room(name):
    room = np.zeros(6)
    getattr(scipy.ndimage, name)(W, 3, output=room)
    return room


def queue(x):
    return collections.deque([*x, x[0] * x[1]], maxlen=6)


EVERYDAY = {
    # arrays of constants that are written to
    "free and fixed": after(lambda: P0.copy(), into(FREE, np.sin)),
    "scaled in place": after(lambda: np.arange(3.0), scaled),
    "negated": after(lambda: -P0, into(FREE)),
    "sum": after(lambda: W + 1, into(slice(None), np.exp)),
    "linspace": after(lambda: np.linspace(0, 1, 8), into(FREE)),
    "repeat": after(lambda: np.repeat([1.0, 2.0], 4), into(FREE)),
    "diag": after(lambda: np.diag(W), into((I6, J6), np.square)),
    "concatenate": after(lambda: np.concatenate([P0, W]), into(FREE)),
    "indexed": after(lambda: P0[[3, 1, 2, 0, 5, 4]], into(slice(0, 6), np.cos)),
    # lists
    "sum of a list": lambda x: np.sum([x, x**2], axis=0),
    "mean of a list": lambda x: np.mean([x[0], x[1] ** 2]) * x,
    "max of a list": lambda x: np.max([x[0] * x[1], x[2]]) * x,
    "maximum of a list": lambda x: np.maximum([x[0], x[1], x[2] ** 2], 1.0),
    "det of a list": lambda x: np.linalg.det([[x[0], 1.0], [x[1], x[2]]]) * x,
    "matrix times a list": lambda x: A6[:3, :3] @ [x[0], x[1] ** 2, 1.0],
    "fromiter": lambda x: np.fromiter((v * v for v in x), float),
    # sparse matrices of unknowns
    "diags": lambda x: sp.diags(x) @ x,
    "triplets": lambda x: sp.csr_array((x**2, (I6, J6)), shape=(6, 6)) @ x,
    "number times": lambda x: (x[0] * SPARSE) @ x,
    "multiply": lambda x: SPARSE.multiply(x) @ x,
    "implicit Euler": lambda x: (sp.eye_array(6) - 0.1 * x[0] * SPARSE) @ x,
    "data": replaced_data,
    "setdiag": set_diagonal,
    # solves
    "spsolve": lambda x: spla.spsolve(SPARSE.tocsc(), x) + spla.spsolve(sp.diags_array(x).tocsc(), x**3),
    "splu": lambda x: spla.splu(SPARSE.tocsc()).solve(x) + spla.splu((x[0] * SPARSE).tocsc()).solve(x),
    "factorized": lambda x: spla.factorized(SPARSE.tocsc())(x**2),
    "solve_banded": lambda x: sl.solve_banded((1, 1), np.stack([W, 9.0 + x, x]), x),
    "solveh_banded": lambda x: sl.solveh_banded(np.stack([0.1 * x, 9.0 + x]), x),
    "cho_solve": lambda x: sl.cho_solve(sl.cho_factor(S6 + np.diag(x)), x),
    "lu_solve": lambda x: sl.lu_solve(sl.lu_factor(A6 + np.diag(x)), x),
    "dense solve": lambda x: np.linalg.solve(A6 + np.outer(x, x), x) + sl.solve(A6, x),
    "stacked": lambda x: np.linalg.solve(np.stack([A6, S6]) + np.diag(x), np.stack([x, x * x])[..., None])[..., 0],
    "inverse, determinant": lambda x: np.linalg.inv(A6 + np.diag(x)) @ x + np.linalg.slogdet(A6 + np.diag(x))[1],
    "cholesky": lambda x: np.linalg.cholesky(S6 + np.outer(x, x)) @ x,
    "eigenvalues": lambda x: np.linalg.eigvalsh(np.diag(np.arange(6.0)) + 0.1 * np.outer(x, x)),
    "singular values": lambda x: np.linalg.svd(np.diag(np.arange(1.0, 7.0)) + 0.1 * np.outer(x, x))[1],
    "root": lambda x: sad.extend.implicit(lambda u, p: u**3 + u - p)(np.ones(6), x) * x,
    "root by a solver": lambda x: sad.extend.implicit(
        lambda u, p: u**3 + u - p, lambda u0, p: so.newton(lambda u: u**3 + u - p, u0, tol=1e-14)
    )(np.ones(6), x),
    # powers of complex numbers, views
    "complex base": lambda x: np.real((1j * W) ** x[0]) + np.imag((1j * 2.0) ** x),
    "complex exponent": lambda x: np.real(x**1j) + np.imag((x + 1j) ** (1 + 2j)),
    "complex sparse": lambda x: np.abs((SPARSE * 1j) @ np.exp(1j * x)) + np.real((SPARSE + 1j * SPARSE) @ x),
    "complex einsum": lambda x: np.abs(np.einsum("i,ij,j->i", np.exp(1j * x), A6 + 1j, np.exp(2j * x))),
    "complex array": lambda x: np.imag(np.array(x, dtype=complex) * 1j * x),
    "views": lambda x: np.exp(1j * x).view(float) * np.concatenate([x, x]) + np.abs(x.view(complex)).sum(),
    # what crashed
    "factors of constants": lambda x: np.linalg.svd(A6)[1] * x + np.linalg.qr(A6).R[0] + np.linalg.eigh(S6).eigenvalues,
    "compress": lambda x: x.compress([True, False, True]) ** 2,
    "choose": lambda x: np.choose([0, 1, 1, 0, 1, 0], [x, x**2]),
    "attributes": written_attributes,
    "walks": by_loops,
    "divmod": lambda x: divmod(3.0 * x, 0.7)[1] * divmod(3.0 * x, 0.7)[0] + x % 0.3 + x // 0.3,
    "xor": lambda x: np.where((x > 1.0) ^ (x > 2.0), x**2, x),
    "by keyword": lambda x: np.stack(arrays=[x, x**2]).sum(axis=0) + np.append(arr=x[:3], values=x[3:]),
    "dtype": lambda x: np.concatenate([x, x**2], dtype=float),
    "out": lambda x: np.dot(A6, x, np.empty(6)) * x,
    "hasattr": lambda x: x * hasattr(x, "values") + x**2,
    "one axis": lambda x: si.RegularGridInterpolator((np.arange(6.0),), W)(x),
    "ufunc.at": lambda x: np.concatenate([at(np.multiply)(x), at(np.maximum)(x), at(np.minimum)(x), at(np.add)(x)]),
    "windows": lambda x: np.lib.stride_tricks.sliding_window_view(x, 3).max(axis=1),
    "means of some": lambda x: np.mean(x, where=x > 1.0) * x,
    "polynomials": lambda x: np.polynomial.Polynomial(x[:3])(W) + np.polynomial.chebyshev.chebval(W, x[3:]),
    "tables": lambda x: np.interp(W, np.linspace(-1, 1, 6), x) + si.CubicSpline(np.arange(6.0), x)(W + 2.0),
    "integrals": lambda x: np.append(scipy.integrate.cumulative_trapezoid(x**2), scipy.integrate.simpson(x)),
    "special": lambda x: sc.jv(1, x) + sc.kv(0.5, x) + sc.gammainc(2.0, x) + sc.lambertw(x).real + sc.polygamma(1, x),
    "densities": lambda x: st.norm.logpdf(x, x[0], 2.0) + st.gamma.cdf(x, 2.0) + st.t.logpdf(x, 4.0),
    "fractions": lambda x: np.asarray(Fraction(1, 3) * x + x ** Fraction(3, 2), dtype=float),
    "selections": masked,
    "rooms for filters": lambda x: sum(into_room(name) for name in RANKS) * x,
    "a queue": lambda x: np.where(np.array(queue(x)) > 1.0, queue(x), 0.5) + np.max(queue(x)),
    "of short lists": lambda x: max(x[0], x[1]) * x + min([*x]) + sorted([*x[:4]])[1],
}
MODES = ["edge", "wrap", "reflect", "symmetric", "constant", "linear_ramp", "maximum", "mean", "median", "minimum"]
EVERYDAY |= {f"pad {mode}": lambda x, mode=mode: np.pad(x**2, (2, 3), mode=mode) for mode in MODES}


def compare(f, x=X):
    jac = sad.jacobian(f, x, check=False, backend="python")
    np.testing.assert_allclose(jac.value(x), np.asarray(f(x.copy()), dtype=float), rtol=1e-12, atol=1e-13)
    assert_close(jac(x).toarray(), differences(lambda x: f(x.copy()), x), 1e-8)
    hess = sad.hessian(lambda x: np.sum(np.sin(f(x))), x, check=False, backend="python")
    assert_close(hess.gradient(x), differences(lambda x: np.sum(np.sin(f(x.copy()))), x)[0], 1e-8)
    assert_close(hess(x).toarray(), differences(hess.gradient, x), 1e-6)


@pytest.mark.parametrize("name", EVERYDAY)
def test_everyday_code_has_the_right_derivative(name):
    compare(EVERYDAY[name])


def test_an_array_kept_from_an_earlier_trace():
    kept = []
    with pytest.raises(sad.SparseADError, match="keeps a traced value in a list"):
        sad.jacobian(lambda x: kept.append(x * 2.0) or x, X)


def formatted(x):
    return x * float(f"{x[0]:.2f}")


def own_bug(x):
    return x * undefined  # noqa: F821


REFUSED = {
    "two shapes": (lambda x: (x[0], x[:2], "text"), "text|str|array"),
    "a text": (formatted, "parsing a text made of an unknown"),
    "masked arrays": (lambda x: np.ma.masked_array(x, mask=x < 1.0).mean(), r"np.where\(mask, fill, x\)"),
    "a root in a container": (
        lambda x: so.brentq(lambda u, p=[x]: u**3 + u - p[0][0], 0, 5),
        r"in a container(.|\n)*sparsead.extend.implicit",
    ),
    "a fixed point": (lambda x: so.fixed_point(lambda u: np.cos(u) * x, x), r"fixed_point(.|\n)*extend.implicit"),
    "roots by Broyden": (
        lambda x: so.broyden1(lambda u: u**3 + u - x, np.ones(6)),
        r"scipy.optimize(.|\n)*extend.implicit",
    ),
    "a minimum": (lambda x: so.minimize(lambda u: np.sum((u - x) ** 2), X).x, r"minimize(.|\n)*implicit\(gradient"),
    "an integral": (lambda x: scipy.integrate.quad(lambda t: np.exp(-x[0] * t), 0, 1)[0], r"quad(.|\n)*leggauss"),
    "steps": (lambda x: scipy.integrate.solve_ivp(lambda t, y: -x * y, (0, 1), W).y[:, -1], r"solve_ivp(.|\n)*repeat"),
    "iterations": (lambda x: spla.cg(S6, x)[0], r"scipy.sparse.linalg.cg(.|\n)*spsolve"),
    "matrix functions": (lambda x: sl.sqrtm(np.outer(x, x)), r"np.linalg.eigh"),
    "largest filter": (lambda x: __import__("scipy.ndimage").ndimage.maximum_filter(x, 3), "sliding_window_view"),
    "fields of a structured array": (
        lambda x: after(lambda: np.zeros(6, [("a", float)]), into("a"))(x)["a"],
        "dataclass",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_with_what_to_write(name):
    f, words = REFUSED[name]
    with pytest.raises(sad.SparseADError, match=words) as caught:
        sad.jacobian(f, X)
    assert "File" in str(caught.value)


def test_a_bug_of_the_users_own_is_the_users_own():
    with pytest.raises(NameError, match="undefined"):
        sad.jacobian(own_bug, X)


@pytest.mark.parametrize("x0", [None, sp.csr_array(np.eye(2)), [[1.0], [1.0, 2.0]], X.astype(object), "x"])
def test_poor_starting_points_are_named(x0):
    with pytest.raises((sad.SparseADError, TypeError, ValueError)) as caught:
        sad.jacobian(lambda x: x, x0)
    assert "dtype object" not in str(caught.value) or x0 is not None


def test_swapped_arguments_and_other_functions():
    with pytest.raises(sad.InputError, match="function"):
        sad.jacobian(X, lambda x: x)
    with pytest.raises(sad.InputError, match=r"jacobian|prepared"):
        sad.check(lambda x: x, X)
