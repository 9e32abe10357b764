"""The component for OpenMDAO, inside models of the real package, which differences it by itself."""

import numpy as np
import pytest

from sparsead import solvers
from sparsead.errors import InputError

om = pytest.importorskip("openmdao.api")


def rates(x, gain):
    u, p = x["u"], x["p"]
    return {"growth": p * u + gain * np.roll(u, 1) ** 2, "total": np.sum(u * u), "pair": x["w"][::-1] * 2.0}


X0 = {"u": np.linspace(1.0, 2.0, 5), "p": 3.0, "w": np.arange(4.0).reshape(2, 2)}


@pytest.fixture
def problem():
    made = om.Problem(reports=False)
    made.model.add_subsystem("rates", solvers.openmdao_component(rates, X0, 2.0), promotes=["*"])
    made.setup(force_alloc_complex=False)
    made.run_model()
    return made


def test_values_start_where_the_example_is(problem):
    for name, found in rates(X0, 2.0).items():
        np.testing.assert_allclose(problem[name], np.reshape(found, problem[name].shape), rtol=1e-15)


def test_partials_are_declared_by_their_patterns(problem):
    declared = problem.model.rates._declared_partials_patterns
    sizes = {pair: meta["rows"].size for pair, meta in declared.items()}
    assert sizes == {("growth", "u"): 10, ("growth", "p"): 5, ("total", "u"): 5, ("pair", "w"): 4}


def test_partials_are_those_that_openmdao_measures(problem):
    problem.set_val("u", np.array([0.3, -1.0, 2.0, 0.0, 5.0]))
    problem.set_val("p", -0.7)
    problem.run_model()
    measured = problem.check_partials(out_stream=None)["rates"]
    assert set(measured) == {("growth", "u"), ("growth", "p"), ("total", "u"), ("pair", "w")}
    for pair, found in measured.items():
        np.testing.assert_allclose(found["J_fwd"], found["J_fd"], atol=1e-4, err_msg=str(pair))


def test_total_derivatives_go_through():
    made = om.Problem(reports=False)
    made.model.add_subsystem("rates", solvers.openmdao_component(rates, X0, 2.0), promotes=["*"])
    made.model.add_subsystem("twice", om.ExecComp("y = 2.0 * total"), promotes=["*"])
    made.setup()
    made.run_model()
    np.testing.assert_allclose(made.compute_totals(of=["y"], wrt=["u"])["y", "u"], [4.0 * X0["u"]], rtol=1e-14)


def test_what_has_no_names_is_refused():
    with pytest.raises(InputError, match="the value of the function must be a dict"):
        solvers.openmdao_component(lambda x: x["u"] ** 2, {"u": np.ones(3)})
    with pytest.raises(InputError, match="the inputs must be a dict"):
        solvers.openmdao_component(lambda x: {"y": x["a"]["b"] ** 2}, {"a": {"b": np.ones(3)}})
