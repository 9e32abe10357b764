"""What to write in place of functions of NumPy and SciPy that compute on memory: the next step of their refusals.

A refusal looks here for the function that the user's line calls: by its name, then by its module.
"""

from __future__ import annotations

from types import FrameType, FunctionType
from typing import NamedTuple

from sparsead.errors import is_users, package_of
from sparsead.tracing.reflection import module_of

ROOTS = (
    "The derivative of a root is that of its equation: sparsead.extend.implicit(residual, solve) stands for the solver "
    "in a traced function.\n  Or make the root an unknown, with its equation among yours."
)
MINIMA = (
    "At a minimum the gradient vanishes: sparsead.extend.implicit(gradient, solve) stands for the minimizer in a "
    "traced function."
)
ITERATIVE = (
    "scipy.sparse.linalg.spsolve and np.linalg.solve have derivatives; so has "
    "sparsead.extend.implicit(lambda u, ...: A @ u - b, solve), whatever solves."
)
STEPS = (
    "Its steps depend on the values. Write steps of a fixed size, a loop, which is traced (sparsead.extend.repeat for "
    "many); or wrap the integrator and its sensitivities by sparsead.extend.operation."
)
NODES = (
    "Its nodes depend on the values. Nodes and weights that are fixed are traced: np.polynomial.legendre.leggauss(n), "
    "scipy.integrate.fixed_quad, or simpson of a fine table; between unknown ends substitute, t = a + (b - a) * s."
)
WINDOWS = "np.max, np.min and np.median of np.lib.stride_tricks.sliding_window_view of np.pad(x, ...) are traced."
MASKED = (
    "Keep values and mask apart: np.where(mask, fill, x), np.sum(x, where=~mask), np.mean(x, where=~mask); or "
    "np.nanmean and its kin, of NaN where nothing is."
)
FIELDS = "Keep an array for each field, in a dict or a dataclass: both can be unknowns, and results."

# A function, or a module -> the next step.
NEXT: dict[str, str] = {
    "statistics": "np.mean, np.median, np.var and np.std (ddof=1 for variance and stdev) are traced, of lists too.",
    "numpy.ma": MASKED,
    "numpy.lib.stride_tricks": "np.lib.stride_tricks.sliding_window_view(x, window) is traced; every k-th window is a "
    "slice of it, [::k]. Other views: x[start::step], x.reshape(...), np.broadcast_to(x, shape).",
    "numpy.rec": FIELDS,
    "numpy.lib.recfunctions": FIELDS,
    "scipy.optimize": ROOTS,
    **dict.fromkeys(
        map("scipy.optimize.".__add__, ["minimize", "minimize_scalar", "least_squares", "curve_fit", "nnls",
            "lsq_linear", "linprog", "fmin", "fmin_bfgs", "fminbound", "leastsq", "brent"]),
        MINIMA,
    ),
    "scipy.optimize.approx_fprime": "sparsead.gradient and jacobian are traced inside of functions, and are exact.",
    "scipy.integrate": STEPS,
    **dict.fromkeys(map("scipy.integrate.".__add__, ["quad", "quad_vec", "dblquad", "tplquad", "nquad", "cubature"]),
                    NODES),
    "scipy.interpolate": "CubicSpline, PchipInterpolator, Akima1DInterpolator, make_interp_spline, interp1d, "
    "RectBivariateSpline, RegularGridInterpolator and np.interp are traced: at unknown points, of unknown ordinates.",
    "scipy.sparse.linalg": ITERATIVE,
    **dict.fromkeys(map("scipy.sparse.linalg.".__add__, ["eigs", "eigsh", "svds", "lobpcg"]),
                    "np.linalg.eigh, eigvalsh and svd of A.toarray() have derivatives."),
    "scipy.linalg": "np.linalg.solve, inv, det, slogdet, cholesky, eigh, svd, qr, pinv and lstsq have derivatives; "
    "so have scipy.linalg.expm, solve_banded, solve_triangular, toeplitz and circulant.",
    "scipy.ndimage": "Linear filters (convolve, gaussian_filter, sobel, zoom, shift, map_coordinates, ...) are traced. "
    + WINDOWS,
    "scipy.signal": "Linear filters of constant coefficients (lfilter, filtfilt, sosfilt, savgol_filter, convolve, "
    "resample, ...) are traced; so is np.fft. " + WINDOWS,
    "scipy.stats": "pdf, logpdf, cdf, sf, ppf and their logarithms are traced for most distributions. Moments are "
    "sums: np.mean, np.var, np.cov, np.median; write others with these.",
    "scipy.spatial": "Which points are near differs from call to call: build trees and triangulations of constant "
    "points, outside. cdist, pdist and distance_matrix of unknown points are traced.",
    "scipy.spatial.transform": "Constant rotations are applied to unknown vectors: rotation.apply(v). Of unknown "
    "angles write the matrix, with np.cos, np.sin and np.cross.",
    "scipy.special": "Its derivative is not stated here. If you know it: "
    "sparsead.extend.elementwise(function, derivative).",
    "scipy.fft": "fft, rfft, dct, dst and their kin are traced; fht is a sum that a constant matrix makes as well.",
}  # fmt: skip
PACKAGES = {
    "matplotlib": "While it is traced, a function has no values to draw: draw outside, from jac.value(x).",
    "pandas": "Arithmetic, sums and means of its columns are traced. Write others with NumPy, of the values: "
    "np.bincount(codes, weights=x) for groups, np.lib.stride_tricks.sliding_window_view for windows.",
}
PASSING = ("sparsead.tracing.replacing.standins", "sparsead.ops.filling")  # hand calls on as they are
RENAMED = {
    "numpy.ma.core": "numpy.ma",
    "numpy.ma.extras": "numpy.ma",
    "numpy.rec.records": "numpy.rec",
    "numpy.lib._stride_tricks_impl": "numpy.lib.stride_tricks",
    "numpy._core.records": "numpy.rec",
}


