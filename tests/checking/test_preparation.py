"""Every preparation is compared with the function: what is wrong is refused, what is right never is."""

from __future__ import annotations

import functools
import random
import time
import warnings

import numpy as np
import pytest
import scipy.ndimage
import scipy.sparse

import sparsead as sad
from sparsead.checking import rows
from sparsead.checking.preparation import SEED
from sparsead.derivatives import preparation, self_check
from sparsead.problems import PROBLEMS, SIZES
from sparsead.tracing.late import HANDLERS
from sparsead.tracing.loops.tape import is_tracing

X = np.linspace(0.3, 1.4, 6)
A = scipy.sparse.random_array((40, 6), density=0.3, rng=np.random.default_rng(0), format="csr")


def names(report):
    return [c.name for c in report.comparisons]


# -- right functions ----------------------------------------------------------------------------------------------
def loop(x):
    out = np.zeros(6)
    for i in range(5):
        out[i] = x[i] * x[i + 1] + np.sin(x[i])
    return out


def single_precision(x):
    return (x.astype(np.float32) ** 2 + np.float32(1.0) / x.astype(np.float32)).astype(np.float64)


RIGHT = {
    "smooth": lambda x: x[1:] ** 2 * np.exp(x[:-1]),
    "loop": loop,
    "running sum": lambda x: np.cumsum(x**2) * x,
    "kinks": lambda x: np.abs(x) + np.maximum(x, 0.1) + np.where(x > 0.5, x, x**3),
    "jumps": lambda x: np.floor(3.0 * x) + np.sign(x) * x,
    "cancelling terms": lambda x: (x + 1e9) - 1e9 + x**2,
    "long sums": lambda x: np.sum(np.sin(np.outer(x, np.arange(2000.0))), axis=1) - np.mean(x),
    "products": lambda x: A @ np.sin(x),
    "domain": lambda x: np.sqrt(1.5 - x) + np.log(x),
    "no derivative at zero": lambda x: np.sqrt(x) + np.cbrt(x),
    "constant": lambda x: np.ones(4),
    "overflow": lambda x: np.exp(np.exp(3.0 * x)) * 1e-300,
    "nan": lambda x: x * np.array([1.0, np.nan, 1.0, np.inf, 1.0, 2.0]),
    "large": lambda x: 1e200 * x**2,
    "saturated": lambda x: np.diff(1e6 * np.tanh(15.0 + x)),
    "saturated, beside a recurrence": lambda x: np.concatenate([np.diff(1e6 * np.tanh(15.0 + x)), np.cumprod(x)]),
    "saturated, in a recurrence": lambda x: np.diff(np.cumprod(np.tanh(15.0 + x))),
    "steep": lambda x: np.tanh(1e4 * (x - 0.7)),
    "swings within the steps": lambda x: np.sin(1e12 * x) + x,
    "small swings": lambda x: x + 1e-10 * np.sin(1e10 * x),
    "swings everywhere": lambda x: np.exp(1e-3 * np.sin(1e16 * x)) * x,
    "single precision": single_precision,
    "in place": lambda x: x.__imul__(2.0),
    "empty": lambda x: x[:0],
    "not a number next to it": lambda x: np.gradient(np.log(x - 0.5)),
    "zeros times infinity": lambda x: np.zeros((6, 6)) @ np.exp(1e4 * x) + x,
    "zeros times infinity, in part": lambda x: np.tri(6) @ np.exp(np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1e4]) * x) + x,
    "at the edge of its domain": lambda x: (
        np.arccos(x / np.sqrt(x * x)) + np.sqrt(1.0 - np.cos(x) ** 2 - np.sin(x) ** 2)
    ),
    "overflow on the way": lambda x: np.hypot(1e200 * x, 1e200) + np.log(np.exp(-1e3 * x)),
}
POINTS = {"generic": X, "zeros": np.zeros(6), "ones": np.ones(6), "mixed": np.array([0.0, -1.0, 2.0, 1e-9, 1e6, -0.5])}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_passes(name, point):
    jac = sad.jacobian(RIGHT[name], POINTS[point])
    assert jac.checked.passed


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_passes_for_second_derivatives_too(name, point):
    hess = sad.hessian(
        lambda x: np.sum(RIGHT[name](x) * np.arange(1.0, RIGHT[name](X.copy()).size + 1.0)), POINTS[point]
    )
    assert hess.checked.passed
    assert sad.gradient(lambda x: np.sum(RIGHT[name](x)), POINTS[point]).checked.passed


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems_pass_by_few_calls(name):
    problem = PROBLEMS[name](SIZES[name].picture)
    prepare = sad.jacobian if problem.derivative == "jacobian" else sad.hessian
    report = prepare(problem.f, problem.x0, *problem.args).checked
    assert report.passed
    assert not report.notes
    assert report.calls <= 5
    assert len(report.comparisons) >= 3


