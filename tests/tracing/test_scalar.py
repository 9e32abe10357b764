import math
from math import sin as sine

import numpy as np
import pytest

import sparsead as sad
import sparsead.ops
from sparsead.program.nodes import Map
from sparsead.tracing.loops.expansion import grid
from sparsead.tracing.trace import trace
from tests.reference import differences

X = np.array([0.9, 0.3, 0.7, 0.2, 0.5, 0.8, 0.4, 0.6])


def maps(f, x=X):
    """Number of array operations that a function is recorded as."""
    return sum(isinstance(node, Map) for node in trace(f, (x,))[0].nodes)


def agrees(f, *args):
    """Value and Jacobian of the compiled program against f itself and its complex step."""
    jac = sad.jacobian(f, X, *args)
    np.testing.assert_allclose(jac.value(X, *args), np.asarray(f(X, *args)), rtol=1e-13, atol=1e-15)
    columns = [np.imag(f(X + 1e-30j * e, *args)) / 1e-30 for e in np.eye(X.size)]
    np.testing.assert_allclose(jac(X, *args).toarray(), np.array(columns).T.reshape(jac.shape), rtol=1e-12, atol=1e-14)
    return jac


def test_equal_expressions_become_one_array_operation():
    def f(x):
        r = np.zeros(len(x) - 1, x.dtype)
        for i in range(len(x) - 1):
            r[i] = x[i + 1] * x[i] - 2.0 * x[i]
        return r

    assert maps(f) == 3
    agrees(f)


def test_differing_literals_become_a_constant_array():
    weights = np.arange(1.0, 9.0)

    def f(x):
        return np.array([w * xi * xi for w, xi in zip(weights, x, strict=True)])

    assert maps(f) == 2
    agrees(f)


def test_exponents_are_part_of_the_structure():
    jac = agrees(lambda x: np.array([x[i] ** (2 + i % 2) for i in range(8)]))
    assert "**" not in jac.source and "pow" not in jac.source


@pytest.mark.parametrize("size", [1, 2, 3, 17])
def test_a_sum_in_a_loop_is_one_sum(size):
    def f(x):
        s = 0.0
        for _ in range(size):
            for i in range(len(x)):
                s = s + x[i] ** 2 - np.sin(x[i]) * x[0]
        return s

    agrees(lambda x: np.array([f(x)]))
    assert maps(f) < 70


def test_a_sum_that_is_read_on_the_way_is_no_single_sum():
    def f(x):
        c = np.zeros(len(x), x.dtype)
        s = 0.0
        for i in range(len(x)):
            s = s + x[i] ** 2
            c[i] = s
        return c

    agrees(f)


def test_repeated_doubling_does_not_explode():
    def f(x):
        t = x[0]
        for _ in range(60):
            t = t + t
        return np.array([t * x[1]])

    agrees(f)


def test_elements_written_are_read_back():
    def f(x):
        r = np.zeros(len(x), x.dtype)
        for i in range(len(x) - 1):
            a, b = x[i], x[i + 1]
            r[i] += a * b
            r[i + 1] -= a / b
        for i in range(1, len(x)):
            r[i] = r[i] * r[i - 1] if i % 3 == 0 else r[i] + 1.0
        return r

    agrees(f)


def test_views_see_scalars_and_slices_alike():
    def f(x):
        r = np.zeros(len(x), x.dtype)
        r[:] = x**2
        view = r[2:5]
        for i in range(1, 8):
            r[i] = r[i] + r[i] * x[i - 1]
        view[0] = x[0]
        view[1] *= 2.0
        r[7] = 7.0
        return np.concatenate([r, view, r[::-1] * view[1]])

    agrees(f)


def test_an_element_overwritten_by_a_constant_drops_its_derivative():
    def f(x):
        r = np.zeros(2)
        r[0] = x[0] ** -0.5
        r[1] = x[1]
        r[0] = 0.0
        return r

    J = sad.jacobian(f, X)(np.zeros(8))
    assert J.nnz == 1 and J[1, 1] == 1.0


def test_numbers_meet_arrays():
    def f(x):
        t = x[0] * x[1]
        r = t * x + x[2]
        r[1:3] = t
        r[3] = (x @ x) * x[4]
        return np.concatenate([r, [t, 1.0], np.array([[x[0], x[1]], [x[2], t]]) @ x[:2], np.full(2, t * r[3])])

    agrees(f)


