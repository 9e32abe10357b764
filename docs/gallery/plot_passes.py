"""
How many passes: Hessians of known functions
============================================

A Hessian with n columns is had from far fewer than n products. How few depends on the coloring: columns that share no
row, stars, or acyclic sets, which use the symmetry. Direct accumulation, the default where it is cheaper, needs none.
"""

import matplotlib.pyplot as plt
import numpy as np

import sparsead as sad
from sparsead.problems import minimal_surface, rosenbrock

# %%
# Four functions with a thousand variables or so:


def valley(x):
    """Rosenbrock's function, chained: every variable meets its two neighbours."""
    return rosenbrock(2).f(x)


def arrow(x):
    """One variable meets all others."""
    return np.sum(np.sin(x[0] * x[1:])) + np.sum(x**4)


def grid(x):
    """Every point of a 32 x 32 grid meets its four neighbours."""
    z = x.reshape(32, 32)
    return np.sum(np.cosh(np.diff(z, axis=0))) + np.sum(np.cosh(np.diff(z, axis=1)))


film = minimal_surface(32)
functions = {
    "Rosenbrock": (valley, np.full(1024, 0.5)),
    "arrow": (arrow, np.ones(1024)),
    "grid": (grid, np.linspace(0.0, 1.0, 1024)),
    "minimal surface": (lambda x: film.f(x.reshape(32, 32), *film.args), film.x0.ravel()),
}

# %%
# All modes give the same matrix.

passes = {}
for name, (f, x0) in functions.items():
    reference = sad.hessian(f, x0, mode="direct")(x0)
    passes[name] = []
    for mode in ("column", "star", "acyclic"):
        hess = sad.hessian(f, x0, mode=mode)
        assert abs(hess(x0) - reference).max() < 1e-9 * abs(reference).max()
        passes[name].append(sum(hess.passes.values()))
    print(f"{name:<16} {passes[name]} passes for {x0.size} columns")

# %%

fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for k, mode in enumerate(("column", "star", "acyclic")):
    bars = ax.bar(np.arange(len(passes)) + 0.27 * (k - 1), [p[k] for p in passes.values()], width=0.25, label=mode)
    ax.bar_label(bars)
ax.set_yscale("log")
ax.set_xticks(np.arange(len(passes)), list(passes))
ax.set(ylabel="passes", ylim=(1, 4000), title="passes for a Hessian with 1024 columns")
ax.legend(title="coloring")