def test_two_calls_are_enough_for_smooth_functions():
    calls = []

    def f(x):
        calls.append(type(x))
        return x[1:] * x[:-1]

    jac = sad.jacobian(f, X)
    assert calls[1:] == [np.ndarray, np.ndarray]
    assert jac.checked.calls == 2
    assert names(jac.checked) == [
        "the value at x0", "the value at a point near x0", "J @ d from x0 on, and values of the function",
    ]  # fmt: skip
    assert str(jac.checked).startswith("check of f, as it was traced\nok     the value at x0: differs by ")


# -- where nothing can be told ------------------------------------------------------------------------------------
def test_no_check():
    jac = sad.jacobian(lambda x: np.full(3, np.random.default_rng().uniform()) * x[:3], X, check=False)
    assert jac.checked.notes == ["nothing was compared: check=False"]


OUTSIDE = np.random.default_rng(5)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.random.default_rng().uniform() * x,
        lambda x: x + np.random.normal(size=6),  # noqa: NPY002
        lambda x: OUTSIDE.uniform(0.9, 1.1, 6) * x,
        lambda x: random.random() * x,
        lambda x: x[np.random.randint(6, size=40)],  # noqa: NPY002
        lambda x: x * (time.perf_counter_ns() % 1_000_003),
    ],
)
@pytest.mark.parametrize("prepare", [sad.jacobian, lambda f, x: sad.hessian(lambda x: np.sum(f(x) ** 2), x)])
def test_what_is_drawn_inside_is_refused(f, prepare):
    with pytest.raises(sad.CheckFailed, match=r"two calls of the function at (.|\n)*Draw outside"):
        prepare(f, X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.random.default_rng(0).uniform(size=6) * x,
        lambda x: np.random.RandomState(1).randn(6) * x,
        lambda x: random.Random(2).random() * x,
        lambda x: x**2 + 0.0 * np.random.normal(size=6),  # noqa: NPY002
    ],
)
def test_what_is_the_same_at_each_call_is_allowed(f):
    jac = sad.jacobian(f, X)
    assert not jac.checked.notes
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-15)


def test_noise_at_each_call_is_a_note():
    jac = sad.jacobian(lambda x: x + 1e-8 * OUTSIDE.normal(size=6), X)
    assert any("other values at each call" in note for note in jac.checked.notes)


def test_values_that_cancel_at_zero_are_rounding():
    image = np.add.outer(np.arange(4.0), np.arange(5.0) ** 2)  # 0 at its first point, by cancelling splines
    assert sad.jacobian(lambda x: scipy.ndimage.map_coordinates(image, x.reshape(2, 3)), np.zeros(6)).checked.passed


def test_rows_of_nothing_but_noise_are_not_compared():
    def f(x):
        return x.copy() if is_traced(x) else np.append(x[:4], x[4:] * (1.0 + 0.5 * np.sin(1e17 * x[4:])))

    checked = sad.jacobian(f, X).checked
    assert all(np.isfinite(c.allowed) for c in checked.comparisons)
    assert any(note.startswith("2 of 6 rows were not compared: the value at x0") for note in checked.notes)