def test_runtime_numbers_stay_light():
    def f(x, h, p):
        return np.array([h * x[i] * p[i] for i in range(8)])

    program, _ = trace(f, (X, 0.5, X))
    assert sum(isinstance(node, Map) for node in program.nodes) == 2
    jac = sad.jacobian(f, X, 0.5, X)
    np.testing.assert_allclose(jac(X, 0.25, 2.0 * X).diagonal(), 0.5 * X)


def test_functions_of_module_math():
    def f(x):
        return np.array([math.sin(a) * sine(b) + math.log(a, 2) + math.hypot(a, b, 1.0) for a, b in (x[:2], x[2:4])])

    def same(x):
        return np.array([np.sin(a) * np.sin(b) + np.log2(a) + np.sqrt(a * a + b * b + 1) for a, b in (x[:2], x[2:4])])

    np.testing.assert_allclose(sad.jacobian(f, X)(X).toarray(), sad.jacobian(same, X)(X).toarray(), rtol=1e-13)
    assert math.sin is sine and isinstance(math.sin(1.0), float)


def test_conditions_and_choices():
    def f(x):
        r = np.zeros(8)
        for i in range(8):
            r[i] = np.where(x[i] > x[i - 1], x[i] * x[i - 1], np.abs(x[i])) + (x[i] < 0.5) * x[i]
            r[i] += np.maximum(x[i], 0.5) + np.clip(x[i], 0.3, 0.6) + x[i] % 0.3 + np.where(~(x[i] > 0.5), x[i], 1.0)
        return r

    def same(x):
        y = np.roll(x, 1)
        r = np.where(x > y, x * y, np.abs(x)) + np.where(x < 0.5, x, 0.0)
        return r + np.maximum(x, 0.5) + np.clip(x, 0.3, 0.6) + np.remainder(x, 0.3) + np.where(x > 0.5, 1.0, x)

    loop, array = sad.jacobian(f, X), sad.jacobian(same, X)
    np.testing.assert_allclose(loop.value(X), f(X), rtol=1e-14)
    np.testing.assert_allclose(loop(X).toarray(), array(X).toarray(), rtol=1e-14)


def test_object_arrays_of_numbers():
    def f(x):
        held = np.empty(8, dtype=object)
        for i in range(8):
            held[i] = x[i] * x[0]
        return np.sin(held) * held[::-1]

    jac = sad.jacobian(f, X)
    held = X * X[0]
    np.testing.assert_allclose(jac.value(X), np.sin(held) * held[::-1], rtol=1e-14)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (lambda x: x if x[0] > 0 else -x, "np.where"),
        (lambda x: [x[0], x[1]].sort(), "use sorted"),
        (lambda x: x[x[0]], "np.where"),
        (lambda x: x * math.floor(x[0]), "np.floor"),
        (lambda x: math.frexp(x[0])[0] * x, "module math"),
    ],
)
def test_what_needs_a_value_is_refused_with_the_place(code, hint):
    with pytest.raises(sad.TracedBranchError, match=r"test_scalar\.py") as error:
        sad.jacobian(code, X)
    assert hint in str(error.value)


def test_writing_into_an_array_from_outside_is_refused():
    plain = X.copy()

    def f(x):
        for i in range(8):
            plain[i] = x[i]
        return plain

    with pytest.raises(sad.UnsupportedOperationError, match=r"np\.zeros"):
        sad.jacobian(f, X)


def test_a_number_kept_from_another_call_is_refused():
    kept = np.empty(1, object)  # arrays of objects are not looked into when a trace ends

    def f(x):
        kept[0] = x[0] if kept[0] is None else kept[0]
        return np.array([kept[0] * x[1]])

    sad.jacobian(f, X, check=False)
    with pytest.raises(sad.SparseADError, match="another run"):
        sad.jacobian(f, X)


def test_a_long_product_is_refused_in_words():
    def f(x):
        p = 1.0
        for _ in range(30_000):
            p = p * x[0]
        return p

    with pytest.raises(sad.UnsupportedOperationError, match=r"np\.prod"):
        sad.jacobian(f, X)


