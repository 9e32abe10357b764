"""Codes as further communities write them: lattice Boltzmann, layouts of structures, likelihoods, lines of spectra."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla

from tests.real.case import Real, case
from tests.reference import complex_step, differences


# -- lattice Boltzmann: nine populations are streamed, collide, and bounce back at an obstacle ------------------------
def lattice_step(f, obstacle, relaxation):
    """Return the populations (rows, columns, 9) one step later."""
    directions = [(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, 1), (-1, -1), (1, -1)]
    weights = [4 / 9] + 4 * [1 / 9] + 4 * [1 / 36]
    for k, (ex, ey) in enumerate(directions):
        f[:, :, k] = np.roll(np.roll(f[:, :, k], ex, axis=1), ey, axis=0)
    bounced = f[obstacle][:, [0, 3, 4, 1, 2, 7, 8, 5, 6]]
    density = f.sum(axis=2)
    ux = sum(ex * f[:, :, k] for k, (ex, _) in enumerate(directions)) / density
    uy = sum(ey * f[:, :, k] for k, (_, ey) in enumerate(directions)) / density
    equilibrium = np.zeros_like(f)
    for k, ((ex, ey), weight) in enumerate(zip(directions, weights, strict=True)):
        along = ex * ux + ey * uy
        equilibrium[:, :, k] = weight * density * (1.0 + 3.0 * along + 4.5 * along**2 - 1.5 * (ux**2 + uy**2))
    f += (equilibrium - f) / relaxation
    f[obstacle] = bounced
    return f


@case("lattice Boltzmann, D2Q9 with an obstacle (own code)", "numpy", against="complex steps")
def lattice_boltzmann() -> Real:
    rows, columns = np.mgrid[:8, :10]
    obstacle = (rows - 4) ** 2 + (columns - 3) ** 2 < 4

    def step(x):
        return lattice_step(x.reshape(8, 10, 9).copy(), obstacle, 0.7).ravel()

    x = 1.0 + 0.1 * np.random.default_rng(0).normal(size=720)
    return Real(step, x, lambda x: complex_step(step, x), same_pattern=False)


# -- layout of a structure: densities of square elements, assembled with a penalty, solved, weighed -------------------
def square_stiffness(nu=0.3):
    """Return the matrix of a bilinear square in plane stress, by Gauss's rule of 2 x 2 points."""
    C = np.array([[1.0, nu, 0.0], [nu, 1.0, 0.0], [0.0, 0.0, 0.5 * (1.0 - nu)]]) / (1.0 - nu**2)
    corners, K = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]), np.zeros((8, 8))
    for s, t in corners / np.sqrt(3.0):
        slopes = 0.5 * corners * (1.0 + corners[:, ::-1] * [t, s])
        B = np.zeros((3, 8))
        B[0, 0::2], B[1, 1::2], B[2, 0::2], B[2, 1::2] = *slopes.T, *slopes.T[::-1]
        K += 0.25 * B.T @ C @ B
    return K


def layout(nx, ny):
    """Return the unknowns of each element, and those that are free, of a beam that is held at its left side."""
    node = np.arange((nx + 1) * (ny + 1)).reshape(nx + 1, ny + 1)
    corners = np.stack([node[:-1, :-1], node[1:, :-1], node[1:, 1:], node[:-1, 1:]], axis=-1).reshape(-1, 4)
    dofs = np.stack([2 * corners, 2 * corners + 1], axis=-1).reshape(-1, 8)
    return dofs, np.arange(2 * (ny + 1), 2 * node.size)


def compliance(density, KE, dofs, free, load, penalty=3.0):
    stiffness = 1e-3 + density**penalty * (1.0 - 1e-3)
    i, j = np.repeat(dofs, 8, axis=1).ravel(), np.tile(dofs, (1, 8)).ravel()
    values = (KE.ravel()[:, None] * stiffness).ravel(order="F")
    K = sp.coo_matrix((values, (i, j)), shape=(load.size, load.size)).tocsc()
    u = np.zeros(load.size)
    u[free] = spla.spsolve(K[free, :][:, free], load[free])
    return np.sum(stiffness * ((u[dofs] @ KE) * u[dofs]).sum(axis=1))


@case("layout of a structure, assembled and solved inside, Hessian (own code)", "scipy", against="the formula")
def structure() -> Real:
    KE, (dofs, free) = square_stiffness(), layout(6, 4)
    load = np.zeros(2 * 7 * 5)
    load[-1] = -1.0

    def reference(x):  # d2 (f K^-1 f) = 2 u K_i K^-1 K_j u, less u K_ii u
        parts = np.zeros((len(dofs), load.size, load.size))
        for part, own in zip(parts, dofs, strict=True):
            part[np.ix_(own, own)] = KE
        parts = parts[:, free][:, :, free]
        K = np.tensordot(1e-3 + x**3 * (1.0 - 1e-3), parts, axes=1)
        moved = parts @ np.linalg.solve(K, load[free])
        slope, bend = 3.0 * x**2 * (1.0 - 1e-3), 6.0 * x * (1.0 - 1e-3)
        pairs = 2.0 * np.outer(slope, slope) * (moved @ np.linalg.solve(K, moved.T))
        return pairs - np.diag(bend * (moved @ np.linalg.solve(K, load[free])))

    x = np.random.default_rng(1).uniform(0.3, 0.9, len(dofs))
    return Real(lambda x: compliance(x, KE, dofs, free, load), x, reference, "hessian", tolerance=1e-9)


# -- counts: the likelihood of a regression ---------------------------------------------------------------------------
@case("negative binomial regression, Hessian (statsmodels)", "statsmodels", against="differences of its score")
def negative_binomial() -> Real:
    from statsmodels.discrete.discrete_model import NegativeBinomial

    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(80), rng.normal(size=(80, 3))])
    model = NegativeBinomial(rng.poisson(np.exp(X @ [0.5, 0.4, -0.3, 0.2])).astype(float), X)
    x = np.array([0.4, 0.3, -0.2, 0.1, 0.5])
    return Real(model.loglike, x, lambda p: differences(model.score, p, 1e-3), "hessian", tolerance=1e-9)


# -- spectra: lines that are broadened twice, on a background ---------------------------------------------------------
@case("Voigt profiles on a background (lmfit)", "lmfit", against="differences of order 8")
def spectrum() -> Real:
    from lmfit.models import ConstantModel, VoigtModel

    lines = VoigtModel(prefix="a_") + VoigtModel(prefix="b_") + ConstantModel()
    names = [f"{line}_{name}" for line in "ab" for name in ("amplitude", "center", "sigma", "gamma")]
    frequency = np.linspace(-3.0, 3.0, 41)

    def model(p):
        return lines.eval(x=frequency, **dict(zip(names, p[:8], strict=True)), c=p[8])

    x = np.array([1.0, -0.7, 0.4, 0.3, 0.8, 0.9, 0.5, 0.2, 0.1])
    return Real(model, x, lambda p: differences(model, p), tolerance=1e-9)