def test_a_function_that_raises_on_plain_arrays():
    calls = []

    def f(x):
        calls.append(0)
        if len(calls) > 1:  # the first one is traced
            raise RuntimeError("no licence")
        return 2.0 * x

    notes = sad.jacobian(f, X).checked.notes
    raised = "(on plain arrays it raised RuntimeError: no licence)"
    assert notes == [
        f"the function has no value at x0 {raised}",
        f"no point near x0 has values {raised}: nothing was compared there",
    ]


def test_a_function_without_values():
    notes = sad.jacobian(lambda x: np.log(-(x**2) - 1.0), X).checked.notes
    assert "6 of 6 rows have no value at x0" in notes


def test_a_point_that_is_not_finite():
    jac = sad.jacobian(lambda x: x**2, np.array([np.nan, 1.0, np.inf]))
    assert jac.checked.notes == ["x0 is not finite"]
    assert "the value at a point near x0" in names(jac.checked)


def test_branches_that_were_recorded_hold_where_it_is_checked():
    def f(x):
        return x**2 if x[0] > 0.29999 else x**3

    for x in (X, np.array([0.2, 3.0])):
        checked = sad.jacobian(f, x, guard="record").checked
        assert checked.passed
        assert len(checked.comparisons) >= 2


def test_arguments_are_not_changed_by_the_check():
    x, w, p = X.copy(), np.ones(6), {"k": np.ones(6)}

    def f(x, w, p):
        y = x * w * p["k"]
        x *= 2.0
        w *= 3.0
        p["k"] *= 4.0
        return y

    assert sad.jacobian(f, x, w, p).checked.passed
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(w, np.ones(6))
    np.testing.assert_array_equal(p["k"], np.ones(6))


def test_memory_order_of_the_point_is_kept():
    orders = []

    def f(x):
        orders.append(x.flags.f_contiguous)
        return x.T.copy()

    assert sad.jacobian(f, np.asfortranarray(np.arange(6.0).reshape(2, 3))).checked.passed
    assert orders[1:] == [True, True]  # the first run is traced


# -- what is wrong ------------------------------------------------------------------------------------------------
def wrong_rule(func, rule):
    """Return a function whose trace goes by another rule for one NumPy function."""

    def planted(monkeypatch):
        monkeypatch.setitem(HANDLERS, func, functools.partial(rule, HANDLERS[func]))

    return planted


PLANTED = {
    "a sum that loses an axis": (
        wrong_rule(np.sum, lambda right, a, **kw: right(a[1:], **kw)),
        lambda x: x * np.sum(x),
    ),
    "a move that does nothing": (wrong_rule(np.roll, lambda right, a, k: a), lambda x: x * np.roll(x, 1)),
    "another function": (wrong_rule(np.sin, lambda right, a: np.cos(a)), lambda x: np.sin(x)[::-1]),
    "a term that is missing": (wrong_rule(np.multiply, lambda right, a, b: right(a, 1.0)), lambda x: x * np.exp(x)),
    "a keyword that is dropped": (
        wrong_rule(np.cumsum, lambda right, a, axis=None: right(a).reshape(a.shape)),
        lambda x: np.cumsum(x.reshape(2, 3), axis=0),
    ),
    "no number": (
        wrong_rule(np.sin, lambda right, a: np.log(-np.abs(right(a)) - 1.0)),
        lambda x: np.sin(x) + x,
    ),
    "no number in one row": (
        wrong_rule(np.sin, lambda right, a: right(a) * np.array([1.0, 1.0, np.nan, 1.0, 1.0, 1.0])),
        np.sin,
    ),
    "a small part": (
        wrong_rule(np.exp, lambda right, a: right(a) + 1e-6 * np.sin(a)),
        np.exp,
    ),
}


@pytest.mark.parametrize("point", ["generic", "zeros", "ones"])
@pytest.mark.parametrize("name", PLANTED)
def test_wrong_rules_are_found(name, point, monkeypatch):
    plant, f = PLANTED[name]
    assert sad.jacobian(f, POINTS[point]).checked.passed
    plant(monkeypatch)
    with pytest.raises(sad.CheckFailed, match=r"worst in row \d: .* as traced, .* on plain arrays"):
        sad.jacobian(f, POINTS[point])
    with pytest.raises(sad.CheckFailed):
        sad.hessian(lambda x: f(x).ravel() @ f(x).ravel(), POINTS[point])
    with pytest.raises(sad.CheckFailed):
        sad.gradient(lambda x: f(x).ravel() @ f(x).ravel(), POINTS[point])
    assert sad.jacobian(f, POINTS[point], check=False) is not None


