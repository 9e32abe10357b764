"""Functions that branch on values: recorded, checked at every evaluation, prepared again where a branch flips."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import sparsead as sad
from tests.reference import differences

X = np.array([0.5, 1.5, -0.7, 2.0])


def branching(x):
    if x[0] > 0:
        return x**2 * x[::-1]
    return np.sin(x)


def looping(x):
    out = np.zeros_like(x)
    for i in range(x.size):
        out[i] = x[i] ** 2 if x[i] > 0 else -x[i] * x[0]
    return out


def converging(x):
    y = x
    while np.sum(y * y) > 1.0:  # how often depends on x
        y = 0.5 * y * np.cos(x)
    return y


def central(f, x, h=1e-6):
    return np.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)], axis=1)


@pytest.mark.parametrize("f", [branching, looping, converging])
def test_every_branch_is_right(f):
    jac = sad.jacobian(f, X, guard="record")
    for x in (X, -X, 0.1 * X, X[::-1].copy(), X):
        np.testing.assert_allclose(jac(x).toarray(), central(f, x), atol=1e-8)
        np.testing.assert_allclose(jac.value(x), f(x), rtol=1e-15)


def bisected(x, steps=50):
    low, high = 0.0, 4.0
    for _ in range(steps):
        middle = 0.5 * (low + high)
        if middle**2 - x[0] * x[3] > 0.0:
            high = middle
        else:
            low = middle
    return middle


@pytest.mark.parametrize(
    "prepare",
    [
        lambda f: sad.jacobian(lambda x: f(x) * x, X, guard="record"),
        lambda f: sad.jacobian(lambda x: f(x) + x, np.ones(4), guard="record"),
        lambda f: sad.hessian(lambda x: np.sum(f(x) * x), X, guard="record"),
        lambda f: sad.gradient(lambda x: np.sum(f(x) * x), X, guard="record"),
    ],
)
def test_a_search_by_branches_is_no_number_without_derivative(prepare):
    with pytest.raises(sad.CheckFailed, match=r"bisection(.|\n)*sparsead.extend.implicit"):
        prepare(bisected)

    def polished(x):  # the step of Newton's method knows of x
        middle = bisected(x, 30)
        return middle - (middle**2 - x[0] * x[3]) / (2.0 * middle)

    assert prepare(polished).checked.passed


@pytest.mark.parametrize("steps", [10, 13, 16])
def test_a_coarse_search_climbs_by_steps(steps):
    with pytest.raises(sad.CheckFailed, match=r"wide steps(.|\n)*check=False"):
        sad.jacobian(lambda x: bisected(x, steps) * x, X, guard="record")
    steps_alone = sad.jacobian(lambda x: bisected(x, steps) * x, X, guard="record", check=False)
    np.testing.assert_array_equal(steps_alone(X).toarray(), bisected(X, steps) * np.eye(4))


def halved(x, steps, high):
    low, high = np.zeros_like(x), high + 0.0 * np.ones_like(x)
    for _ in range(steps):
        middle = 0.5 * (low + high)
        above = middle**3 + middle > x
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return 0.5 * (low + high)


@pytest.mark.parametrize("steps", [11, 15, 24, 30, 36, 50])
@pytest.mark.parametrize("moving", [False, True])
def test_so_does_one_that_chooses_by_where(steps, moving):
    def f(x):
        return halved(x, steps, 4.0 * x if moving else 4.0) * x

    def polished(x):
        middle = halved(x, steps, 4.0 * x if moving else 4.0)
        return middle - (middle**3 + middle - x) / (3.0 * middle**2 + 1.0)

    x = np.array([1.3, 2.2, 0.7])
    with pytest.raises(sad.CheckFailed, match=r"bisection(.|\n)*sparsead.extend.implicit"):
        sad.jacobian(f, x)
    middle = halved(x, 60, 4.0)
    close = sad.jacobian(polished, x)(x).diagonal()
    np.testing.assert_allclose(close, 1.0 / (3.0 * middle**2 + 1.0), rtol=2.0 ** (4 - steps))


def test_choices_that_follow_one_another_are_no_search():
    def relay(x):
        temperature, heats = x.copy(), np.ones_like(x)
        for _ in range(15):
            heats = np.where(temperature > 1.2, 0.0, np.where(temperature < 0.8, 1.0, heats))
            temperature = temperature + 0.1 * (heats - 0.3 * temperature)
        return temperature

    x = np.linspace(0.5, 2.0, 7)
    np.testing.assert_allclose(sad.jacobian(relay, x)(x).diagonal(), 0.97**15, rtol=1e-12)


TABLE = np.linspace(-3.0, 3.0, 33) ** 3


def looked_up(x):
    low, high = 0, 32
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if TABLE[middle] <= x[0] else (low, middle)
    return TABLE[low] ** 2 + (x - TABLE[low]) * (TABLE[low] + TABLE[high])


def in_a_band(x):
    return np.stack([0.0 * v if abs(v - X[1]) < 1e-3 else 5.0 * v for v in np.tile(x, 4)])


@pytest.mark.parametrize("f", [looked_up, in_a_band, lambda x: looked_up(x) + np.floor(40.0 * x + 0.3)])
def test_many_branches_are_no_search(f):
    jac = sad.jacobian(f, X, guard="record")
    np.testing.assert_allclose(jac(X).toarray(), central(f, X), atol=1e-7)


def test_ties_at_the_example_point_are_no_search():
    def sorted_by_hand(x):
        return np.stack([x[i] if x[i] <= x[i + 1] else 2.0 * x[i + 1] - x[i] for i in range(3)])

    checked = sad.jacobian(sorted_by_hand, np.ones(4), guard="record").checked
    assert checked.passed
    assert "are the recorded branches the same" in checked.notes[0]


def test_prepares_again_only_when_a_branch_flips():
    jac = sad.jacobian(branching, X, guard="record")
    for x in (X, 2 * X, X + 0.1):
        jac(x)
    assert jac.preparations == 1
    jac(-X)
    assert jac.preparations == 2
    jac(X)  # the first preparation was kept
    assert jac.preparations == 2


def test_products_follow_the_branch():
    jac = sad.jacobian(branching, X, guard="record")
    v = np.arange(4.0)
    np.testing.assert_allclose(jac.jvp(-X, v), central(branching, -X) @ v, atol=1e-7)
    np.testing.assert_allclose(jac.vjp(-X, v), central(branching, -X).T @ v, atol=1e-7)
    y, J = jac.value_and_jacobian(X)
    np.testing.assert_allclose(y, branching(X))
    np.testing.assert_allclose(J.toarray(), central(branching, X), atol=1e-8)


def test_a_hessian_follows_the_branches():
    def energy(x):
        return np.sum(x**3) if x[1] > 1 else np.sum(x**4 * x[0])

    hess = sad.hessian(energy, X, guard="record")
    for x in (X, 0.2 * X):
        np.testing.assert_allclose(hess(x).toarray(), central(hess.gradient, x), atol=1e-7)
        assert hess.value_gradient_and_hessian(x)[0] == pytest.approx(energy(x))
    assert hess.preparations == 2


def test_runtime_arguments_decide_too():
    def f(x, a):
        return a * x if a > 1.0 else x**2

    jac = sad.jacobian(f, X, 2.0, guard="record")
    np.testing.assert_allclose(jac(X, 2.0).toarray(), 2.0 * np.eye(4))
    np.testing.assert_allclose(jac(X, 0.5).toarray(), np.diag(2 * X))


def test_summary_names_the_places():
    text = str(sad.jacobian(branching, X, guard="record"))
    assert "branches  1 decided by values at" in text
    assert "test_guard.py" in text


def test_without_guard_a_branch_is_refused_with_the_alternatives():
    with pytest.raises(sad.TracedBranchError, match=r"test_guard.py(.|\n)*np.where(.|\n)*guard=\"record\""):
        sad.jacobian(branching, X)


def test_only_branches_are_decided():
    with pytest.raises(sad.TracedBranchError, match="module math"):
        sad.jacobian(lambda x: x * math.frexp(x[0])[0], X, guard="record")
    with pytest.raises(sad.InputError, match="unknown guard 'maybe'"):
        sad.jacobian(branching, X, guard="maybe")


def test_function_without_branches_works():
    jac = sad.jacobian(np.sin, X, guard="record")
    jac(X)
    jac(-X)
    assert jac.preparations == 1


def scaled_branches(x, p):
    return p * x**2 if x[0] > 0.0 else p * x


def test_normal_equations_and_names_follow_the_branch():
    jac = sad.jacobian(scaled_branches, np.ones(2), 1.0, guard="record")
    for sign, expected in ((-1.0, 4.0), (1.0, 16.0), (-1.0, 4.0)):
        assert jac.normal(sign * np.ones(2), 2.0).diagonal().tolist() == [expected] * 2
        assert jac(sign * np.ones(2), p=2.0).diagonal().tolist() == [np.sqrt(expected)] * 2
        jac(-sign * np.ones(2), 1.0)
        assert jac.value(sign * np.ones(2), p=2.0).tolist() == [2.0 * sign] * 2
        jac(-sign * np.ones(2), 1.0)
        np.testing.assert_array_equal(jac.jvp(sign * np.ones(2), np.ones(2), p=2.0), [np.sqrt(expected)] * 2)


@pytest.mark.parametrize("name", ["batch", "value_batch", "prepared_call", "c_function", "export"])
def test_what_computes_no_branches_is_refused(name):
    jac = sad.jacobian(scaled_branches, np.ones(2), 1.0, guard="record")
    with pytest.raises(sad.InputError, match="branches of one point"):
        getattr(jac, name)(np.array([[1.0, 1.0], [-1.0, -1.0]]), 1.0)
    assert sad.jacobian(lambda x: x**2, np.ones(2), guard="record").batch(np.ones((3, 2))).shape == (3, 2)
    assert jac.at((np.ones(2), 1.0)).batch(np.ones((3, 2)), 1.0).shape == (3, 2)


def choosing(x):
    return np.sum(x**3) if x[1] > 1 else np.sum(x**4 * x[0])


def test_gradients_follow_the_branch():
    grad = sad.gradient(choosing, X, guard="record")
    for x in (X, 0.2 * X, X):
        np.testing.assert_allclose(grad(x), central(lambda x: np.array([choosing(x)]), x)[0], atol=1e-7)
        assert grad.value_and_gradient(x)[0] == pytest.approx(choosing(x))
    assert grad.preparations == 2
    assert "branches  1 decided by values at" in str(grad)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(grad))(X), grad(X))
    with pytest.raises(sad.InputError, match="unknown guard 'maybe'"):
        sad.gradient(choosing, X, guard="maybe")
    with pytest.raises(sad.InputError, match="would take the branches of one point"):
        grad.batch(np.stack([X, X]))


def test_gradients_beside_what_else_is_returned():
    grad = sad.gradient(lambda x: (choosing(x), x.size), X, guard="record", has_aux=True)
    for x in (X, 0.2 * X):
        slope, size = grad(x)
        np.testing.assert_allclose(slope, central(lambda x: np.array([choosing(x)]), x)[0], atol=1e-7)
        assert size == 4


COUNTING = {
    "the result": lambda x: x[x > 0.6] ** 2,
    "in a container": lambda x: {"above": x[x > 0.6], "all": x},
    "joined": lambda x: np.concatenate([x[x > 0.6], x[x <= 0.6] ** 2]),
    "sorted": lambda x: np.sort(x[x > 0.6]),
    "counted": lambda x: len(x[x > 0.6]) * x,
    "an element": lambda x: x[x > 0.6][0] * x,
    "written to": lambda x: first_doubled(x[x > 0.6]),
    "written back": lambda x: put_back(x, x > 0.6),
    "differences": lambda x: np.diff(x[x > 0.6]),
    "two axes": lambda x: x.reshape(2, 2)[x.reshape(2, 2) > 0.6],
    "rows": lambda x: np.outer(x, x)[x > 0.6],
    "compress": lambda x: np.compress(x > 0.6, x) * 2.0,
    "extract": lambda x: np.extract(x > 0.6, x),
    "places": lambda x: np.flatnonzero(x > 0.6) * x[0],
    "places of where": lambda x: x[np.where(x > 0.6)[0] - 1],
}


def first_doubled(selected):
    view = selected.reshape(-1)
    view[0] *= 2.0
    return selected


def put_back(x, mask):
    y = x.copy()
    y[mask] = np.cumsum(x[mask])
    return y


@pytest.mark.parametrize("name", COUNTING)
def test_masks_are_recorded_where_their_number_of_elements_is_asked_for(name):
    def f(x):
        return sad.pack(COUNTING[name](x))

    jac = sad.jacobian(COUNTING[name], X, guard="record", backend="python")
    for x in (X, X[::-1].copy(), np.abs(X), X):
        np.testing.assert_allclose(sad.pack(jac.value(x)), f(x), rtol=1e-13)
        np.testing.assert_allclose(jac(x).toarray(), central(f, x), atol=1e-7)
    with pytest.raises(sad.SparseADError, match='guard="record"'):
        sad.jacobian(COUNTING[name], X)


def test_masks_that_only_select_need_no_record():
    jac = sad.jacobian(lambda x: x[x > 0.6].sum() * x if x[0] > 0.0 else x, X, guard="record")
    assert jac(X).shape == jac(np.array([0.5, 0.1, 0.2, 0.3])).shape
    assert jac.preparations == 1


def scalar_branch(x):
    return np.sum(x**2) if x[0] > 0 else np.sum(x**3)


def constraint_branch(x):
    return x[1:] * x[:-1] if x[1] > 0 else x[1:] ** 2 * x[:-1]


POINTS = [np.array([1.0, 2.0, 3.0]), np.array([-1.0, -2.0, 3.0]), np.array([1.0, -1.0, 2.0])]


def test_grad_with_branches():
    slope = sad.grad(scalar_branch, guard="record")
    for x in POINTS:
        np.testing.assert_allclose(slope(x), differences(scalar_branch, x).reshape(-1), rtol=1e-8)
    with pytest.raises(sad.TracedBranchError):
        sad.grad(scalar_branch)(POINTS[0])
    with pytest.raises(sad.InputError, match="guard"):
        sad.grad(scalar_branch, guard="perhaps")


def test_lagrangian_with_branches():
    lag = sad.lagrangian_hessian(scalar_branch, constraint_branch, POINTS[0], guard="record")
    multipliers = np.array([5.0, 7.0])
    for x in POINTS:

        def plain(x):
            return 0.5 * scalar_branch(x) + multipliers @ constraint_branch(x)

        assert lag.value(x, multipliers, sigma=0.5) == pytest.approx(plain(x), rel=1e-14)
        np.testing.assert_allclose(
            lag.gradient(x, multipliers, sigma=0.5), differences(plain, x).reshape(-1), rtol=1e-8
        )
        second = differences(lambda x: differences(plain, x).reshape(-1), x)
        np.testing.assert_allclose(lag(x, multipliers, sigma=0.5).toarray(), second, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(lag.hvp(x, x, multipliers, sigma=0.5), second @ x, rtol=1e-5, atol=1e-5)
    assert lag.preparations == 3
    with pytest.raises(sad.TracedBranchError):
        sad.lagrangian_hessian(scalar_branch, constraint_branch, POINTS[0])
