"""Codes as four communities write them: finite volumes, finite elements, Gaussian processes, equations of state."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import scipy.sparse as sp
import scipy.sparse.linalg as spla

from tests.real.case import Real, case
from tests.reference import complex_step, differences


# -- finite volumes: a matrix of two-point fluxes is assembled and multiplied -----------------------------------------
def fluxes(temperature, cells, left, right):
    """Return the balance of heat in each cell; the conductivity depends on the temperature."""
    conductivity = 1.0 + 0.5 * temperature**2
    transmissibility = 2.0 / (1.0 / conductivity[left] + 1.0 / conductivity[right])
    values = np.concatenate([transmissibility, transmissibility, -transmissibility, -transmissibility])
    i = np.concatenate([left, right, left, right])
    j = np.concatenate([left, right, right, left])
    A = sp.csr_array((values, (i, j)), shape=(cells, cells))
    return A @ temperature + np.exp(-temperature)


@case("finite volumes, assembled csr_array (own code)", "scipy", against="complex steps of the sum over faces")
def finite_volumes() -> Real:
    number = np.arange(144).reshape(12, 12)
    left = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    right = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])

    def by_faces(u):
        k = 1.0 + 0.5 * u**2
        flux = 2.0 / (1.0 / k[left] + 1.0 / k[right]) * (u[left] - u[right])
        r = np.exp(-u)
        np.add.at(r, left, flux)
        np.add.at(r, right, -flux)
        return r

    x = np.random.default_rng(0).uniform(0.5, 1.5, number.size)
    return Real(
        lambda u: fluxes(u, number.size, left, right), x, lambda u: complex_step(by_faces, u), same_pattern=True
    )


# -- finite elements: a truss is assembled, solved and weighed ---------------------------------------------------------
def compliance(areas, nodes, bars, free, load):
    """Return the work of a load on a truss of bars of these areas."""
    K = sp.lil_array((2 * len(nodes), 2 * len(nodes)))
    for area, (a, b) in zip(areas, bars, strict=True):
        along = nodes[b] - nodes[a]
        length = np.linalg.norm(along)
        block = area / length**3 * np.outer(along, along)
        dofs = [2 * a, 2 * a + 1, 2 * b, 2 * b + 1]
        for p in range(4):
            for q in range(4):
                K[dofs[p], dofs[q]] += (1.0 if p // 2 == q // 2 else -1.0) * block[p % 2, q % 2]
    u = spla.spsolve(K.tocsc()[free][:, free], load)
    return load @ u


@case("truss, assembled and solved inside, Hessian (own code)", "scipy", against="the formula with the inverse")
def truss() -> Real:
    rng = np.random.default_rng(1)
    nodes = np.array([[i, j] for i in range(4) for j in range(2)], dtype=float) + 0.05 * rng.normal(size=(8, 2))
    bars = np.array([(a, b) for a in range(8) for b in range(a) if np.linalg.norm(nodes[a] - nodes[b]) < 1.7])
    free = np.arange(4, 16)
    load = rng.normal(size=free.size)

    def stiffnesses():
        for a, b in bars:
            along = nodes[b] - nodes[a]
            direction = np.zeros(16)
            direction[[2 * a, 2 * a + 1]], direction[[2 * b, 2 * b + 1]] = -along, along
            yield np.outer(direction[free], direction[free]) / np.linalg.norm(along) ** 3

    def reference(x):  # d2 (f K^-1 f) = 2 u K_i K^-1 K_j u
        parts = np.array(list(stiffnesses()))
        K = np.tensordot(x, parts, axes=1)
        moved = parts @ np.linalg.solve(K, load)
        return 2.0 * moved @ np.linalg.solve(K, moved.T)

    x = rng.uniform(0.5, 1.5, len(bars))
    return Real(lambda x: compliance(x, nodes, bars, free, load), x, reference, "hessian", tolerance=1e-11)


# -- Gaussian processes: the likelihood of the textbook (Rasmussen & Williams 2006, algorithm 2.1) ---------------------
def negative_log_likelihood(log_theta, X, y):
    length, deviation, noise = np.exp(log_theta)
    K = deviation**2 * np.exp(-0.5 * (X[:, None] - X[None, :]) ** 2 / length**2) + noise**2 * np.eye(len(X))
    L = np.linalg.cholesky(K)
    alpha = scipy.linalg.solve_triangular(L.T, scipy.linalg.solve_triangular(L, y, lower=True))
    return 0.5 * y @ alpha + np.sum(np.log(np.diag(L))) + 0.5 * len(X) * np.log(2.0 * np.pi)


@case("Gaussian process, n = 50, Hessian (own code)", "scipy", against="derivatives of the gradient by its formula")
def gaussian_process() -> Real:
    rng = np.random.default_rng(2)
    X = np.sort(rng.uniform(0.0, 5.0, 50))
    y = np.sin(2.0 * X) + 0.1 * rng.normal(size=50)
    squares = (X[:, None] - X[None, :]) ** 2

    def gradient(log_theta):  # 0.5 trace((K^-1 - a a^T) dK)
        length, deviation, noise = np.exp(log_theta)
        smooth = deviation**2 * np.exp(-0.5 * squares / length**2)
        inverse = np.linalg.inv(smooth + noise**2 * np.eye(50))
        alpha = inverse @ y
        slopes = [smooth * squares / length**2, 2.0 * smooth, 2.0 * noise**2 * np.eye(50)]
        return np.array([0.5 * np.sum((inverse - np.outer(alpha, alpha)) * slope) for slope in slopes])

    x = np.log([0.8, 1.1, 0.2])
    return Real(
        lambda p: negative_log_likelihood(p, X, y), x, lambda p: differences(gradient, p, 1e-3), "hessian",
        tolerance=1e-9,
    )  # fmt: skip


# -- equations of state: an inner Newton loop for the density ---------------------------------------------------------
def peng_robinson(T, P):
    """Return the compressibility of methane, by Newton's method (Peng & Robinson 1976)."""
    Tc, Pc, omega = 190.56, 4.599e6, 0.0115
    kappa = 0.37464 + 1.54226 * omega - 0.26992 * omega**2
    alpha = (1.0 + kappa * (1.0 - np.sqrt(T / Tc))) ** 2
    A = 0.45724 * alpha * P * Tc**2 / (Pc * T**2)
    B = 0.0778 * P * Tc / (Pc * T)
    Z = np.ones_like(T)
    for _ in range(25):
        f = Z**3 - (1.0 - B) * Z**2 + (A - 3.0 * B**2 - 2.0 * B) * Z - (A * B - B**2 - B**3)
        slope = 3.0 * Z**2 - 2.0 * (1.0 - B) * Z + (A - 3.0 * B**2 - 2.0 * B)
        Z = Z - f / slope
    return Z


