"""Loops that stay loops: against the same steps written out, complex steps, and hand formulas."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import sparsead as sad
from sparsead.extend import operation, repeat

RNG = np.random.default_rng(16)
X = RNG.uniform(0.3, 0.8, 6)
A = np.eye(6) + 0.1 * RNG.normal(size=(6, 6))


def written_out(step, state, steps, *args, each=(), keep=None):
    each = each if isinstance(each, tuple) else (each,)
    for k in range(steps):
        state = step(state, *(row[k] for row in each), *args)
    return state


def rate(u):
    d = np.zeros_like(u)
    d[1:-1] = u[:-2] - 2.0 * u[1:-1] + u[2:]
    return d + u * (1.0 - u)


def rk4(u):
    k1 = rate(u)
    k2 = rate(u + 0.05 * k1)
    k3 = rate(u + 0.05 * k2)
    k4 = rate(u + 0.1 * k3)
    return u + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def heun(u):
    k = rate(u)
    return u + 0.05 * (k + rate(u + 0.1 * k))


root = sad.extend.implicit(lambda y, p: y + 0.3 * y**3 - p)
square = operation(lambda v: v**2, jvp=lambda operands, tangents: 2 * operands[0] * tangents[0])
linear = operation(lambda v: A @ v, jvp=lambda _, tangents: A @ tangents[0], pattern="dense", linear=True)


def containers(loop, x):
    def step(s):
        return {"b": s["b"] * 1.1 + s["a"][0], "a": s["a"] * s["b"]}  # in another order than the state

    return loop(step, {"a": x[:3], "b": x[4]}, 4)["a"]


def outer_values(loop, x):
    mean, above = x * x[::-1], x > 0.5
    return loop(lambda s: np.where(above, s * mean, 0.3 * s) + 0.1, np.ones(6), 4)


def parameters_and_rows(loop, x):
    def step(u, force, k, a, p):
        return np.sin(u) * p + a * force - 0.1 * k * u[::-1]

    return loop(step, x * 0.5, 3, x[::-1] * 2.0, x[1], each=(np.ones((3, 6)) * x, np.arange(3)), keep=2)


def loop_in_loop(loop, x):
    return loop(lambda s: loop(lambda t, q: t + 0.1 * np.sin(q * t[::-1]), s, 3, s[0]), x, 4)


def recurrence(loop, x):
    def step(s):
        y = s.copy()
        for i in range(1, 6):
            y[i] = 0.5 * np.sin(y[i - 1]) + s[i]
        return y

    return loop(step, x, 3) * x


CASES = {
    "time steps": lambda loop, x: loop(heun, x, 3),
    "a number": lambda loop, x: loop(lambda s, p: s * s * 0.5 + p, x[0], 5, x[1]) * x,
    "a tuple": lambda loop, x: loop(lambda s: (s[0] + 0.1 * s[1], s[1] - 0.1 * np.sin(s[0])), (x[:3], x[3:]), 7)[0],
    "a dict in another order": containers,
    "outer values": outer_values,
    "parameters and rows": parameters_and_rows,
    "rows of numbers": lambda loop, x: loop(lambda s, k: s * np.cos(k * s), x, 3, each=[x[0], x[1], 2.0 * x[2]]),
    "a permutation": lambda loop, x: loop(lambda s: np.roll(s, 1) * 2.0 + s[0], x, 5),
    "that forgets": lambda loop, x: loop(lambda s: np.concatenate([s[1:] ** 2, [1.0]]), x, 4),
    "that ignores": lambda loop, x: loop(lambda s: np.ones(6), x, 4) + x**3,
    "that keeps": lambda loop, x: loop(lambda s: s, x, 4) * x,
    "a loop in a loop": loop_in_loop,
    "two loops": lambda loop, x: loop(lambda s: s * s + x[0], loop(lambda s: np.sin(s) + x[1], x, 3), 2),
    "elements": recurrence,
    "two dimensions": lambda loop, x: loop(lambda s: s @ s.T @ s * 0.3 + s.T.reshape(2, 3), x.reshape(2, 3), 2),
    "a solve": lambda loop, x: loop(lambda s: np.linalg.solve(A + np.diag(s * s), s), x, 2),
    "an implicit solution": lambda loop, x: loop(lambda s: root(np.zeros(6), s), x, 3),
    "a linear operation": lambda loop, x: loop(lambda s: np.sin(linear(s)), x, 3),
    "few kept": lambda loop, x: loop(lambda s: np.sin(s) * x, x, 19, keep=3),
    "one kept": lambda loop, x: loop(lambda s: np.sin(s) * x, x, 9, keep=1),
    "no steps": lambda loop, x: loop(lambda s: s * 2.0, x, 0) * x,
}


def of(name, loop):
    return lambda x: CASES[name](loop, x)


@pytest.mark.parametrize("name", CASES)
def test_plain_calls_run_the_loop(name):
    np.testing.assert_array_equal(of(name, repeat)(X), of(name, written_out)(X))


@pytest.mark.parametrize("name", CASES)
def test_jacobian_and_products(name):
    ours, plain = sad.jacobian(of(name, repeat), X), sad.jacobian(of(name, written_out), X)
    expected = plain(X).toarray()
    np.testing.assert_allclose(ours(X).toarray(), expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(ours.value(X), plain.value(X))  # nothing is added up in another order
    assert ours.pattern == plain.pattern
    value, matrix = ours.value_and_jacobian(X)
    np.testing.assert_array_equal(value, ours.value(X))
    np.testing.assert_array_equal(matrix.data, ours.values(X))
    v, w = RNG.normal(size=expected.shape[1]), RNG.normal(size=expected.shape[0])
    np.testing.assert_allclose(ours.jvp(X, v), expected @ v, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(ours.vjp(X, w), expected.T @ w, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_gradient_and_hessian(name):
    def total(loop):
        return lambda x: np.sum(np.sin(CASES[name](loop, x))) * x[0]

    ours, plain = sad.hessian(total(repeat), X), sad.hessian(total(written_out), X)
    expected = plain(X).toarray()
    scale = np.abs(expected).max()
    np.testing.assert_allclose(ours(X).toarray(), expected, rtol=1e-11, atol=1e-13 * scale)
    missing = set(zip(*np.nonzero(expected), strict=True)) - set(
        zip(ours.pattern.rows, ours.pattern.indices, strict=True)
    )
    assert not missing
    value, gradient, matrix = ours.value_gradient_and_hessian(X)
    np.testing.assert_array_equal(matrix.data, ours.values(X))
    np.testing.assert_allclose((value, *gradient), (ours.value(X), *ours.gradient(X)), rtol=1e-14)
    v = RNG.normal(size=6)
    np.testing.assert_allclose(ours.hvp(X, v), expected @ v, rtol=1e-11, atol=1e-12 * scale)
    np.testing.assert_allclose(ours.gradient(X), plain.gradient(X), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("mode", ["forward", "reverse", "bidirectional", "direct"])
def test_every_mode_goes_through_loops(mode):
    def f(x):
        return repeat(rk4, x**2, 3) * x[::-1]

    step = 1e-30
    exact = np.column_stack([np.imag(f(X + 1j * step * e)) / step for e in np.eye(6)])
    np.testing.assert_allclose(sad.jacobian(f, X, mode=mode)(X).toarray(), exact, rtol=1e-13, atol=1e-15)


def test_a_linear_step_is_a_power_of_its_matrix():
    jac = sad.jacobian(lambda x: repeat(lambda s: A @ s, x, 7), X)
    np.testing.assert_allclose(jac(X).toarray(), np.linalg.matrix_power(A, 7), rtol=1e-13)


@pytest.mark.parametrize("keep", [1, 2, 3, 7, 30, None])
def test_any_number_of_kept_states_gives_the_same_gradient(keep):
    grad = sad.gradient(lambda x: np.sum(repeat(rk4, x, 29, keep=keep)), X)
    every = sad.gradient(lambda x: np.sum(repeat(rk4, x, 29, keep=29)), X)
    np.testing.assert_array_equal(grad(X), every(X))


def test_preparation_does_not_grow_with_the_steps():
    few, many = (sad.gradient(lambda x, n=n: np.sum(repeat(rk4, x, n) ** 2), X, check=False) for n in (3, 100_000))
    assert few.source == many.source
    assert len(few.program.nodes) == len(many.program.nodes)
    assert np.isfinite(many(X)).all()


def test_gradients_inside_functions():
    def g(x):
        return np.sum(np.sin(repeat(heun, x, 3))) * x[0]

    H = sad.hessian(g, X)(X).toarray()
    nested = sad.jacobian(lambda x: sad.grad(g)(x), X)
    np.testing.assert_allclose(nested(X).toarray(), H, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(nested.vjp(X, X), H @ X, rtol=1e-11, atol=1e-13)
    outer = sad.gradient(lambda x: np.sum(sad.grad(g)(x) ** 2), X)
    np.testing.assert_allclose(outer(X), 2.0 * H @ sad.gradient(g, X)(X), rtol=1e-11)
    with pytest.raises(sad.UnsupportedOperationError, match="repeat of rk4, 3 times"):
        sad.jacobian(lambda x: sad.jacobian(lambda z: repeat(rk4, z, 3), x)(x) @ x, X)


def test_third_derivatives_of_loops_are_refused():
    def g(x):
        return np.sum(repeat(rk4, x, 3))

    with pytest.raises(sad.UnsupportedOperationError, match="third derivative of a loop"):
        sad.hessian(lambda x: np.sum(sad.grad(g)(x) ** 2), X)


def test_second_derivatives_of_opaque_operations_are_refused():
    with pytest.raises(sad.UnsupportedOperationError, match="second derivative of"):
        sad.hessian(lambda x: np.sum(repeat(lambda s: square(s) + x, x, 3)), X)
    jac = sad.jacobian(lambda x: repeat(lambda s: square(s) + x, x, 3), X)
    plain = sad.jacobian(lambda x: written_out(lambda s: square(s) + x, x, 3), X)
    np.testing.assert_allclose(jac(X).toarray(), plain(X).toarray(), rtol=1e-13)


def test_closed_ways_and_infinite_slopes():
    """What is not chosen does not count, from one turn to the next as well."""

    def f(loop):
        return lambda x: loop(lambda s: np.where(x > 0.0, np.sqrt(np.abs(s)), 0.5 * s), x, 3)

    at = np.array([0.0, 0.25, -1.0])
    ours, plain = (sad.jacobian(f(loop), np.ones(3), check=False)(at).toarray() for loop in (repeat, written_out))
    np.testing.assert_array_equal(ours, plain)


def module_step(s):
    return np.sin(s) * 0.9 + s[::-1] * s


def module_function(x):
    return repeat(module_step, x, 4)


def module_total(x):
    return np.sum(repeat(module_step, x, 4))


def test_pickles_batches_checks_and_threads(tmp_path):
    jac, grad = sad.jacobian(module_function, X), sad.gradient(module_total, X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(jac))(X).data, jac(X).data)
    points = RNG.uniform(0.3, 0.8, (3, 6))
    np.testing.assert_array_equal(grad.batch(points), [grad(p) for p in points])
    sad.check(jac, X)  # raises where something disagrees
    np.testing.assert_array_equal(sad.jacobian(module_function, X, threads=2)(X).data, jac(X).data)
    with pytest.raises(sad.InputError, match="repeat of module_step, 4 times"):
        jac.export(tmp_path / "loop")


@pytest.mark.parametrize("backend", ["python", "numba"])
def test_other_back_ends_around_the_loop(backend):
    made = sad.gradient(module_total, X, backend=backend)
    np.testing.assert_allclose(made(X), sad.gradient(module_total, X)(X), rtol=1e-13)


def test_branches_outside_are_recorded_and_inside_refused():
    made = sad.jacobian(lambda x: repeat(module_step, 2.0 * x if x[0] > 0 else x, 3), X, guard="record")
    plain = sad.jacobian(lambda x: repeat(module_step, 2.0 * x, 3), X)
    np.testing.assert_allclose(made(X).toarray(), plain(X).toarray(), rtol=1e-14)
    with pytest.raises(sad.TracedBranchError, match=r"test_repeated\.py"):
        sad.jacobian(lambda x: repeat(lambda s: s * 2 if s[0] > 0 else s, x, 3), X, guard="record")


# -- refusals -------------------------------------------------------------------------------------------------------
def counting(x):
    t = 0.0

    def step(s):
        nonlocal t
        t += 0.1
        return s * t

    return repeat(step, x, 3)


def writing_outside(x):
    b = x.copy()

    def step(s):
        r = s * b
        b[0] = s[0]
        return r

    return repeat(step, x, 3)


def remembering(x):
    seen = []

    def step(s):
        seen.append(s * 2.0)
        return np.sum(seen, axis=0)

    return repeat(step, x, 3)


@pytest.mark.parametrize("f", [counting, writing_outside, remembering])
def test_steps_that_change_are_refused(f):
    with pytest.raises(sad.InputError, match=r"test_repeated\.py.*not the same at every turn"):
        sad.jacobian(f, X, check=False)


def test_values_of_one_turn_do_not_leave_it():
    def f(x):
        seen = []

        def step(s):
            seen.append(s)
            return s * 0.5

        return repeat(step, x, 3) + seen[-1]

    with pytest.raises(sad.InputError, match="inside a step of repeat"):
        sad.jacobian(f, X, check=False)


@pytest.mark.parametrize(
    ("step", "state", "words"),
    [
        (lambda s: s[1:], lambda x: x, r"returned a state of shape \(5,\)"),
        (lambda s: (s, s), lambda x: x, r"of shape \(2, 6\)"),
        (lambda s: {"a": s["a"], "k": s["k"] + 1}, lambda x: {"a": x, "k": 0}, "holds int at 'k'"),
        (lambda s: {"b": s["a"]}, lambda x: {"a": x}, "returned b of shape"),
        (lambda s: None, lambda x: x, "returned NoneType"),
        (lambda s: s > 0.0, lambda x: x, "bool array"),
    ],
)
def test_states_that_do_not_fit_are_refused(step, state, words):
    with pytest.raises(sad.InputError, match=words):
        sad.jacobian(lambda x: repeat(step, state(x), 3), X)


def test_steps_and_rows_that_do_not_fit_are_refused():
    with pytest.raises(sad.InputError, match="expected one row for each of 3 steps"):
        repeat(lambda s, k: s * k, X, 3, each=np.ones(4))
    with pytest.raises(sad.TracedBranchError, match=r"range\(\)"):
        sad.jacobian(lambda x: repeat(lambda s: s, x, x[0]), X)
    with pytest.raises(sad.InputError, match="keep must be a whole number from 1 on"):
        repeat(lambda s: s, X, 3, keep=0)


def test_a_state_that_the_step_writes_to_is_not_spoiled():
    def f(x):
        p = x * 1.0

        def step(s):
            s = s.copy()
            s *= 2.0
            return s * p

        return repeat(step, np.ones(6), 3)

    np.testing.assert_allclose(sad.jacobian(f, X)(X).diagonal(), 24.0 * X**2, rtol=1e-14)
