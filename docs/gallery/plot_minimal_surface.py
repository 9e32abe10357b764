"""
A sparse Hessian: soap film on a bent wire
==========================================

A soap film takes the shape of least area. The area of a surface made of triangles is a sum over the grid; its Hessian
has seven entries in a row.
"""

import matplotlib.pyplot as plt
import numpy as np
import scipy.sparse.linalg

import sparsead as sad

N = 50
s = np.linspace(-0.5, 0.5, N + 2)
exact = np.log(np.cos(s)[None, :] / np.cos(s)[:, None])  # Scherk's surface (1834), minimal where it is defined


def area(z, frame):
    full = frame.copy()
    full[1:-1, 1:-1] = z
    h = 1.0 / (N + 1)
    east, north = np.diff(full, axis=1) / h, np.diff(full, axis=0) / h
    lower = np.sqrt(1.0 + east[:-1] ** 2 + north[:, :-1] ** 2)
    upper = np.sqrt(1.0 + east[1:] ** 2 + north[:, 1:] ** 2)
    return 0.5 * h**2 * (np.sum(lower) + np.sum(upper))


# %%
# Newton's method: value, gradient and Hessian come from one call. A damped step keeps the area going down.

z = np.zeros((N, N))
hess = sad.hessian(area, z, exact)
print(hess)

heights, decreases = [z], []
for _ in range(20):
    value, gradient, H = hess.value_gradient_and_hessian(z, exact)
    decreases.append(np.abs(gradient).max())
    if decreases[-1] < 1e-12:
        break
    step = -scipy.sparse.linalg.spsolve(H.tocsc(), gradient.ravel()).reshape(z.shape)
    share = 1.0
    while area(z + share * step, exact) > value + 1e-14:
        share /= 2.0
    z = z + share * step
    heights.append(z)
print(f"{len(decreases) - 1} steps, area {value:.8f}")
assert decreases[-1] < 1e-12

# %%

full = exact.copy()
full[1:-1, 1:-1] = z
fig = plt.figure(figsize=(10, 4.2), layout="constrained")
left = fig.add_subplot(1, 2, 1, projection="3d")
left.plot_surface(s[None, :], s[:, None], full, cmap="viridis", linewidth=0, rstride=2, cstride=2)
left.set_title("the film")
right = fig.add_subplot(1, 2, 2)
right.semilogy(decreases, "o-", label="largest component of the gradient")
right.semilogy([np.abs(z - exact[1:-1, 1:-1]).max() for z in heights], "s--", label="distance from Scherk's surface")
right.set(title="convergence", xlabel="step")
right.legend()

# %%
# The distance stops at the error of the grid, the gradient goes on to rounding.

assert np.abs(z - exact[1:-1, 1:-1]).max() < 1e-6
