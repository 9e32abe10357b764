"""The Lagrangian of the optimal power flow."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from benchmarks.opf import Branches, PowerFlow
from sparsead.problems import Problem


def casadi(problem: Problem, x: Any) -> Any:
    import casadi as ca

    flow, multipliers = problem.args
    f, t = flow.branches.f.tolist(), flow.branches.t.tolist()
    n, g = flow.buses, len(flow.cost)
    angle, magnitude, active, reactive = x[:n], x[n : 2 * n], x[2 * n : 2 * n + g], x[2 * n + g :]

    def times(A: scipy.sparse.csr_array, v: Any) -> Any:
        return ca.mtimes(ca.DM(scipy.sparse.csc_matrix(A)), v)

    difference, both = angle[f] - angle[t], magnitude[f] * magnitude[t]
    flows = _flows(flow.branches, both * ca.cos(difference), both * ca.sin(difference), magnitude[f], magnitude[t])
    pf, qf, pt, qt = flows
    shortage = _balance(flow, magnitude**2, times(flow.leaving, ca.vertcat(pf, pt)), times(flow.generation, active),
                        times(flow.leaving, ca.vertcat(qf, qt)), times(flow.generation, reactive))  # fmt: skip
    rated = flow.rated.tolist()
    constraints = ca.vertcat(*shortage, (pf**2 + qf**2)[rated], (pt**2 + qt**2)[rated])
    return ca.sum1(_cost(flow, active)) + ca.dot(ca.DM(multipliers), constraints)


def jax(problem: Problem, x: Any) -> Any:
    """With sums over the entries of matrices: asdex does not see into JAX's own sparse matrices."""
    import jax
    import jax.numpy as jnp

    flow, multipliers = problem.args
    f, t = flow.branches.f, flow.branches.t
    n, g = flow.buses, len(flow.cost)
    angle, magnitude, active, reactive = x[:n], x[n : 2 * n], x[2 * n : 2 * n + g], x[2 * n + g :]

    def times(A: scipy.sparse.csr_array, v: Any) -> Any:
        A = A.tocoo()
        return jax.ops.segment_sum(v[A.col], A.row, num_segments=n)

    difference, both = angle[f] - angle[t], magnitude[f] * magnitude[t]
    flows = _flows(flow.branches, both * jnp.cos(difference), both * jnp.sin(difference), magnitude[f], magnitude[t])
    pf, qf, pt, qt = flows
    shortage = _balance(flow, magnitude**2, times(flow.leaving, jnp.concatenate([pf, pt])),
                        times(flow.generation, active), times(flow.leaving, jnp.concatenate([qf, qt])),
                        times(flow.generation, reactive))  # fmt: skip
    constraints = jnp.concatenate([*shortage, (pf**2 + qf**2)[flow.rated], (pt**2 + qt**2)[flow.rated]])
    return jnp.sum(_cost(flow, active)) + jnp.asarray(multipliers) @ constraints


def _flows(b: Branches, c: Any, s: Any, at_f: Any, at_t: Any) -> tuple[Any, Any, Any, Any]:
    """Return active and reactive power into the branches at both ends, of any tool's vectors."""
    return (
        at_f**2 * np.array(b.ff.real) + np.array(b.ft.real) * c + np.array(b.ft.imag) * s,
        -(at_f**2) * np.array(b.ff.imag) + np.array(b.ft.real) * s - np.array(b.ft.imag) * c,
        at_t**2 * np.array(b.tt.real) + np.array(b.tf.real) * c - np.array(b.tf.imag) * s,
        -(at_t**2) * np.array(b.tt.imag) - np.array(b.tf.real) * s - np.array(b.tf.imag) * c,
    )


def _balance(flow: PowerFlow, square: Any, p: Any, active: Any, q: Any, reactive: Any) -> tuple[Any, Any]:
    """Return what is missing at the buses."""
    return (
        p - active + flow.demand[:, 0] + square * flow.shunt[:, 0],
        q - reactive + flow.demand[:, 1] - square * flow.shunt[:, 1],
    )


def _cost(flow: PowerFlow, active: Any) -> Any:
    total = 0.0 * active
    for k in range(flow.cost.shape[1]):
        total = total * active + flow.cost[:, k]
    return total