@case("equation of state, Newton's method inside (own code)", "numpy", against="the implicit function theorem")
def equation_of_state() -> Real:
    T, P = np.linspace(230.0, 350.0, 40), np.linspace(1e6, 6e6, 40)

    def residual(state):
        Z, T, P = state[:40], state[40:80], state[80:]
        Tc, Pc, omega = 190.56, 4.599e6, 0.0115
        kappa = 0.37464 + 1.54226 * omega - 0.26992 * omega**2
        A = 0.45724 * (1.0 + kappa * (1.0 - np.sqrt(T / Tc))) ** 2 * P * Tc**2 / (Pc * T**2)
        B = 0.0778 * P * Tc / (Pc * T)
        return Z**3 - (1.0 - B) * Z**2 + (A - 3.0 * B**2 - 2.0 * B) * Z - (A * B - B**2 - B**3)

    def reference(x):
        slopes = complex_step(residual, np.concatenate([peng_robinson(x[:40], 1e6 * x[40:]), x[:40], 1e6 * x[40:]]))
        return -np.linalg.solve(slopes[:, :40], slopes[:, 40:] * np.repeat([1.0, 1e6], 40))

    x = np.concatenate([T, 1e-6 * P])
    return Real(lambda x: peng_robinson(x[:40], 1e6 * x[40:]), x, reference, tolerance=1e-11, same_pattern=False)