def test_nested_loops_become_axes():
    i, j = np.meshgrid(np.arange(4), np.arange(5), indexing="ij")
    assert grid(20, [(7 * i + j).reshape(-1)]) == (4, 5)
    k, i, j = np.meshgrid(np.arange(3), np.arange(4), np.arange(5), indexing="ij")
    assert grid(60, [(100 * k + 7 * i + j).reshape(-1), j.reshape(-1)]) == (3, 4, 5)
    assert grid(20, [np.arange(20)]) == (20,)
    assert grid(6, [np.array([5, 1, 4, 2, 0, 3])]) == (6,)


def test_sums_of_different_lengths_share_their_terms():
    rng = np.random.default_rng(0)
    start = np.concatenate([[0], np.cumsum(rng.integers(17, 40, 12))])
    column, weight = rng.integers(0, 8, start[-1]), rng.random(start[-1])

    def f(x):
        r = np.zeros(12, x.dtype)
        for i in range(12):
            s = 0.0
            for k in range(start[i], start[i + 1]):
                s += weight[k] * x[column[k]] ** 2
            r[i] = np.exp(-s)
        return r

    agrees(f)
    assert maps(f) < 8


def test_running_sums():
    def f(x):
        c = np.zeros(40, x.dtype)
        s = 0.0
        for i in range(40):
            s = s + x[i % 8] ** 2 * (i + 1.0)
            c[i] = s
        return c

    agrees(f)


def smooth(u, k):
    """One explicit time step of a nonlinear diffusion, on a ring."""
    n = len(u)
    return [u[i] + 0.1 * (u[(i + 1) % n] - 2.0 * u[i] + u[i - 1]) - 0.01 * u[i] ** 3 + 0.001 * k for i in range(n)]


def test_time_steps_over_lists():
    def f(x):
        u = list(x)
        for k in range(20):
            u = smooth(u, k)
        return np.array(u)

    agrees(f)
    assert maps(f) < 20 * 12


def test_time_steps_in_memory():
    def f(x):
        u = np.zeros((13, 8), x.dtype)
        u[0] = x
        for k in range(12):
            for i, value in enumerate(smooth(u[k], k)):
                u[k + 1, i] = value
        return u[12] * u[3]

    agrees(f)
    assert maps(f) < 12 * 12


def test_a_recurrence_over_many_steps():
    def f(x):
        r = np.zeros(80, x.dtype)
        r[0] = x[0]
        for i in range(1, 80):
            r[i] = 0.5 * np.sin(r[i - 1]) + x[i % 8] * r[i - 1]
        return r

    agrees(f)


def test_truth_values_that_go_from_turn_to_turn():
    def f(x):
        y, high, seen = x[0], x[0] > 0.0, x[1] > 2.0
        out = np.zeros(80, x.dtype)
        for i in range(1, 80):
            rising = np.logical_or(y > 0.4, high)
            y = np.where(rising, 0.5 * y + x[i % 8], y * x[i % 8])
            high, seen = np.logical_and(rising, x[i % 8] < 0.6), np.logical_xor(seen, y > 1.0)
            out[i] = np.where(seen, y, 2.0 * y * y)
        return out

    agrees(f)
    assert maps(f) < 80


IN_TURNS = {
    "clip": lambda y, u: np.clip(1.1 * y + u, 0.3, 0.9),
    "mod": lambda y, u: np.mod(0.7 * y + u, 0.45),
    "select": lambda y, u: np.select([y < 0.3, y > 0.6], [0.3 * y * u, 0.4 * y * y], 0.5 * y) + 0.5 * u,
    "polyval": lambda y, u: np.polyval([0.1, 0.2, y], u),
    "nan_to_num": lambda y, u: np.nan_to_num(y * u) + u,
    "fix": lambda y, u: 0.5 * y + u - 0.1 * np.fix(3.0 * y),
    "logical_xor": lambda y, u: np.where(np.logical_xor(y > 0.41, u > 0.45), y * u, 0.5 * y + u),
}


@pytest.mark.parametrize("name", IN_TURNS)
def test_functions_of_numbers_in_recurrences(name):
    def f(x):
        y, out = x[0], np.zeros(80, x.dtype)
        for i in range(80):
            y = IN_TURNS[name](y, x[i % 8])
            out[i] = y
        return out

    assert maps(f) < 80
    np.testing.assert_allclose(sad.jacobian(f, X)(X).toarray(), differences(f, X), rtol=1e-5, atol=1e-7)
