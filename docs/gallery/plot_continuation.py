r"""
Continuation: around a fold
===========================

The Bratu problem, :math:`u'' + s\,e^u = 0` with :math:`u(0) = u(1) = 0`, models heat that a reaction feeds. Below a
strength :math:`s` of about 3.5138 it has two solutions, above it none. The branch that joins them is followed by
pseudo-arclength continuation: the strength becomes an unknown, and one equation more fixes the step along the branch.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import brentq

import sparsead as sad
from sparsead import solvers

n = 200
h = 1.0 / (n + 1)


def bratu(u, strength):
    p = np.pad(u, 1)
    return (p[2:] - 2.0 * p[1:-1] + p[:-2]) / h**2 + strength * np.exp(u)


def along_the_branch(z, start, tangent, step):
    return np.append(bratu(z[:-1], z[-1]), np.sum(tangent * (z - start)) - step)


# %%
# The first point is found at a fixed strength, the next ones along the tangent. Start, tangent and step are runtime
# arguments: the Jacobian, with its dense last row and column, is prepared once.

first = solvers.newton(bratu, np.zeros(n), 0.1)
assert first.success
z = np.append(first.x, 0.1)
tangent = np.zeros(n + 1)
tangent[-1] = 1.0
step = 0.5
jac = sad.jacobian(along_the_branch, z, z, tangent, step)

branch = [z]
while branch[-1][-1] > 0.05 and len(branch) < 400:
    found = solvers.newton(along_the_branch, z + step * tangent, z, tangent, step, jac=jac)
    assert found.success, found.message
    new = found.x
    tangent = (new - z) / np.linalg.norm(new - z)
    z = new
    branch.append(z)
branch = np.array(branch)
print(f"{len(branch)} points on the branch")

# %%
# The fold is known: its strength is :math:`8 / \sinh^2 a` where :math:`a \, \tanh a = 1`.

a = brentq(lambda a: a * np.tanh(a) - 1.0, 1.0, 2.0)
fold = 8.0 / np.sinh(a) ** 2
print(f"largest strength on the branch {branch[:, -1].max():.4f}, the fold is at {fold:.4f}")
assert abs(branch[:, -1].max() - fold) < 1e-3

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
left.plot(branch[:, -1], branch[:, n // 2], ".-")
left.axvline(fold, color="0.6", linestyle="--", label="the fold, exactly")
left.set(xlabel="strength", ylabel="u in the middle", title="two solutions, one branch")
left.legend()
s = np.linspace(0.0, 1.0, n + 2)
for sign, label in ((1, "cool"), (-1, "hot")):
    half = branch[: np.argmax(branch[:, -1])] if sign > 0 else branch[np.argmax(branch[:, -1]) :]
    closest = half[np.argmin(np.abs(half[:, -1] - 2.0))]
    right.plot(s, np.pad(closest[:-1], 1), label=f"{label}, strength {closest[-1]:.2f}")
right.set(xlabel="x", ylabel="u", title="solutions near strength 2")
right.legend()
