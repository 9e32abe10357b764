"""The reactor of the benchmarks: its rates are Cantera's, its Jacobians those of the complex step."""

import numpy as np
import pytest

import sparsead as sad

pytest.importorskip("cantera")


@pytest.mark.slow  # several compilations
def test_rates_are_those_of_cantera():
    from benchmarks.kinetics import complex_step
    from benchmarks.kinetics_by_hand import arrays, fill
    from benchmarks.mechanism import gri30, reactor, reference, states

    m, gas = gri30()
    f, Y = reactor(m), states(m, 20)
    found = f(Y)
    for y, rates in zip(Y, found, strict=True):
        expected = reference(gas, y)
        each_way = np.concatenate([[abs(expected[0])], gas.creation_rates + gas.destruction_rates])
        assert (abs(rates - expected) <= 1e-12 * each_way).all()
    exact = np.array([complex_step(f, y) for y in Y])
    scale = abs(exact).max(axis=1, keepdims=True)  # columns have different units
    jac = sad.jacobian(f, Y[0])
    assert not jac.linear.absorbing  # the two ranges of the polynomials are no zeros
    dense = np.zeros_like(exact)
    dense[:, jac.pattern.rows, jac.pattern.indices] = jac.batch(Y)
    assert (abs(dense - exact) <= 1e-11 * scale).all()
    by_hand = np.empty_like(exact)
    fill(Y, by_hand, *arrays(m))
    assert (abs(by_hand - exact) <= 1e-11 * scale).all()
    whole = sad.jacobian(f, Y[:3])(Y[:3]).toarray()
    for k in range(3):
        part = slice(54 * k, 54 * k + 54)
        assert (abs(whole[part, part] - exact[k]) <= 1e-11 * scale[k]).all()
