r"""
Implicit time steps: two phases separate
========================================

The Cahn-Hilliard equation describes a mixture that separates,

.. math:: u_t = \Delta (u^3 - u - \varepsilon^2 \Delta u).

Its fourth derivatives forbid explicit steps. Implicit Euler solves a nonlinear system for every step, with a Jacobian
of thirteen entries in a row.
"""

import matplotlib.pyplot as plt
import numpy as np

import sparsead as sad
from sparsead import solvers

N = 48
eps = 1.5 / N


def laplacian(w):
    return N**2 * (np.roll(w, 1, 0) + np.roll(w, -1, 0) + np.roll(w, 1, 1) + np.roll(w, -1, 1) - 4.0 * w)


def implicit_euler(u, old, dt):
    return u - old - dt * laplacian(u**3 - u - eps**2 * laplacian(u))


def energy(u):
    slopes = (np.roll(u, -1, 0) - u) ** 2 + (np.roll(u, -1, 1) - u) ** 2
    return np.mean(0.25 * (u**2 - 1.0) ** 2) + 0.5 * eps**2 * np.sum(slopes)


# %%
# Old state and step size are arguments, so the Jacobian is prepared once. Steps that Newton's method finds easy are
# followed by longer ones.

u = 0.05 * np.random.default_rng(0).standard_normal((N, N))
jac = sad.jacobian(implicit_euler, u, u, 1e-5)
print(jac)

t, dt = 0.0, 1e-5
times, energies, pictures = [t], [energy(u)], {0.0: u}
wanted = [1e-3, 1e-2, 5e-2]
mean = u.mean()
while t < 5e-2:
    found = solvers.newton(implicit_euler, u, u, dt, jac=jac)
    if not found.success:
        dt /= 2.0
        continue
    t, u = t + dt, found.x
    dt *= 1.3 if found.nit <= 4 else 0.8
    times.append(t)
    energies.append(energy(u))
    if wanted and t >= wanted[0]:
        wanted.pop(0)
        pictures[t] = u
print(f"{len(times) - 1} steps, the last of {dt:.1e}")

# %%
# The equation conserves mass and lowers the energy. So do the steps.

assert abs(u.mean() - mean) < 1e-9
assert np.all(np.diff(energies) < 1e-12)

fig, axes = plt.subplots(1, 4, figsize=(12, 3.2), layout="constrained")
for ax, (time, state) in zip(axes, pictures.items(), strict=True):
    ax.imshow(state, vmin=-1.0, vmax=1.0, cmap="RdBu")
    ax.set_title(f"t = {time:.2g}")
    ax.axis("off")

# %%

fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.semilogx(times[1:], energies[1:], ".-")
ax.set(xlabel="t", ylabel="energy", title="energy and the steps taken")