@pytest.fixture
def large(monkeypatch):
    """Check as large programs are checked: by compiled values, in stretches of four rows."""
    monkeypatch.setattr(self_check, "LARGE", 0)
    monkeypatch.setattr(rows, "AT_ONCE", 4)


@pytest.mark.parametrize("name", ["a term that is missing", "no number in one row", "a small part"])
def test_wrong_rules_are_found_in_large_programs(name, large, monkeypatch):
    plant, f = PLANTED[name]
    assert sad.jacobian(f, X).checked.passed
    plant(monkeypatch)
    with pytest.raises(sad.CheckFailed, match=r"worst in row \d: .* as traced, .* on plain arrays"):
        sad.jacobian(f, X)


def test_a_row_that_cancels_among_many_is_judged_by_its_terms(monkeypatch):
    """Compiled code and NumPy round otherwise; NumPy is not asked for the whole program then."""

    def f(x):
        return np.append(np.exp(np.linspace(0.1, 1.0, 200) * x[0]), np.sin(x) @ weights)

    rng = np.random.default_rng(3)
    weights = rng.normal(size=2000)
    x = rng.uniform(0.3, 1.4, 2000)
    weights[-1] -= (np.sin(x) @ weights) / np.sin(x[-1])
    monkeypatch.setattr(self_check, "LARGE", 0)
    asked = []
    by_numpy = self_check.Subject.value
    monkeypatch.setattr(self_check.Subject, "value", lambda *args: asked.append(0) or by_numpy(*args))
    assert sad.jacobian(f, x).checked.passed
    assert not asked
    off = wrong_rule(np.sin, lambda right, a: right(a) + 1e-8 * np.sign(weights))
    off(monkeypatch)  # beyond what cancels
    with pytest.raises(sad.CheckFailed, match="worst in row 200"):
        sad.jacobian(f, x)


def test_stretches_are_compared_as_the_whole_is(monkeypatch):
    def f(x):
        return np.tanh(x) * x[::-1] ** 2

    whole = sad.jacobian(f, X).checked
    monkeypatch.setattr(rows, "AT_ONCE", 4)
    assert sad.jacobian(f, X).checked == whole


def test_rows_whose_terms_cancel_need_no_second_look():
    d = np.random.default_rng(SEED).uniform(0.1, 0.9, 2)  # the way from zero

    def f(x):
        return np.stack([0.7 * x[0] * d[1] - x[1] * (0.7 * d[0] + k * 1e-9) for k in range(1, 9)])

    assert sad.jacobian(f, np.zeros(2)).checked.calls == 2


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_number_where_the_function_has_none_is_wrong(monkeypatch):
    def f(x):
        return np.append(x**2, np.log(-(x[:1] ** 2) - 1.0))

    assert "1 of 7 rows have no value at x0" in sad.jacobian(f, X).checked.notes
    monkeypatch.setitem(HANDLERS, np.log, HANDLERS[np.sin])
    with pytest.raises(sad.CheckFailed, match=r"worst in row 6: .* as traced, nan on plain arrays"):
        sad.jacobian(f, X)


def test_the_lines_of_a_wrong_row_are_named(monkeypatch):
    plant, f = PLANTED["another function"]
    plant(monkeypatch)
    with pytest.raises(sad.CheckFailed, match=r"File .*test_preparation.py.*, line \d+: "):
        sad.jacobian(f, X)


def spoil(monkeypatch, entry, wrong):
    """Let preparations write a wrong value of one entry: the program is right, the matrix is not."""
    right = preparation.assembly_of

    def spoiled(*args):
        assembly = right(*args)
        finish = assembly.finish

        def finished(data):
            if finish is not None:
                finish(data)
            data[entry] = wrong(data[entry])

        assembly.finish = finished
        return assembly

    monkeypatch.setattr(preparation, "assembly_of", spoiled)