class LibraryCall(NamedTuple):
    """A function of a library that the user's code called, and what to write instead, if that is known."""

    name: str
    library: str
    instead: str


def library_call(frame: FrameType) -> LibraryCall | None:
    """Return the function of NumPy or SciPy in which a frame is, that the user's code called; None if in none.

    Where the code is that of a package for which the next step is known, it is the package.
    """
    asking: list[FrameType] = []
    while frame.f_back is not None and not is_users(frame.f_code.co_filename):
        asking.append(frame)
        frame = frame.f_back
    package = package_of(frame.f_code.co_filename)
    if package in PACKAGES:
        return LibraryCall(f"a function of {package}", package, PACKAGES[package])
    return call_of(asking)


def call_of(asking: list[FrameType]) -> LibraryCall | None:
    """Return the function of such a library that frames belong to, inner ones first, the outer one called by users."""
    while asking and _module(asking[-1]).partition(".")[0] not in ("numpy", "scipy", "statistics"):
        if _module(asking[-1]).partition(".")[0] == "sparsead" and _module(asking[-1]) not in PASSING:
            return None
        asking.pop()
    return _named(asking) if asking else None


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _named(frames: list[FrameType]) -> LibraryCall:
    wrapped = _wrapped(frames[-1])
    module = _module(frames[-1]) if wrapped is None else module_of(wrapped)
    module = RENAMED.get(module, module.partition("._")[0])
    name = f"{module}.{_called(frames)}"
    whole, instead = name, ""
    while whole and not instead:
        instead, whole = NEXT.get(whole, ""), whole.rpartition(".")[0]
    return LibraryCall(name.replace("numpy", "np"), module.partition(".")[0], instead)


def _wrapped(frame: FrameType) -> FunctionType | None:
    """Return the function of a library that a frame is wrapped around, by a decorator, whose frame knows it."""
    if "<locals>" not in getattr(frame.f_code, "co_qualname", ""):
        return None
    held = (v for v in frame.f_locals.values() if isinstance(v, FunctionType))
    return next((v for v in held if module_of(v).partition(".")[0] in ("numpy", "scipy")), None)


def _called(frames: list[FrameType]) -> str:
    """Return the name of what was called of a library, frames inner ones first: not of what is wrapped around it."""
    outer = frames[-1]
    name = getattr(outer.f_code, "co_qualname", outer.f_code.co_name)
    if "<locals>" in name:
        wrapped = _wrapped(outer)
        name = getattr(wrapped, "__qualname__", name.rpartition(".")[2])
    own, _, method = name.rpartition(".")
    return str(own if method in ("__init__", "__new__", "__call__") and own else name)
