"""
Newton's method: flow in a box with a moving lid
================================================

The lid of a square box slides to the right and drags the fluid along. Stream function and vorticity at every point
satisfy a nonlinear system; :func:`sparsead.solvers.newton` solves it with sparse Jacobians.
"""

import matplotlib.pyplot as plt
import numpy as np

from sparsead import solvers
from sparsead.problems import cavity

# %%
# A fast flow is reached through slower ones (continuation). The Reynolds number is an argument of the function, so
# that one prepared Jacobian serves all solves.


def steady(size):
    flow = cavity(size)
    found = solvers.newton(flow.f, flow.x0, 100.0)
    histories = {100.0: found.history}
    for reynolds in (200.0, 400.0):
        found = solvers.newton(flow.f, found.x, reynolds, jac=found.jac)
        assert found.success
        histories[reynolds] = found.history
    return found, histories


found, histories = steady(63)
print(found)

# %%
# Streamlines are level lines of the stream function. The small eddies in the lower corners turn the other way and
# are a thousand times weaker.

psi = np.pad(found.x[0], 1)
s = np.linspace(0.0, 1.0, psi.shape[0])
fig, ax = plt.subplots(figsize=(5, 5), layout="constrained")
ax.contour(
    s, s, psi.T, levels=np.linspace(psi.min(), 0.0, 14)[:-1], colors="tab:blue", linestyles="solid", linewidths=1
)
ax.contour(s, s, psi.T, levels=[1e-5, 1e-4, 3e-4], colors="tab:red", linewidths=1)
ax.set(aspect="equal", title="streamlines at Reynolds number 400", xlabel="x", ylabel="y")

# %%
# Newton's method doubles the number of correct digits in each of the last steps.

fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for reynolds, history in histories.items():
    ax.semilogy([step.residual for step in history], "o-", label=f"Re = {reynolds:.0f}")
ax.set(title="convergence", xlabel="step of Newton's method", ylabel="largest residual")
ax.legend()

# %%
# At this Reynolds number Ghia, Ghia and Shin (1982) give -0.1139 for the stream function in the centre of the main
# vortex. The error of this grid goes down with the square of its step; a second grid tells how much of it is ax.

coarse = steady(31)[0].x[0].min()
limit = (4.0 * psi.min() - coarse) / 3.0
print(f"64 cells: {psi.min():.4f}, 32 cells: {coarse:.4f}, in the limit {limit:.4f}")
assert abs(limit + 0.1139) < 5e-4