@pytest.mark.parametrize("entry", [0, 7, 9])
def test_a_wrong_derivative_is_found_and_its_column_named(entry, monkeypatch):
    spoil(monkeypatch, entry, lambda value: 1.01 * value)
    with pytest.raises(sad.CheckFailed, match=r"column \d explains it"):
        sad.jacobian(lambda x: x[1:] ** 2 * np.exp(x[:-1]) * np.array([1.0, 1.0, 1.0, 1.0, 1e-3]), X)


def test_an_entry_that_is_missing_in_the_second_derivative(monkeypatch):
    spoil(monkeypatch, 3, lambda value: 0.0)
    with pytest.raises(sad.CheckFailed, match="H @ d and differences of the gradient"):
        sad.hessian(lambda x: np.sum(x[1:] ** 2 * np.exp(x[:-1])), X)


def is_traced(x):
    """Tell a traced array from others; what it is printed as and its types do not."""
    return is_tracing()


def test_what_the_function_does_with_a_number_is_compared_too():
    """A placeholder for x decides nothing: the point nearby does."""

    def f(x):
        k = 1.0 if is_traced(x) else np.floor(10.0 * np.max(x))
        return k * x

    with pytest.raises(sad.CheckFailed):
        sad.jacobian(f, np.zeros(3))


def test_another_size_on_plain_arrays():
    def f(x):
        return x[1:] if is_traced(x) else x

    with pytest.raises(sad.CheckFailed, match="it has 6 elements on plain arrays, 5 as it was traced"):
        sad.jacobian(f, X)


def test_another_shape_on_plain_arrays():
    def f(x):
        return x if is_traced(x) else x[None]

    with pytest.raises(
        sad.CheckFailed, match=r"shape of the value: .*\n.*\(1, 6\) on plain arrays, \(6,\) as it was traced"
    ):
        sad.jacobian(f, X)


def test_what_is_kept_from_the_trace_is_met():
    """Arrays of objects are not seen when a trace ends."""
    kept = np.empty(1, object)

    def f(x):
        if kept[0] is None:
            kept[0] = 2.0 * x
        return kept[0]

    with pytest.raises(sad.SparseADError, match="keeps something from the run in which it was traced"):
        sad.jacobian(f, X)


def answers_a_warning(x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.log(-x)
        except RuntimeWarning:
            return 5.0 * x


def counts_warnings(x):
    with warnings.catch_warnings(record=True) as met:
        warnings.simplefilter("always")
        np.log(-x)
    return x * len(met)


def answers_an_error(x):
    with np.errstate(all="raise"):
        try:
            return x / np.zeros(6)
        except FloatingPointError:
            return 7.0 * x


@pytest.mark.parametrize("f", [answers_a_warning, counts_warnings, answers_an_error])
def test_what_the_function_makes_of_floating_point_errors_is_refused_or_compared(f):
    """There are none while it is traced."""
    words = "on plain arrays" if f is counts_warnings else "catching an exception of arithmetic"
    kind = sad.CheckFailed if f is counts_warnings else sad.UnsupportedOperationError
    with np.errstate(all="warn"), pytest.raises(kind, match=words):
        sad.jacobian(f, X)


def test_a_check_makes_no_warnings():
    with np.errstate(all="warn"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sad.jacobian(lambda x: np.where(x > 1.0, np.log(x - 1.0), 1.0 / (x - x[0])), X).checked.passed


def test_rows_that_a_second_look_clears_were_compared():
    """Kinks within the segments make some rows doubtful; smaller steps are on one side of them."""
    shift = np.arange(500.0)
    report = sad.jacobian(lambda x: np.abs(np.sin(400.0 * x + shift)), np.ones(500)).checked
    assert names(report)[-1] == "J @ d and differences of the function"
    assert report.passed and not report.notes


def test_rows_without_an_operation_have_no_line():
    doubled = []

    def f(x):
        doubled.append(1)
        return x if len(doubled) == 1 else 2.0 * x

    with pytest.raises(sad.SparseADError, match=r"\n +x itself, with no operation"):
        sad.jacobian(f, np.ones(3))
