"""Arrays that the traced function allocates, fills, views and overwrites, as plain NumPy code does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy import zeros as zeros_by_name

import sparsead as sad
from tests.reference import assert_close, differences, generic_points
from tests.tracing import helper_module

X = generic_points(1, (6,))[0]
OUTSIDE = np.arange(6.0)


def check(f, x=X):
    """Compare value and Jacobian with those of the plain function."""
    jac = sad.jacobian(f, x, backend="python")
    y, matrix = jac.value_and_jacobian(x)
    np.testing.assert_allclose(y, f(x), rtol=1e-14)
    assert_close(matrix.toarray(), differences(f, x))
    return jac


@pytest.mark.parametrize(
    "allocate",
    [
        lambda x: np.zeros(6),
        lambda x: np.zeros((6,), dtype=float),
        lambda x: np.zeros(shape=6),
        lambda x: np.ones(6),
        lambda x: np.empty(6),
        lambda x: np.full(6, 2.5),
        lambda x: np.full(6, x[0]),
        lambda x: np.zeros_like(x),
        lambda x: np.ones_like(x),
        lambda x: np.empty_like(x),
        lambda x: np.full_like(x, 3.0),
        lambda x: np.full_like(x, x[1]),
        lambda x: np.zeros(6, like=x),
        lambda x: np.empty(6, like=x),
        lambda x: zeros_by_name(6),
        lambda x: np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        lambda x: np.array((0.0,) * 6),
        lambda x: np.array(OUTSIDE),
        lambda x: np.copy(OUTSIDE),
        lambda x: x.copy(),
        lambda x: np.array(x),
        lambda x: np.array(x, copy=True),
        lambda x: np.copy(x),
        lambda x: 0.0 * x,
        lambda x: np.zeros(6) + 1.0,
        lambda x: np.zeros(12)[::2],
        lambda x: np.zeros((2, 3)).reshape(-1),
        lambda x: np.zeros(6).copy(),
        lambda x: np.zeros(6).astype(float),
        lambda x: np.repeat(0.0, 6) + np.zeros(6),
    ],
)
def test_every_way_to_allocate(allocate):
    def f(x):
        out = allocate(x)
        for i in range(1, 5):
            out[i] = x[i - 1] * x[i + 1]
        out[0], out[-1] = x[0] ** 2, 1.0
        return out

    check(f)


MASKS = {
    "zeros": lambda x: np.zeros(6, dtype=bool),
    "ones": lambda x: np.ones(6, bool),
    "full": lambda x: np.full(6, False),
    "array": lambda x: np.array([True, False] * 3),
    "arange": lambda x: np.arange(6) > 2,
    "like": lambda x: np.zeros_like(x, dtype=bool),
    "integers": lambda x: np.ones(6, dtype=int),
    "counts": lambda x: np.arange(6),
    "view": lambda x: np.zeros((3, 2), bool).T.reshape(-1),
}
WRITES = {
    "slice": lambda m, x: m.__setitem__(slice(1, None), x[1:] > x[:-1]),
    "elements": lambda m, x: [m.__setitem__(k, x[k] > x[5 - k]) for k in range(4)],
    "places": lambda m, x: m.__setitem__([4, 1], x[:2] > 0.0),
    "mask": lambda m, x: m.__setitem__(x > 0.0, True),
    "or": lambda m, x: np.logical_or(m, x > 0.0, out=m),
    "out": lambda m, x: np.greater(x, 0.1, out=m),
    "copyto": lambda m, x: np.copyto(m, x < 0.0),
    "put": lambda m, x: np.put(m, [0, 5], x[1:3] > 0.0),
    "fill": lambda m, x: m.fill(x[2] > x[3]),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("mask", MASKS)
def test_masks_and_counts_are_written_to(mask, write):
    def f(x):
        m = MASKS[mask](x)
        WRITES[write](m, x)
        order = np.array([3, 1, 0, 2, 5, 4])  # indices of the same trace
        return np.where(m, x, x**2)[order] * np.count_nonzero(m) + m * x[order]

    check(f)


def test_helper_of_another_module_that_allocates():
    check(lambda x: helper_module.filled(x) * x[0])
    check(lambda x: helper_module.filled_by_name(x) * x[0])


def test_closure_that_allocates():
    def make():
        def inner(x):
            out = zeros_by_name(3)
            out[:] = x[::2]
            return out

        return inner

    inner = make()
    check(lambda x: inner(x) * x[1])


def test_integer_and_boolean_arrays_stay_plain():
    def f(x):
        order = np.zeros(6, dtype=int)
        order[:] = [5, 0, 3, 3, 1, 2]
        mask = np.ones(6, dtype=bool)
        mask[2] = False
        assert type(order) is np.ndarray and type(mask) is np.ndarray
        return x[order] * x[mask.nonzero()[0][0]] + x[mask].sum()

    check(f)


def test_constant_buffer_is_usable_as_an_array():
    """Until a traced value is written to it, an array works wherever a plain one does."""

    def f(x):
        grid = np.zeros(6)
        grid[:] = np.linspace(0.0, 1.0, 6)
        total = float(grid.sum())
        assert grid[2] < grid[3] and bool(grid[0] == 0.0)
        return x * grid * total * np.interp(0.3, grid, grid) + np.linalg.norm(grid)

    check(f)


# -- writes -------------------------------------------------------------------------------------------------------
def _write(key, value):
    def f(x):
        out = np.zeros((2, 3, 6))
        out[key] = value(x)
        return out * 2.0

    return f


@pytest.mark.parametrize(
    "f",
    [
        _write((0, 1), lambda x: x),
        _write((0, slice(None), 3), lambda x: x[:3]),
        _write((Ellipsis, 0), lambda x: x.reshape(2, 3)),
        _write(slice(None), lambda x: x),
        _write(Ellipsis, lambda x: x[0]),
        _write((slice(None), slice(None, None, 2)), lambda x: x**2),
        _write((1, 1, slice(4, 1, -1)), lambda x: x[:3]),
        _write((0, 0, [0, 3, 3, 1]), lambda x: x[:4]),  # the last write to a place counts
        _write((0, [0, 2], [1, 1]), lambda x: x[:2]),
        _write(([0, 1], slice(None), [1, 2]), lambda x: x.reshape(2, 3)),
        _write(np.arange(36).reshape(2, 3, 6) % 5 == 0, lambda x: x[1]),
        _write(np.arange(36).reshape(2, 3, 6) % 6 == 0, lambda x: x),
        _write((-1, -1, -1), lambda x: x[0] * x[1]),
        _write(np.ix_([0, 1], [2], [0, 5]), lambda x: x[:4].reshape(2, 1, 2)),
        _write((0, 0), lambda x: x[None, None]),
        _write((0, 0, slice(0, 0)), lambda x: x[:0]),
        _write((0, np.newaxis, 1), lambda x: x),
    ],
)
def test_assignments_are_those_of_numpy(f):
    check(f)


def test_assignments_overwrite_in_order():
    def f(x):
        out = np.zeros(6)
        out[:] = x
        out[1:4] = 2.0 * x[0]
        out[2] = 7.0
        out[3:] += x[:3] * out[1]
        return out

    jac = check(f)
    assert jac.pattern.indptr.tolist() == [0, 1, 2, 2, 3, 6, 9][:0] or jac(X)[[2], :].nnz == 0


def test_augmented_assignments():
    def f(x):
        out = x.copy()
        out += x[::-1]
        out -= 1.0
        out *= x
        out /= 2.0 + x
        out **= 2
        out[1:] -= x[:-1]
        out[::2] *= 3.0
        return out

    check(f)


def test_augmented_assignment_does_not_change_the_argument():
    def f(x):
        y = x
        y = y + 0.0
        y *= 2.0
        return y + x

    check(f)


def test_argument_changed_in_place_reads_as_numpy_would():
    """The traced x may be overwritten by f; the caller's x is not, and the derivative is that of the result."""

    def f(x):
        x = x.copy()
        x[0] = x[1] * x[2]
        x[1:3] = 1.0
        return x**2

    check(f)


