"""The grey box for Pyomo, read by Pyomo's own classes; solved by Ipopt through them, where that is installed."""

import numpy as np
import pytest

from sparsead import solvers
from sparsead.errors import InputError

pyo = pytest.importorskip("pyomo.environ")
grey = pytest.importorskip("pyomo.contrib.pynumero.interfaces.external_grey_box")
readers = pytest.importorskip("pyomo.contrib.pynumero.interfaces.pyomo_grey_box_nlp")

X0 = np.linspace(1.0, 2.0, 4).reshape(2, 2)


def outputs(x, p):
    return p * np.sin(x)


def equalities(x, p):
    flat = np.ravel(x)
    return flat[1:] * flat[:-1] - 1.0


def objective(x, p):
    return np.sum((x - p) ** 4)


def read(**functions):
    model = pyo.ConcreteModel()
    model.box = grey.ExternalGreyBoxBlock()
    model.box.set_external_model(solvers.pyomo_grey_box(X0, args=(2.0,), **functions))
    return readers._ExternalGreyBoxAsNLP(model.box)


def test_values_and_first_derivatives():
    nlp = read(outputs=outputs, equalities=equalities, objective=objective)
    assert nlp.primals_names()[:2] == ["box.inputs['x[0]']", "box.inputs['x[1]']"]
    np.testing.assert_array_equal(nlp.get_primals(), [*X0.ravel(), 0.0, 0.0, 0.0, 0.0])
    x, y = np.array([0.5, -1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3, 0.4])
    nlp.set_primals(np.concatenate([x, y]))
    np.testing.assert_allclose(nlp.evaluate_constraints(), [*(x[1:] * x[:-1] - 1.0), *(2.0 * np.sin(x) - y)])
    assert nlp.evaluate_objective() == pytest.approx(np.sum((x - 2.0) ** 4))
    np.testing.assert_allclose(nlp.evaluate_grad_objective()[:4], 4.0 * (x - 2.0) ** 3, rtol=1e-14)
    expected = np.zeros((7, 8))
    expected[[0, 1, 2], [0, 1, 2]], expected[[0, 1, 2], [1, 2, 3]] = x[1:], x[:-1]
    expected[3:, :4], expected[3:, 4:] = np.diag(2.0 * np.cos(x)), -np.eye(4)
    np.testing.assert_allclose(nlp.evaluate_jacobian().toarray(), expected, rtol=1e-14)


def test_second_derivatives():
    nlp = read(outputs=outputs, equalities=equalities, objective=objective)
    x, v = np.array([0.5, -1.0, 2.0, 3.0]), np.arange(1.0, 8.0)
    nlp.set_primals(np.concatenate([x, np.zeros(4)]))
    nlp.set_duals(v)
    nlp.set_obj_factor(3.0)
    expected = np.diag(36.0 * (x - 2.0) ** 2 - 2.0 * v[3:] * np.sin(x))
    expected[[1, 2, 3], [0, 1, 2]] = expected[[0, 1, 2], [1, 2, 3]] = v[:3]
    np.testing.assert_allclose(nlp.evaluate_hessian_lag().toarray()[:4, :4], expected, rtol=1e-13)


def test_structures_stay():
    nlp = read(equalities=equalities)
    nlp.set_primals(np.zeros(4))
    assert nlp.evaluate_jacobian().nnz == 6


def test_ipopt_solves_it():
    pytest.importorskip("cyipopt")
    from pyomo.contrib.pynumero.interfaces.cyipopt_interface import CyIpoptNLP

    nlp = read(equalities=lambda x, p: np.ravel(x)[1:] + np.ravel(x)[:-1] - 1.0, objective=objective)
    problem = CyIpoptNLP(nlp)
    for option in (("print_level", 0), ("tol", 1e-12), ("sb", "yes")):
        problem.add_option(*option)
    x, info = problem.solve(nlp.init_primals())
    assert info["status"] == 0
    np.testing.assert_allclose(x[:4], [0.5] * 4, atol=1e-6)  # a, 1 - a, a, 1 - a: by symmetry of the quartic


def test_what_is_no_model_is_refused():
    with pytest.raises(InputError, match="needs outputs, equalities or an objective"):
        solvers.pyomo_grey_box(X0)
    with pytest.raises(InputError, match="the objective must be one number, got 4"):
        solvers.pyomo_grey_box(X0, objective=lambda x: np.ravel(x) ** 2)
