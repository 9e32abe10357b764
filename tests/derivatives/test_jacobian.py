"""The prepared Jacobian: its call forms, its structure, and what it answers to bad input."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse

import coloring
import sparsead as sad
from tests.reference import assert_close, complex_step, differences

X = np.array([0.3, -1.2, 0.7, 2.0, -0.4])


def chain(x):
    """A chain with two neighbours each."""
    return np.sin(x[1:]) * x[:-1] + x[1:] ** 2


def prepared(f=chain, x=X, *args, **options):
    return sad.jacobian(f, x, *args, backend=options.pop("backend", "python"), **options)


# -- results ------------------------------------------------------------------------------------------------------
def test_matrix_is_canonical_csr():
    matrix = prepared()(X)
    assert isinstance(matrix, scipy.sparse.csr_array)
    assert matrix.shape == (4, 5)
    assert matrix.has_sorted_indices
    assert matrix.indices.dtype == matrix.indptr.dtype == np.int32
    assert matrix.data.dtype == np.float64
    assert_close(matrix.toarray(), complex_step(chain, X), 1e-14)


@pytest.mark.parametrize("backend", ["llvm", "numba", "python"])
def test_back_ends_agree(backend):
    jac = prepared(backend=backend)
    assert_close(jac(X).toarray(), complex_step(chain, X), 1e-14)
    assert_close(jac.value(X), chain(X), 1e-14)


def test_unknown_back_end_is_refused():
    with pytest.raises(ValueError, match=r"unknown back end 'fortran'.*llvm, numba, python"):
        prepared(backend="fortran")


def test_value_and_jacobian():
    jac = prepared()
    y, matrix = jac.value_and_jacobian(X)
    np.testing.assert_allclose(y, chain(X), rtol=1e-15)
    np.testing.assert_array_equal(matrix.toarray(), jac(X).toarray())


def test_structure_is_the_same_at_every_point():
    """Entries that happen to be zero stay: x = 0 makes sin(x) vanish, not its place."""
    jac = prepared()
    first, second = jac(X), jac(np.zeros(5))
    np.testing.assert_array_equal(first.indices, second.indices)
    np.testing.assert_array_equal(first.indptr, second.indptr)
    assert second.nnz == 8


def test_results_do_not_share_values():
    jac = prepared()
    first = jac(X)
    kept = first.data.copy()
    jac(2.0 * X)
    np.testing.assert_array_equal(first.data, kept)


def test_structure_is_read_only_and_a_copy_is_not():
    matrix = prepared()(X)
    with pytest.raises(ValueError, match="read-only"):
        matrix.indices[0] = 3
    own = matrix.copy()
    own.indices[0] = own.indices[0]


def test_out_is_refilled_in_place_after_scaling():
    jac = prepared()
    matrix = jac(X)
    data = matrix.data
    matrix.data *= -7.0  # what users do to form I - h J
    again = jac(2.0 * X, out=matrix)
    assert again is matrix
    assert again.data is data
    np.testing.assert_array_equal(again.toarray(), jac(2.0 * X).toarray())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda matrix: matrix.toarray(),
        lambda matrix: matrix.tocsc(),
        lambda matrix: matrix.astype(np.float32),
        lambda matrix: matrix[:-1],
        lambda matrix: scipy.sparse.csr_array(np.eye(4, 5)),
    ],
)
def test_out_with_another_structure_is_refused(wrong):
    jac = prepared()
    with pytest.raises(sad.InputError, match=r"out must be a float64 csr_array .*\(4 x 5, 8 entries\)"):
        jac(X, out=wrong(jac(X)))


def test_values_in_every_order():
    jac = prepared(lambda x: x * np.roll(x, 1) + x[::-1] ** 3)
    matrix = jac(X)
    np.testing.assert_array_equal(jac.values(X), matrix.data)
    np.testing.assert_array_equal(jac.values(X, order="coo"), matrix.data)
    csc = matrix.tocsc()
    np.testing.assert_array_equal(jac.values(X, order="csc"), csc.data)
    lower = scipy.sparse.tril(matrix, format="csr")
    np.testing.assert_array_equal(jac.values(X, order="lower"), lower.data)
    with pytest.raises(sad.InputError, match="unknown order 'diagonal'"):
        jac.values(X, order="diagonal")


def test_values_into_an_array():
    jac = prepared()
    out = np.full(8, np.nan)
    assert jac.values(X, out=out) is out
    np.testing.assert_array_equal(out, jac(X).data)


def test_products_with_vectors_and_blocks():
    jac = prepared()
    dense = jac(X).toarray()
    v, w = np.arange(10.0).reshape(5, 2), np.arange(12.0).reshape(4, 3)
    np.testing.assert_allclose(jac.jvp(X, v), dense @ v, rtol=1e-13)
    np.testing.assert_allclose(jac.jvp(X, v[:, 0]), dense @ v[:, 0], rtol=1e-13)
    np.testing.assert_allclose(jac.vjp(X, w), dense.T @ w, rtol=1e-13)
    np.testing.assert_allclose(jac.vjp(X, w[:, 1]), dense.T @ w[:, 1], rtol=1e-13)
    with pytest.raises(sad.InputError, match=r"jvp expects a vector of shape \(5,\) or \(5, k\), got \(4,\)"):
        jac.jvp(X, np.ones(4))
    with pytest.raises(sad.InputError, match=r"vjp expects a vector of shape \(4,\) or \(4, k\), got \(5,\)"):
        jac.vjp(X, np.ones(5))


def test_linear_operator():
    jac = prepared()
    operator, dense = jac.linear_operator(X), jac(X).toarray()
    assert operator.shape == (4, 5)
    np.testing.assert_allclose(operator @ np.eye(5), dense, rtol=1e-13)
    np.testing.assert_allclose(operator.H @ np.eye(4), dense.T, rtol=1e-13)
    np.testing.assert_allclose(operator @ X, dense @ X, rtol=1e-13)


def test_linear_operator_keeps_its_point():
    jac, x = prepared(), X.copy()
    operator = jac.linear_operator(x)
    before = operator @ np.ones(5)
    x[:] = 0.0
    np.testing.assert_array_equal(operator @ np.ones(5), before)


def test_two_preparations_are_identical():
    first, second = (prepared(backend="llvm", mode="forward") for _ in range(2))
    assert first.source == second.source
    assert str(first.program).splitlines()[0] == str(second.program).splitlines()[0]
    np.testing.assert_array_equal(first.coloring.colors, second.coloring.colors)
    one, two = first(X), second(X)
    for name in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_evaluation_from_several_threads():
    jac = prepared(backend="llvm", x=np.ones(2000))
    points = [np.sin(np.arange(2000.0) * k) for k in range(1, 9)]
    expected = [jac(x).data for x in points]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            for data, matrix in zip(expected, pool.map(jac, points), strict=True):
                np.testing.assert_array_equal(matrix.data, data)


def test_the_summary_names_size_and_passes():
    text = str(prepared())
    assert "sparse Jacobian of chain: 4 x 5, 8 nonzeros" in text
    assert "instead of 5" in text


# -- shapes -------------------------------------------------------------------------------------------------------
def test_x_and_f_of_any_shape_in_c_order():
    def f(x):
        return np.stack([x.T * 2.0, x.T**2])

    x = np.arange(1.0, 7.0).reshape(2, 3)
    jac = prepared(f, x)
    assert jac.shape == (12, 6)
    assert jac.value(x).shape == (2, 3, 2)
    assert_close(jac(x).toarray(), complex_step(f, x), 1e-14)


def test_fortran_ordered_and_strided_x():
    def f(x):
        return x[0] * x[1]

    x = np.arange(1.0, 7.0).reshape(2, 3)
    jac, expected = prepared(f, x), complex_step(f, x)
    assert_close(jac(np.asfortranarray(x)).toarray(), expected, 1e-15)
    wide = np.zeros((4, 6))
    wide[::2, ::2] = x
    assert_close(jac(wide[::2, ::2]).toarray(), expected, 1e-15)


def test_scalar_x_and_scalar_value():
    jac = prepared(lambda x: np.exp(2.0 * x), 0.5)
    assert jac.shape == (1, 1)
    assert_close(jac(0.5).toarray(), [[2.0 * np.exp(1.0)]], 1e-15)
    assert jac.value(0.5).shape == ()


def test_integer_and_list_x_are_converted():
    jac = prepared(lambda x: x**2, np.array([1, 2, 3]))
    np.testing.assert_array_equal(jac(np.array([1, 2, 3])).diagonal(), [2.0, 4.0, 6.0])
    np.testing.assert_array_equal(jac([1, 2, 3]).diagonal(), [2.0, 4.0, 6.0])


def test_single_precision_x_is_converted():
    jac = prepared(lambda x: x**2, np.ones(3, np.float32))
    assert jac(np.ones(3, np.float32)).dtype == np.float64


def test_empty_x():
    jac = prepared(lambda x: x * 2.0, np.zeros(0))
    assert jac.shape == (0, 0)
    assert jac(np.zeros(0)).nnz == 0


def test_empty_value():
    jac = prepared(lambda x: x[:0], X)
    assert jac.shape == (0, 5)
    assert jac(X).nnz == 0


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.ones(3),
        lambda x: [1.0, 2, 3.0],
        lambda x: np.ones(3) + 0.0 * np.sign(x[:3]),
        lambda x: np.zeros_like(x[:3]),
        lambda x: (x[:3] > 0.0) * 1.0,
    ],
)
def test_value_that_does_not_depend_on_x_has_an_empty_pattern(f):
    jac = prepared(f)
    assert jac.shape == (3, 5)
    assert jac.pattern.nnz == 0
    assert jac.passes["jvp"] == 0
    np.testing.assert_array_equal(jac(X).toarray(), np.zeros((3, 5)))
    np.testing.assert_array_equal(jac.value(X), np.asarray(f(X), float))
    np.testing.assert_array_equal(jac.jvp(X, X), np.zeros(3))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: [x[0] * x[1], 2.0, x[3]],
        lambda x: (x[0] * x[1], 2.0, x[3]),
        lambda x: [x[:2] * x[1:3], x[2:4]],
        lambda x: np.array([x[0], x[1] ** 2]),
        lambda x: np.sum(x**3),
        lambda x: x[2],
        lambda x: x,
    ],
)
def test_lists_tuples_scalars_and_views_as_values(f):
    jac = prepared(f)
    assert_close(jac(X).toarray(), complex_step(f, X), 1e-14)
    np.testing.assert_allclose(jac.value(X), np.asarray(f(X)), rtol=1e-15)


# -- arguments ----------------------------------------------------------------------------------------------------
def reaction(x, rate, weights, power, label="none"):
    return rate * x**power + weights * np.roll(x, 1)


def test_runtime_arguments_need_no_new_preparation():
    weights = np.linspace(1.0, 2.0, 5)
    jac = prepared(reaction, X, 2.0, weights, 3)
    for rate in (0.5, -1.0):
        for w in (weights, weights**2):
            assert_close(jac(X, rate, w, 3).toarray(), complex_step(lambda x, r=rate, w=w: reaction(x, r, w, 3), X))


def test_arguments_are_checked():
    jac = prepared(reaction, X, 2.0, np.ones(5), 3)
    with pytest.raises(sad.InputError, match=r"expected 4 arguments .* got 3"):
        jac(X, 2.0, np.ones(5))
    with pytest.raises(sad.InputError, match=r"argument 2 has shape \(4,\), but .* prepared for shape \(5,\)"):
        jac(X, 2.0, np.ones(4), 3)
    with pytest.raises(sad.InputError, match=r"argument 3 was fixed .*: 3 then, 2 now;"):
        jac(X, 2.0, np.ones(5), 2)


def test_another_argument_is_differentiated():
    def f(weights, x):
        return weights * x[1:]

    weights, x = np.arange(1.0, 4.0), np.arange(4.0)
    jac = sad.jacobian(f, weights, x, argnum=1, backend="python")
    assert jac.shape == (3, 4)
    assert_close(jac(2.0 * weights, x).toarray(), complex_step(lambda z: f(2.0 * weights, z), x))
    with pytest.raises(sad.InputError, match=r"argnum=2, but the function is called with 2 arguments"):
        sad.jacobian(f, weights, x, argnum=2)


@pytest.mark.parametrize("shape", [(4,), (6,), (5, 1), (1, 5), ()])
def test_wrong_shape_of_x(shape):
    expected = rf"x has shape {tuple(shape)}, but this derivative was prepared for shape (5,)"
    with pytest.raises(sad.InputError) as error:
        prepared()(np.zeros(shape))
    assert expected in str(error.value)


@pytest.mark.parametrize("x", [X.astype(complex), np.array(["a"] * 5), np.array([None] * 5)])
def test_x_that_is_not_real(x):
    with pytest.raises(sad.InputError, match=r"x has dtype .*; expected real numbers \(float64\)"):
        prepared()(x)
    with pytest.raises(sad.InputError, match="x has dtype"):
        prepared(chain, x)


@pytest.mark.parametrize(("value", "name"), [(None, "NoneType"), ("text", "str"), ({}, "dict"), ([None], "list")])
def test_value_that_is_no_array(value, name):
    def f(x):
        return value

    line = inspect.getsourcelines(f)[1]
    with pytest.raises(sad.InputError) as error:
        prepared(f)
    assert f"returned {name}; expected an array, a number, or a list of them" in str(error.value)
    assert f'test_jacobian.py", line {line}' in str(error.value)


def test_condition_as_value():
    with pytest.raises(sad.InputError, match=r"returned a condition \(bool array\); expected real numbers"):
        prepared(lambda x: x > 0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "sideways"}, "unknown mode 'sideways'; expected one of"),
        ({"coloring": "rainbow"}, "unknown coloring 'rainbow'"),
        ({"coloring": np.zeros(4, int)}, "coloring must be an array of 5 integers"),
        ({"coloring": np.zeros(5, int)}, "coloring is not valid: .* columns 0 and 1 have color 0 and meet in row 0"),
        ({"pattern": scipy.sparse.eye_array(4)}, r"pattern has shape \(4, 4\), but the matrix is 4 x 5"),
        ({"pattern": scipy.sparse.eye_array(4, 5)}, "pattern misses 4 entries, the first at row 0, column 1"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(sad.InputError, match=message):
        prepared(**options)


# -- patterns and colorings ---------------------------------------------------------------------------------------
def test_given_pattern_may_be_larger():
    full = scipy.sparse.csr_array(np.ones((4, 5)))
    jac = prepared(pattern=full)
    assert jac.pattern.nnz == 20
    assert_close(jac(X).toarray(), complex_step(chain, X), 1e-14)


def test_given_colorings():
    own = prepared(coloring=np.array([0, 1, 2, 0, 1]))
    assert own.passes == {"jvp": 3, "vjp": 0}
    uncompressed = prepared(coloring="none")
    assert uncompressed.passes == {"jvp": 5, "vjp": 0}
    result = coloring.color(own.pattern, order="natural")
    for jac in (own, uncompressed, prepared(coloring=result), prepared(order="largest_first")):
        assert_close(jac(X).toarray(), complex_step(chain, X), 1e-14)


def test_pattern_alone():
    pattern = sad.jacobian_pattern(chain, X)
    np.testing.assert_array_equal(pattern.to_scipy().toarray() != 0, prepared()(X).toarray() != 0)


def test_many_colors_are_processed_in_blocks():
    """A dense Jacobian: more colors than lanes."""

    def f(x):
        v = np.tanh(np.sum(x * np.arange(1.0, 71.0)) + x)
        return v * v[::-1]

    x = np.linspace(-1.0, 1.0, 70)
    for backend in ("python", "llvm"):
        assert_close(prepared(f, x, backend=backend)(x).toarray(), complex_step(f, x), 1e-12)


# -- values that are not finite -----------------------------------------------------------------------------------
def test_nan_and_inf_propagate_as_in_numpy():
    jac = prepared()
    x = X.copy()
    x[2] = np.nan
    y, matrix = jac.value_and_jacobian(x)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(chain(x)))
    poisoned = np.zeros((4, 5), bool)
    poisoned[[1, 1, 2], [1, 2, 3]] = True  # sin(x[2]), cos(x[2]) x[1] + 2 x[2], cos(x[3]) x[2]
    np.testing.assert_array_equal(np.isnan(matrix.toarray()), poisoned)
    x[2] = np.inf
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(jac.value(x), chain(x))


def test_derivatives_at_singular_points_are_infinite_not_wrong():
    jac = prepared(lambda x: np.sqrt(x), np.ones(2))
    np.testing.assert_array_equal(jac(np.array([0.0, 4.0])).diagonal(), [np.inf, 0.25])


def test_choices_shield_from_the_branch_not_taken():
    """where(x > 0, sqrt(x), 0) has a derivative of 0 at x <= 0, not NaN = 0 * inf."""
    jac = prepared(lambda x: np.where(x > 0.0, np.sqrt(np.abs(x)), 0.0))
    x = np.array([4.0, 0.0, -1.0, 0.0, 1.0])
    np.testing.assert_array_equal(jac(x).diagonal(), [0.25, 0.0, 0.0, 0.0, 0.5])


def test_overwritten_values_drop_their_derivative():
    def f(x):
        distance = np.abs(x[:, None] - x[None, :]) ** -0.5
        distance[np.arange(5), np.arange(5)] = 0.0
        return distance.sum(axis=1)

    with np.errstate(divide="ignore"):
        assert_close(prepared(f)(X).toarray(), differences(f, X, 1e-3), 1e-8)


@pytest.mark.parametrize(
    ("f", "diagonal"),
    [
        (lambda x: np.maximum(x, 1.0), [1.0, 1.0]),  # the first operand counts at a tie
        (lambda x: np.maximum(1.0, x), [0.0, 0.0]),
        (lambda x: np.minimum(x, 1.0), [1.0, 1.0]),
        (lambda x: np.clip(x, 1.0, 1.0), [1.0, 1.0]),
        (lambda x: np.abs(x - 1.0), [0.0, 0.0]),
    ],
)
def test_at_ties_the_first_operand_counts(f, diagonal):
    for backend in ("python", "llvm"):
        np.testing.assert_array_equal(prepared(f, np.ones(2), backend=backend)(np.ones(2)).diagonal(), diagonal)
