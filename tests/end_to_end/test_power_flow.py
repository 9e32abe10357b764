"""AC power flow in the usual complex form, real in and real out, traced as it is written."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from tests.reference import assert_close, differences

# Five buses: (from, to, resistance, reactance, charging), after Stagg & El-Abiad's small network.
BRANCHES = np.array(
    [[0, 1, 0.02, 0.06, 0.06], [0, 2, 0.08, 0.24, 0.05], [1, 2, 0.06, 0.18, 0.04], [1, 3, 0.06, 0.18, 0.04],
     [1, 4, 0.04, 0.12, 0.03], [2, 3, 0.01, 0.03, 0.02], [3, 4, 0.08, 0.24, 0.05]]
)  # fmt: skip
N = 5


def admittance():
    f, t = BRANCHES[:, 0].astype(int), BRANCHES[:, 1].astype(int)
    series = 1.0 / (BRANCHES[:, 2] + 1j * BRANCHES[:, 3])
    shunt = series + 0.5j * BRANCHES[:, 4]
    rows, columns = np.concatenate([f, t, f, t]), np.concatenate([f, t, t, f])
    return scipy.sparse.csr_matrix((np.concatenate([shunt, shunt, -series, -series]), (rows, columns)), shape=(N, N))


YBUS = admittance()
DEMAND = np.array([0.0, 0.2 + 0.1j, 0.45 + 0.15j, 0.4 + 0.05j, 0.6 + 0.1j])
X = np.concatenate([[0.0, -0.05, -0.08, -0.09, -0.1], [1.06, 1.04, 1.02, 1.01, 1.03]])


def vectorised(x):
    va, vm = x[:N], x[N:]
    v = vm * np.exp(1j * va)
    mismatch = v * np.conj(YBUS @ v) + DEMAND
    return np.concatenate([mismatch.real, mismatch.imag])


def matrix_class(x):
    v = x[N:] * np.exp(1j * x[:N])
    mismatch = v * (YBUS * v).conj() + DEMAND
    return np.hstack([mismatch.real, mismatch.imag])


def dense_matrix(x):
    v = x[N:] * np.exp(1j * x[:N])
    current = YBUS.toarray() @ v
    return np.concatenate([np.real(v * current.conj()), np.imag(v * current.conj())])


def with_a_buffer(x):
    v = np.zeros(N, dtype=complex)
    for k in range(N):
        v[k] = x[N + k] * np.exp(1j * x[k])
    s = np.empty(N, dtype=np.complex128)
    s[:] = v * np.conj(YBUS @ v)
    s += DEMAND
    return np.concatenate([s.real, s.imag])


def branch_flows(x):
    f, t = BRANCHES[:, 0].astype(int), BRANCHES[:, 1].astype(int)
    v = x[N:] * (np.cos(x[:N]) + 1j * np.sin(x[:N]))
    flow = (v[f] - v[t]) / (BRANCHES[:, 2] + 1j * BRANCHES[:, 3])
    return np.abs(v[f] * flow.conj()) ** 2 + np.angle(v[t]) + abs(flow)


@pytest.mark.parametrize("f", [vectorised, matrix_class, dense_matrix, with_a_buffer, branch_flows])
@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_power_flow(f, backend):
    jac = sad.jacobian(f, X, backend=backend)
    assert_close(jac.value(X), f(X), 1e-13)
    assert_close(jac(X).toarray(), differences(f, X))


def test_pattern_is_that_of_the_network():
    """Each mismatch depends on angle and magnitude at its bus and its neighbours: four blocks like the matrix."""
    assert sad.jacobian_pattern(vectorised, X).nnz == 4 * YBUS.count_nonzero()


def test_hessian_of_losses():
    def losses(x):
        v = x[N:] * np.exp(1j * x[:N])
        return np.sum(v * np.conj(YBUS @ v)).real

    hess = sad.hessian(losses, X, backend="python")
    expected = differences(lambda x: differences(losses, x, 1e-3), X, 1e-3)
    assert_close(hess(X).toarray(), expected, 1e-7)


def test_a_complex_value_is_refused():
    with pytest.raises(sad.SparseADError, match=r"complex"):
        sad.jacobian(lambda x: x * 1j, X)


def test_complex_branches_and_unknown_functions_are_refused():
    with pytest.raises(sad.UnsupportedOperationError, match=r"np.cbrt of complex values"):
        sad.jacobian(lambda x: np.cbrt(x * 1j).real, X)
    with pytest.raises(sad.UnsupportedOperationError, match=r"complex value"):
        sad.jacobian(lambda x: x if x[0] * 1j else -x, X)


def test_a_complex_value_does_not_go_into_a_real_array():
    def f(x):
        out = np.zeros(3)
        out[:] = x[:3] * 1j
        return out

    with pytest.raises(sad.SparseADError, match=r"complex"):
        sad.jacobian(f, X)