def test_views_alias():
    def f(x):
        field = np.zeros((4, 6))
        top, flat = field[0], field.reshape(-1)
        top[:] = x
        flat[6:12] = x**2
        for w in (field, field.T):
            w[-1, 0] = w[0, 0] * 3.0
        view = field[1:3, ::2]
        view[...] += x[:3]
        np.subtract(field[2], x, out=field[3])
        diagonal = np.diagonal(field)  # read-only in NumPy, a view all the same
        return field + diagonal.sum()

    check(f)


def test_iterating_over_rows_gives_views():
    def f(x):
        table = np.zeros((3, 2))
        for k, row in enumerate(table):
            row[:] = x[k] * x[k : k + 2]
        a, b = table.T
        return a - b**2

    check(f)


def test_copies_do_not_alias():
    def f(x):
        first = x * 2.0
        second, third = first.copy(), first[[0, 1, 2, 3, 4, 5]]
        flat = first.flatten()
        first[:] = 0.0
        return second + third * flat + first

    check(f)


def test_ufunc_out_and_function_out():
    def f(x):
        out = np.empty(6)
        np.multiply(x, x, out=out)
        np.sin(out, out=out)
        np.add(out, 1.0, out)
        total = np.empty(())
        np.sum(out, out=total)
        return out * total

    check(f)


