"""Statistics of scipy.stats as sums and means, densities of several variables, and densities of samples."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import scipy.special as sc

from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced, is_traced, known
from sparsead.ops.filters import Imported
from sparsead.ops.registry import patched_later, record
from sparsead.ops.special import logsumexp
from sparsead.tracing.conversions import stack_objects
from sparsead.tracing.replacing.methods import replace_method

st = Imported("scipy.stats")  # for the samples
stats = functools.partial(patched_later, "scipy.stats")
SINGULAR = 1e6 * np.finfo(float).eps  # of the largest eigenvalue: what is below counts as zero in SciPy
LOG_2PI = math.log(2.0 * math.pi)


# -- of samples -------------------------------------------------------------------------------------------------------
@stats("zscore", lambda x: st.zscore(x, axis=1), lambda x: st.zscore(x, ddof=1))
def zscore(a: Any, axis: Any = 0, ddof: int = 0) -> Any:
    """``scipy.stats.zscore``."""
    return (a - np.mean(a, axis, keepdims=True)) / np.std(a, axis, ddof=ddof, keepdims=True)


@stats("gmean", lambda x: st.gmean(x), lambda x: st.gmean(x, axis=None))
def gmean(a: Any, axis: Any = 0, *, weights: Any = None) -> Any:
    """``scipy.stats.gmean``."""
    return np.exp(np.average(np.log(a), axis, weights))


@stats("hmean", lambda x: st.hmean(x, axis=1))
def hmean(a: Any, axis: Any = 0, *, weights: Any = None) -> Any:
    """``scipy.stats.hmean`` of positive numbers."""
    return 1.0 / np.average(np.divide(1.0, a), axis, weights)


@stats("pmean", lambda x: st.pmean(x, 2.5))
def pmean(a: Any, p: Any, *, axis: Any = 0, weights: Any = None) -> Any:
    """``scipy.stats.pmean`` of positive numbers."""
    return gmean(a, axis, weights=weights) if p == 0 else np.average(np.power(a, p), axis, weights) ** (1.0 / p)


@stats("sem", lambda x: st.sem(x))
def sem(a: Any, axis: Any = 0, ddof: int = 1) -> Any:
    """``scipy.stats.sem``."""
    count = np.size(a) if axis is None else np.shape(a)[axis]
    return np.std(a, axis, ddof=ddof) / math.sqrt(count)


@stats("variation", lambda x: st.variation(x, axis=1))
def variation(a: Any, axis: Any = 0, *, ddof: int = 0) -> Any:
    """``scipy.stats.variation``."""
    return np.std(a, axis, ddof=ddof) / np.mean(a, axis)


@stats("moment", lambda x: st.moment(x, 3), lambda x: st.moment(x, 2, axis=1, center=0.1))
def moment(a: Any, order: int = 1, axis: Any = 0, *, center: Any = None) -> Any:
    """``scipy.stats.moment``."""
    if np.ndim(order) or (order == 1 and center is None):
        raise unsupported(f"scipy.stats.moment of order {order}", "Orders from 2 on, one at a time; the first is zero.")
    return np.mean((a - (np.mean(a, axis, keepdims=True) if center is None else center)) ** order, axis)


@stats("skew", lambda x: st.skew(x), lambda x: st.skew(x, axis=1))
def skew(a: Any, axis: Any = 0) -> Any:
    """``scipy.stats.skew``."""
    return moment(a, 3, axis) / moment(a, 2, axis) ** 1.5


@stats("kurtosis", lambda x: st.kurtosis(x, axis=1), lambda x: st.kurtosis(x, fisher=False, axis=None))
def kurtosis(a: Any, axis: Any = 0, fisher: bool = True) -> Any:
    """``scipy.stats.kurtosis``."""
    return moment(a, 4, axis) / moment(a, 2, axis) ** 2 - (3.0 if fisher else 0.0)


@stats("entropy", lambda x: st.entropy(x), lambda x: st.entropy(x, x[::-1] ** 2, base=2.0, axis=1))
def entropy(pk: Any, qk: Any = None, base: Any = None, axis: Any = 0) -> Any:
    """``scipy.stats.entropy``."""
    p = pk / np.sum(pk, axis=axis, keepdims=True)
    terms = sc.entr(p) if qk is None else sc.rel_entr(p, qk / np.sum(qk, axis=axis, keepdims=True))
    return np.sum(terms, axis=axis) / (1.0 if base is None else math.log(base))


@stats("boxcox", lambda x: st.boxcox(x[0], 0.3))
def boxcox(x: Any, lmbda: Any = None) -> Any:
    """``scipy.stats.boxcox`` with a parameter that is given."""
    if lmbda is None:
        raise unsupported("scipy.stats.boxcox that looks for lmbda", "Give lmbda, or make it an unknown.")
    return sc.boxcox(x, lmbda)


def _array(value: Any) -> Any:
    """Return numbers or lists, known or not, as an array."""
    value = stack_objects(value)
    return value if is_traced(value) else np.asarray(known(value, ""), dtype=np.float64)


# -- densities of several variables -----------------------------------------------------------------------------------
def _distance(x: Any, center: Any, matrix: Any, rcond: float | None = None) -> tuple[int, Any, Any]:
    """Return the dimension, the squared distance in the norm of a positive matrix, and the logarithm of its det.

    With `rcond` a matrix that SciPy would take for singular is an error at the call.
    """
    x, center, matrix = (_array(v) for v in (x, 0.0 if center is None else center, matrix))
    dim = max(np.shape(matrix)[-1] if np.ndim(matrix) else 1, np.shape(center)[-1] if np.ndim(center) else 1)
    if np.ndim(matrix) < 2:
        matrix = np.diag(np.broadcast_to(matrix, dim))
    deviation = np.reshape(x - center, (-1, dim)) if dim > 1 else np.reshape(x - center, (-1, 1))
    whole = np.shape(x)[:-1] if dim > 1 else np.shape(x)
    pulled = np.linalg.solve(matrix, deviation.T) if rcond is None else np.linalg.pinv(matrix, rcond) @ deviation.T
    squares = np.sum(deviation * pulled.T, axis=-1)
    several = tuple(length for length in whole if length != 1)  # SciPy squeezes its densities
    return dim, np.reshape(squares, several), np.linalg.slogdet(matrix)[1]


def normal(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    """Return the logarithm of the density of ``scipy.stats.multivariate_normal``, of regular covariances."""
    if allow_singular and not any_traced(cov):
        cov = known(stack_objects(cov), "a covariance")
        spectrum = np.linalg.eigvalsh(np.diag(cov) if np.ndim(cov) == 1 else np.atleast_2d(cov))
        if np.min(spectrum) <= SINGULAR * np.max(np.abs(spectrum)):
            raise unsupported("multivariate_normal of a singular covariance", "Let the covariance be regular.")
    dim, squares, log_det = _distance(x, mean, cov, SINGULAR if allow_singular else None)
    return -0.5 * (dim * LOG_2PI + log_det + squares)


def student(x: Any, loc: Any = None, shape: Any = 1, df: Any = 1) -> Any:
    """Return the logarithm of the density of ``scipy.stats.multivariate_t``."""
    dim, squares, log_det = _distance(x, loc, shape)
    scale = sc.gammaln(0.5 * (df + dim)) - sc.gammaln(0.5 * df) - 0.5 * dim * np.log(df * math.pi)
    return scale - 0.5 * log_det - 0.5 * (df + dim) * np.log1p(squares / df)


def dirichlet(x: Any, alpha: Any) -> Any:
    """Return the logarithm of the density of ``scipy.stats.dirichlet``, of shares that add up to one."""
    x, alpha = _array(x), _array(alpha)
    if np.shape(x)[0] != np.size(alpha):
        raise unsupported(
            "dirichlet of unknown shares without the last one", "Give all of them: np.append(p, 1 - sum)."
        )
    scale = sc.gammaln(np.sum(alpha)) - np.sum(sc.gammaln(alpha))
    return scale + np.sum(sc.xlogy(alpha - 1.0, np.moveaxis(x, 0, -1)), axis=-1)


def multinomial(x: Any, n: Any, p: Any) -> Any:
    """Return the logarithm of the probabilities of ``scipy.stats.multinomial``, of constant counts."""
    x, p = np.asarray(known(x, "scipy.stats.multinomial at counts")), _array(p)
    if (x < 0).any() or (x != np.floor(x)).any() or (x.sum(axis=-1) != n).any():
        raise unsupported("scipy.stats.multinomial outside of its support", "Leave those out.")
    return sc.gammaln(n + 1.0) + np.sum(sc.xlogy(x, p) - sc.gammaln(x + 1.0), axis=-1)


class Frozen:
    """What stands for a distribution of unknown parameters."""

    def __init__(self, log_density: Any, *parameters: Any, **named: Any) -> None:
        self._log_density, self._parameters, self._named = log_density, parameters, named

    def logpdf(self, x: Any) -> Any:
        """Return the logarithm of the density."""
        return self._log_density(x, *self._parameters, **self._named)

    def pdf(self, x: Any) -> Any:
        """Return the density."""
        return np.exp(self.logpdf(x))

    logpmf, pmf = logpdf, pdf


def _several(name: str, log_density: Any, discrete: bool = False, frozen: tuple[str, ...] = ()) -> None:
    """State a distribution of several variables; frozen ones hold their parameters under these names."""
    home, (density, logarithm) = "scipy.stats._multivariate", ("pmf", "logpmf") if discrete else ("pdf", "logpdf")
    replace_method(home, f"{name}_gen", "__call__", lambda original, own, *p, **o: Frozen(log_density, *p, **o))
    for cls, parameters in ((f"{name}_gen", None), (f"{name}_frozen", frozen)):

        def logarithmic(original: Any, own: Any, x: Any, *args: Any, _held: Any = parameters, **options: Any) -> Any:
            held = () if _held is None else tuple(functools.reduce(getattr, n.split("."), own) for n in _held)
            return log_density(x, *held, *args, **options)

        replace_method(home, cls, logarithm, logarithmic)
        replace_method(home, cls, density, lambda *given, _of=logarithmic, **o: np.exp(_of(*given, **o)))
    record("composite", f"scipy.stats.{name}", [SAMPLES[name]])


SAMPLES: dict[str, Any] = {
    "multivariate_normal": lambda x: st.multivariate_normal.logpdf(
        x[:, :2], x[0, 2:], np.eye(2) + np.outer(x[0, :2], x[0, :2])
    ),
    "multivariate_t": lambda x: st.multivariate_t.logpdf(x[:, :2], [0.1, 0.2], np.eye(2) + 0.5, 4.0),
    "dirichlet": lambda x: st.dirichlet.logpdf([0.2, 0.3, 0.5], x[0, :3] + 1.0),
    "multinomial": lambda x: st.multinomial.logpmf([1, 2, 0, 3], 6, x[0] / np.sum(x[0])),
}
_several("multivariate_normal", normal, frozen=("mean", "cov_object.covariance"))
_several("multivariate_t", student, frozen=("loc", "shape", "df"))
_several("dirichlet", dirichlet, frozen=("alpha",))
_several("multinomial", multinomial, discrete=True, frozen=("n", "p"))


# -- densities of samples ---------------------------------------------------------------------------------------------
def _log_kernel(original: Any, kde: Any, points: Any) -> Any:
    """Return the logarithm of a kernel density estimate from constant data, at unknown points."""
    at = np.atleast_2d(_array(points))
    at = np.reshape(at, (kde.d, 1)) if at.shape[0] == 1 and at.shape[1] == kde.d and kde.d > 1 else at
    apart = at[:, None, :] - kde.dataset[:, :, None]
    energy = 0.5 * np.sum(apart * np.tensordot(kde.inv_cov, apart, axes=1), axis=0)
    scale = 0.5 * (kde.d * LOG_2PI + np.linalg.slogdet(kde.covariance)[1])
    return logsumexp(-energy, axis=0, b=kde.weights[:, None]) - scale


def _kernel(original: Any, kde: Any, points: Any) -> Any:
    return np.exp(_log_kernel(original, kde, points))


for _name in ("__call__", "evaluate", "pdf"):
    replace_method("scipy.stats", "gaussian_kde", _name, _kernel)
replace_method("scipy.stats", "gaussian_kde", "logpdf", _log_kernel)
record("composite", "scipy.stats.gaussian_kde", [lambda x: st.gaussian_kde([0.1, 0.5, 0.6])(x[0])])
