"""What each kind of a derivative offers, walked over all that make one: a member works, or is refused in words."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from sparsead.contract import AFTER_A_VECTOR, AT_A_POINT, OF_MANY_POINTS, Derivative, members
from sparsead.derivatives.stepping import METHODS
from sparsead.errors import NotOfferedError
from tests.reference import complex_step

X = np.array([0.5, 1.25, 2.0, 0.75])
V, MULTIPLIERS, SIGMA = np.array([1.0, -2.0, 0.5, 3.0]), np.array([0.5, -1.0, 2.0, 0.25]), 1.5
P = 0.75
FORMATS = ("csr", "csc", "coo", "bsr", "dense")


def rows(x, p):
    return np.sin(x) * np.roll(x, 1) + p * x[::-1] ** 2


def total(x, p):
    return p * np.sum(x[1:] ** 2 * x[:-1]) + np.sum(np.exp(x))


def branching(f):
    def g(x, p):
        return f(x, p) if p < 10.0 else f(x, 2.0 * p)

    return g


J = complex_step(lambda x: rows(x, P), X)
SLOPE = complex_step(lambda x: np.atleast_1d(total(x, P)), X)[0]


def hessian_of(g):
    h, eyes = 1e-5, np.eye(4)
    return np.stack([(g(X + h * e) - g(X - h * e)) / (2.0 * h) for e in eyes], axis=1)


H = hessian_of(lambda x: complex_step(lambda x: np.atleast_1d(total(x, P)), x)[0])
LH = hessian_of(
    lambda x: complex_step(lambda x: np.atleast_1d(SIGMA * total(x, P) + MULTIPLIERS @ rows(x, P)), x)[0]
)  # of the Lagrangian
LSLOPE = SIGMA * SLOPE + MULTIPLIERS @ J


def makers():
    """Return, by name, what prepares each kind."""
    found = {
        "jacobian": lambda: sad.jacobian(rows, X, P),
        "jacobian, guarded": lambda: sad.jacobian(branching(rows), X, P, guard="record"),
        "hessian": lambda: sad.hessian(total, X, P),
        "hessian, guarded": lambda: sad.hessian(branching(total), X, P, guard="record"),
        "gradient": lambda: sad.gradient(total, X, P),
        "lagrangian": lambda: sad.lagrangian_hessian(total, rows, X, P),
    }
    for method in METHODS:
        found[f"jacobian, {method}"] = lambda method=method: sad.jacobian(rows, X, P, method=method)
    return found


MAKERS = makers()
PREPARED = {}


def prepared(name):
    if name not in PREPARED:
        PREPARED[name] = MAKERS[name]()
    return PREPARED[name]


def point_of(name):
    """Return the arguments of a call after x, and its options."""
    return ((MULTIPLIERS, P), {"sigma": SIGMA}) if name == "lagrangian" else ((P,), {})


def expected(name, member):
    """Return what a member gives at the point, dense."""
    if name == "lagrangian":
        value, slope, matrix = SIGMA * total(X, P) + MULTIPLIERS @ rows(X, P), LSLOPE, LH
    else:
        value, slope, matrix = total(X, P), SLOPE, H
    if name.startswith("jacobian"):
        value, matrix = rows(X, P), J
    gram = matrix.T @ matrix
    return {
        "diagonal": matrix.diagonal(), "gradient": slope, "hvp": matrix @ V, "jvp": matrix @ V, "vjp": matrix.T @ V,
        "linear_operator": matrix, "normal": gram, "value": value, "value_and_gradient": (value, slope),
        "value_and_jacobian": (value, matrix), "value_gradient_and_hessian": (value, slope, matrix),
        "values": matrix[matrix != 0.0],
    }[member]  # fmt: skip


def dense(found):
    if isinstance(found, tuple):
        return tuple(map(dense, found))
    if isinstance(found, scipy.sparse.linalg.LinearOperator):
        return found @ np.eye(found.shape[1])
    return found.toarray() if scipy.sparse.issparse(found) else np.asarray(found)


def assert_equal(found, wanted, tolerance):
    found, wanted = (a if isinstance(a, tuple) else (a,) for a in (dense(found), wanted))
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=10 * tolerance)


def tolerance_of(name):
    return 2e-6 if "finite" in name else 2e-8


@pytest.mark.parametrize("name", MAKERS)
def test_every_member_is_there_or_says_why_not(name):
    made = prepared(name)
    assert isinstance(made, Derivative)
    for member in members(made.derivative):
        words = refusal(lambda member=member: getattr(made, member), NotOfferedError)
        assert words is None or (member in words and len(words.split()) > 8)
    with pytest.raises(AttributeError, match="no_such_member"):
        made.no_such_member  # noqa: B018


@pytest.mark.parametrize("name", MAKERS)
def test_every_call_at_a_point_agrees_with_the_reference(name):
    made, (args, options) = prepared(name), point_of(name)
    for member in sorted(AT_A_POINT & members(made.derivative)):
        vector = (V,) if member in AFTER_A_VECTOR else ()
        found = getattr(made, member)(X, *vector, *args, **options)
        assert_equal(found, expected(name, member), tolerance_of(name))


@pytest.mark.parametrize("name", MAKERS)
def test_every_call_takes_arguments_by_name(name):
    made = prepared(name)
    if name == "lagrangian":
        pytest.skip("the function of a Lagrangian has arguments without names")
    for member in sorted((AT_A_POINT | OF_MANY_POINTS) & members(made.derivative)):
        vector = (V,) if member in AFTER_A_VECTOR else ()
        given = np.stack([X, X]) if member in OF_MANY_POINTS else X
        try:
            method = getattr(made, member)
        except NotOfferedError:
            continue
        assert_equal(method(given, *vector, p=P), dense(method(given, *vector, P)), 1e-14)
        with pytest.raises(sad.InputError, match="'q' is no argument"):
            method(given, *vector, q=P)


@pytest.mark.parametrize("name", [n for n in MAKERS if "guarded" not in n])
def test_batches_are_single_calls(name):
    made, (args, options) = prepared(name), point_of(name)
    points = np.stack([X, X + 0.25, X - 0.1])
    singles = {"batch": getattr(made, "values", made), "value_batch": made.value}
    if "gradient_batch" in members(made.derivative):
        singles["gradient_batch"] = made.gradient
    for member, single in singles.items():
        wanted = np.stack([single(x, *args, **options) for x in points])
        np.testing.assert_allclose(getattr(made, member)(points, *args, **options), wanted, rtol=1e-14)


@pytest.mark.parametrize("name", [n for n in MAKERS if "gradient" not in n and "guarded" not in n])
def test_a_prepared_call_reads_its_arrays_again(name):
    made, (args, options) = prepared(name), point_of(name)
    x, out = X.copy(), np.empty(made.pattern.nnz)
    evaluate = made.prepared_call(x, *args, out=out, **options)
    x += 0.125
    evaluate()
    np.testing.assert_allclose(out, made.values(x, *args, **options), rtol=1e-14)
    with pytest.raises(sad.InputError, match="out must be a matrix of an earlier call"):
        made.prepared_call(x, *args, out=None, **options)


# -- differences ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("format", FORMATS)
def test_differences_come_in_every_format(format):
    jac = sad.jacobian(rows, X, P, method="complex-step", format=format)
    traced = sad.jacobian(rows, X, P, format=format)
    found = jac(X, P)
    assert type(found) is type(traced(X, P))
    assert_equal(found, J, 1e-14)
    (found if format == "dense" else found.data)[...] = np.nan
    assert jac(X, P, out=found) is found
    assert_equal(found, J, 1e-14)
    again = pickle.loads(pickle.dumps(jac))
    assert type(again(X, P)) is type(found)
    assert_equal(again(X, P), J, 1e-14)
    N, g = jac.normal(X, P, r=V, weights=V**2)
    assert_equal((N, g), (J.T @ np.diag(V**2) @ J, J.T @ (V**2 * V)), 1e-13)


def test_out_may_be_an_argument_of_a_difference():
    jac = sad.jacobian(lambda x, p: p[: x.size] * x**2, X, np.ones(4), method="central-difference")
    p = np.array([1.0, 2.0, 3.0, 4.0])
    found = jac.values(X, p, out=p)
    np.testing.assert_allclose(found, 2.0 * X * [1.0, 2.0, 3.0, 4.0], rtol=1e-8)


def test_a_saved_difference_does_not_probe_again(tmp_path):
    count = 0

    def f(x):
        nonlocal count
        count += 1
        return np.sin(x) * np.roll(x, 1)

    jac = sad.jacobian(f, X, method="central-difference")
    jac.save(tmp_path / "jac.npz")
    count = 0
    again = sad.load(tmp_path / "jac.npz", f, X)
    assert count == again.calls <= 3
    assert again.mode == "central-difference"
    np.testing.assert_array_equal(again(X).toarray(), jac(X).toarray())


# -- inside a function that is differentiated ------------------------------------------------------------------------
INSIDE = ["jacobian", "hessian", "gradient", "lagrangian"]


def by_differences(value):
    h = 1e-6
    return np.stack([(value(X + h * e) - value(X - h * e)) / (2.0 * h) for e in np.eye(4)], axis=1)


def refusal(call, *errors):
    """Return what a call refuses in words; None where it does not."""
    try:
        call()
    except errors as error:
        return str(error)
    return None


def flat(found):
    """Return what a member gives as one vector, inside a function or outside."""
    parts = found if isinstance(found, tuple) else (found,)
    return np.concatenate([np.ravel(a.toarray() if hasattr(a, "toarray") else a) for a in parts])


@pytest.mark.parametrize("there", [False, True], ids=["prepared outside", "prepared inside"])
@pytest.mark.parametrize("name", INSIDE)
def test_every_member_composes_or_says_why_not(name, there):
    if there and name == "lagrangian":
        pytest.skip("a Lagrangian is prepared outside")
    make = {"jacobian": sad.jacobian, "hessian": sad.hessian, "gradient": sad.gradient}.get(name)
    f = rows if name == "jacobian" else total
    outside, (args, options) = prepared(name), point_of(name)
    for member in sorted((AT_A_POINT | OF_MANY_POINTS | {"prepared_call"}) & members(outside.derivative)):
        vector = (V,) if member in AFTER_A_VECTOR else ()
        given = {"out": np.empty(outside.pattern.nnz)} if member == "prepared_call" else {}

        def g(x, member=member, vector=vector, given=given):
            made = make(f, x, P) if there else outside
            return flat(getattr(made, member)(x, *vector, *args, **options, **given))

        words = refusal(lambda g=g: sad.jacobian(g, X, check=False), NotOfferedError)
        assert (words is not None) == (member in {"values", "linear_operator", "prepared_call", *OF_MANY_POINTS})
        if words is not None:
            assert member in words and "test_contract.py" in words
            continue
        jac = sad.jacobian(g, X)
        np.testing.assert_allclose(jac(X).toarray(), by_differences(g), rtol=1e-6, atol=1e-6)


def test_members_of_what_was_prepared_inside():
    seen = []

    def f(x):
        for made in (sad.jacobian(rows, x, P), sad.hessian(total, x, P), sad.gradient(total, x, P)):
            for member in members(made.derivative):
                words = refusal(lambda made=made, member=member: getattr(made, member), NotOfferedError)
                assert words is None or "inside a function" in words
                seen.append(member)
        return x * 1.0

    sad.jacobian(f, X)
    assert "normal" in seen and "source" in seen


def test_weighted_normal_equations_inside():
    jac = sad.jacobian(rows, X, P)

    def g(x):
        N, right = jac.normal(x, P, r=rows(x, P), weights=x**2)
        return np.concatenate([N @ V, right])

    def plain(x):
        K = jac(x, P).toarray()
        return np.concatenate([K.T @ np.diag(x**2) @ K @ V, K.T @ (x**2 * rows(x, P))])

    np.testing.assert_allclose(sad.jacobian(g, X)(X).toarray(), by_differences(plain), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("options", [{"out": np.empty(4)}, {"verify": True}])
def test_options_without_meaning_inside_are_refused(options):
    jac = sad.jacobian(rows, X, P)
    for call in (jac.value_and_jacobian, jac.diagonal) if "out" in options else (jac.value_and_jacobian,):
        with pytest.raises(sad.InputError, match="has no meaning inside a function"):
            sad.jacobian(lambda x, call=call: flat(call(x, P, **options)), X)


@pytest.mark.parametrize("name", ["jacobian, guarded", "jacobian, complex-step"])
def test_what_has_no_derivatives_inside_says_so(name):
    made = prepared(name)
    for call in (made, made.value, made.values, made.normal, made.value_and_jacobian):
        with pytest.raises((sad.InputError, sad.UnsupportedOperationError), match=r"guard='record'|method='ad'"):
            sad.jacobian(lambda x, call=call: flat(call(x, P)), X)