def test_ufunc_outer_and_where():
    def f(x):
        out = np.ones(6)
        np.divide(1.0, x, out=out, where=np.arange(6) > 2)
        np.multiply(x, x, out=out, where=x > 0.5)
        return out + np.subtract.outer(x, x[:2])[:, 0] * np.multiply.outer(x, [1.0, 2.0])[:, 1]

    check(f)


def test_add_at_and_bincount_accumulate_repeated_places():
    places = np.array([0, 2, 2, 2, 0, 1])

    def f(x):
        out = np.ones(4)
        np.add.at(out, places, x**2)
        np.subtract.at(out, [3, 3], x[:2])
        return np.concatenate([out, np.bincount(places, weights=x, minlength=5)])

    check(f)


def test_overwritten_infinities_leave_no_nan():
    def f(x):
        with np.errstate(divide="ignore"):
            inverse = 1.0 / (x[:, None] - x[None, :])
        np.fill_diagonal(inverse, 0.0)
        return inverse @ np.ones(6)

    check(f)


def test_object_arrays_of_traced_scalars():
    def f(x):
        values = [x[0] * x[1], np.sin(x[2]), 3.0]
        return np.concatenate([np.array(values), np.asarray([v * 2 for v in values]), np.hstack(values)])

    check(f)


def test_a_view_read_before_and_after_a_write():
    """Reads are of the moment: what was computed from a buffer does not change when the buffer does."""

    def f(x):
        out = np.zeros(6)
        out[:] = x
        before = out * 1.0
        view = out[::-1]
        out[0] = x[3] ** 2
        return before + view

    check(f)


# -- NumPy is left as it was --------------------------------------------------------------------------------------
CREATION = ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like", "array", "asarray")


def test_numpy_is_untouched_after_a_trace_and_after_a_failing_one():
    before = {name: getattr(np, name) for name in CREATION}
    by_name, in_helper = zeros_by_name, helper_module.zeros

    def fails(x):
        zeros_by_name(3)[0] = x[0]
        raise RuntimeError("on purpose")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="on purpose"):
            sad.jacobian(fails, X)
    sad.jacobian(lambda x: helper_module.filled(x), X, backend="python")
    assert {name: getattr(np, name) for name in CREATION} == before
    assert globals()["zeros_by_name"] is by_name
    assert helper_module.zeros is in_helper
    assert type(np.zeros(3)) is np.ndarray


def test_other_threads_keep_plain_numpy_during_a_trace():
    kinds = []

    def f(x):
        with ThreadPoolExecutor(1) as pool:
            kinds.extend(pool.map(lambda _: type(np.zeros(3)), range(3)))
            kinds.extend(pool.map(lambda _: type(np.asarray([1.0, 2.0])), range(3)))
        out = np.zeros(6)
        out[:] = x**2
        return out

    check_during = sad.jacobian(f, X, backend="python")
    assert set(kinds) == {np.ndarray}
    assert check_during.pattern.nnz == 6


def test_traces_in_several_threads():
    def f(x):
        out = np.zeros(6)
        for i in range(6):
            out[i] = x[i] * x[i - 1]
        return out

    def work(k):
        jac = sad.jacobian(f, X, backend="python")
        return jac(X * k).toarray()

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(1, 17)))
    for k, result in enumerate(results, start=1):
        assert_close(result, k * results[0])
    assert type(np.zeros(2)) is np.ndarray
