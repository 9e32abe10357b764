r"""
Equations that are written with derivatives
===========================================

Motion from a Lagrangian, a balance of forces from an energy, the optimum from its conditions: such equations hold
derivatives, and Newton's method wants the derivative of these. Inside a function that is differentiated,
``sad.grad(g)`` and a prepared ``sad.jacobian`` are part of the function. Beside each stands what users of JAX write:
they get a dense matrix, or color it with another package.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import brentq

import sparsead as sad
from sparsead import solvers

# %%
# A double pendulum
# -----------------
# The Lagrangian is all that is written by hand. A step of length h makes the sum of
# :math:`h L\bigl(\tfrac{1}{2} (q_0 + q_1), (q_1 - q_0) / h\bigr)` along the path stationary: energy stays
# within bounds.
#
# .. code-block:: python
#
#     momentum, pull = jax.grad(action, argnums=1), jax.grad(action, argnums=0)    # JAX
#     J = jax.jacfwd(step)(q2, q1, q0)                                             # 2 x 2, dense

h = 0.01


def pendulum(q, v):
    kinetic = v[0] ** 2 + 0.5 * v[1] ** 2 + v[0] * v[1] * np.cos(q[0] - q[1])
    return kinetic + 9.81 * (2.0 * np.cos(q[0]) + np.cos(q[1]))


def steps(lagrangian, q, count):
    """Return positions at all times, from rest at q."""

    def action(q0, q1):
        return h * lagrangian(0.5 * (q0 + q1), (q1 - q0) / h)

    push, pull = sad.grad(action, argnum=1), sad.grad(action, argnum=0)

    def step(q2, q1, q0):
        return push(q0, q1) + pull(q1, q2)

    jac = sad.jacobian(step, q, q, q)
    path = [q, q]
    for _ in range(count):
        found = solvers.newton(step, 2.0 * path[-1] - path[-2], path[-1], path[-2], jac=jac)
        assert found.success, found.message
        path.append(found.x)
    return jac, np.array(path)


def energy_of(lagrangian, path):
    momentum = sad.grad(lagrangian, argnum=1)
    middles, speeds = 0.5 * (path[1:] + path[:-1]), np.diff(path, axis=0) / h
    return np.array([momentum(q, v) @ v - lagrangian(q, v) for q, v in zip(middles, speeds, strict=True)])


_, swing = steps(pendulum, np.array([1.5, 2.0]), 500)
drift = np.ptp(energy_of(pendulum, swing)) / 9.81
print(f"the energy of the double pendulum stays within {drift:.1e} of m g l")
assert drift < 0.02

# %%
# A chain of 1000 masses
# ----------------------
# The same function of another Lagrangian: now the Jacobian has three entries a row, of a million.


def chain(q, v):
    stretched = np.diff(q, prepend=0.0, append=0.0)
    return 0.5 * np.sum(v**2) - 1e4 * np.sum(0.5 * stretched**2 + 0.25 * stretched**4)


x = np.linspace(0.0, 1.0, 1000)
jac, wave = steps(chain, np.exp(-(((x - 0.5) / 0.02) ** 2)), 200)
print(f"the chain: {jac.pattern.nnz} entries of {jac.shape[0] * jac.shape[1]}, {jac.mode}")
assert jac.pattern.nnz == 3 * 1000 - 2

# %%
# Forces from an energy with a penalty
# ------------------------------------
# A membrane sags upon an obstacle. Its energy on linear triangles, and a penalty where it is below the obstacle:
# the forces are the gradient, and their Jacobian is the stiffness.
#
# .. code-block:: python
#
#     K = jax.jacfwd(jax.grad(energy))(u)    # JAX: 1521 x 1521, dense

n = 40
grid = np.linspace(0.0, 1.0, n + 1)
X, Y = np.meshgrid(grid, grid, indexing="ij")
number = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
corners = [number[:-1, :-1], number[1:, :-1], number[:-1, 1:], number[1:, 1:]]
triangles = np.concatenate([np.stack([c.ravel() for c in (corners[k] for k in t)], 1) for t in ((0, 1, 2), (3, 2, 1))])
inner = number[1:-1, 1:-1].ravel()
ground = -0.15 + 0.6 * np.exp(-40.0 * ((X - 0.5) ** 2 + (Y - 0.5) ** 2)).ravel() - 0.3


def energy(u):
    everywhere = np.zeros((n + 1) ** 2)
    everywhere[inner] = u
    a, b, c = everywhere[triangles].T  # the right angle is at the first corner
    sunk = np.minimum(everywhere - ground, 0.0)
    return 0.25 * np.sum((b - a) ** 2 + (c - a) ** 2) + np.sum(10.0 * everywhere + 5e3 * sunk**2) / n**2


forces = sad.grad(energy)
stiffness = sad.jacobian(forces, np.zeros(inner.size))
found = solvers.newton(forces, np.zeros(inner.size), jac=stiffness)
assert found.success, found.message
membrane = np.zeros((n + 1) ** 2)
membrane[inner] = found.x
touching = np.count_nonzero(membrane < ground)
print(f"the membrane: {stiffness.pattern.nnz} entries, {touching} points touch the ground")
assert touching > 0

# %%
# The conditions of an optimum
# ----------------------------
# A hanging rope of stiff links: the lowest potential energy, where each link keeps its length. The multipliers are the
# tensions. The conditions of Karush, Kuhn and Tucker hold the gradient of the energy and the Jacobian of the lengths.
#
# .. code-block:: python
#
#     def conditions(z, tension):                                             # JAX
#         return jax.grad(height)(z) + jax.vjp(lengths, z)[1](tension)[0], lengths(z)

links = 40


def joints(z):
    ends = np.zeros((1, 2)), np.array([[1.0, 0.0]])
    return np.concatenate([ends[0], z.reshape(-1, 2), ends[1]])


def height(z):
    return np.sum(joints(z)[:, 1]) / links


def lengths(z):
    return np.sum(np.diff(joints(z), axis=0) ** 2, axis=1) - (1.5 / links) ** 2


along = np.arange(1, links) / links
rope = np.stack([along, -1.8 * along * (1.0 - along)], axis=1).ravel()
slope, stretch = sad.grad(height), sad.jacobian(lengths, rope)


def conditions(z):
    at, tension = z[: rope.size], z[rope.size :]
    return np.concatenate([slope(at) + stretch(at).T @ tension, lengths(at)])


start = np.concatenate([rope, np.full(links, 0.5)])
kkt = sad.jacobian(conditions, start)
found = solvers.newton(conditions, start, jac=kkt)
assert found.success, found.message
hanging = joints(found.x[: rope.size])
K = kkt(found.x)
print(f"the rope: {K.nnz} entries of {K.shape[0] ** 2}; symmetric to {abs(K - K.T).max():.0e}")

# %%
# A rope that is long enough hangs like a hyperbolic cosine.


c = brentq(lambda c: np.sinh(0.5 / c) * 2.0 * c - 1.5, 0.1, 5.0)
catenary = c * (np.cosh((hanging[:, 0] - 0.5) / c) - np.cosh(0.5 / c))
print(f"the joints are within {abs(hanging[:, 1] - catenary).max():.1e} of it")
assert abs(hanging[:, 1] - catenary).max() < 2e-3

fig, ((one, two), (three, four)) = plt.subplots(2, 2, figsize=(10, 8), layout="constrained")
first = np.stack([np.sin(swing[:, 0]), -np.cos(swing[:, 0])], axis=1)
second = first + np.stack([np.sin(swing[:, 1]), -np.cos(swing[:, 1])], axis=1)
one.plot(*first.T, *second.T, linewidth=0.8)
one.set(title="double pendulum, five seconds", aspect="equal")
two.imshow(wave[::4], aspect="auto", extent=(0, 1000, 200 * h, 0), cmap="RdBu", vmin=-1, vmax=1)
two.set(title="chain of 1000 masses", xlabel="mass", ylabel="time")
picture = three.contourf(X, Y, membrane.reshape(X.shape), 20)
three.contour(X, Y, (membrane < ground).reshape(X.shape), [0.5], colors="white")
three.set(title="membrane, and where it touches", aspect="equal")
fig.colorbar(picture, ax=three)
four.plot(*hanging.T, ".-", label="links")
four.plot(hanging[:, 0], catenary, "--", label="catenary")
four.set(title="hanging rope", aspect="equal")
four.legend()
