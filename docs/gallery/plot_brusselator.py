"""
Reaction and diffusion: a stiff system in time
==============================================

The Brusselator on a square: two species react and diffuse. Diffusion makes the system stiff, so the integrator is
implicit and wants the Jacobian, 3200 x 3200 here, with six entries in a row.
"""

# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp

import coloring
import sparsead as sad
from sparsead import solvers

# %%
# The function is plain NumPy. ``np.roll`` makes the square periodic.

N = 40


def laplacian(w):
    return N**2 * (np.roll(w, 1, 0) + np.roll(w, -1, 0) + np.roll(w, 1, 1) + np.roll(w, -1, 1) - 4.0 * w)


def rates(t, y, alpha):
    u, v = y.reshape(2, N, N)
    du = 1.0 + u**2 * v - 4.4 * u + alpha * laplacian(u)
    dv = 3.4 * u - u**2 * v + alpha * laplacian(v)
    return np.stack([du, dv]).ravel()


x = np.arange(N) / N
u0 = 22.0 * (x * (1.0 - x)) ** 1.5
y0 = np.stack([np.tile(u0[:, None], N), np.tile(27.0 / 22.0 * u0, (N, 1))]).ravel()

# %%
# The pattern is found once and holds for every state. Reactions couple the two species at each point, diffusion couples
# neighbours.

alpha = 2e-3
jac = solvers.ivp_jacobian(rates, 0.0, y0, alpha)
pattern = sad.jacobian_pattern(rates, 0.0, y0, alpha, argnum=1)
print(f"{pattern.nnz} entries; in passes they would take {coloring.color(pattern).num_colors} products with J")

fig, ax = plt.subplots(figsize=(5, 5), layout="constrained")
pattern.spy(ax)
ax.set_title("where the Jacobian has entries")

# %%
# BDF with the exact Jacobian:

t = np.linspace(0.0, 12.0, 121)
solution = solve_ivp(rates, (0.0, 12.0), y0, method=solvers.BDF, jac=jac, args=(alpha,), t_eval=t)
assert solution.success
print(f"{solution.nfev} evaluations of the rates, {solution.njev} Jacobians, {solution.nlu} factorisations")

u = solution.y[: N**2].reshape(N, N, -1)
fig, axes = plt.subplots(1, 4, figsize=(11, 3), layout="constrained", sharey=True)
for ax, k in zip(axes, (0, 30, 60, 120), strict=True):
    picture = ax.imshow(u[:, :, k].T, origin="lower", extent=(0, 1, 0, 1), vmin=0.0, vmax=4.0)
    ax.set_title(f"u at t = {solution.t[k]:.0f}")
fig.colorbar(picture, ax=axes, shrink=0.8)

# %%
# Each point oscillates; diffusion passes the oscillation on.

fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
for i in (0, 10, 20):
    ax.plot(solution.t, u[i, i], label=f"({x[i]:.2f}, {x[i]:.2f})")
ax.set(xlabel="t", ylabel="u")
ax.legend(title="at")
